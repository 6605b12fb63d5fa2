import { describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';

const terminal = (type: string) => (f: { readonly type: string; readonly data?: { readonly type: string } }) => f.type === 'event' && f.data?.type === type;

describe('a message is stored once', () => {
  test('sent again with the same id and data: the same answer, no second run, on any connection', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { client } = await gw.seat('ada');
    const send = { type: 'send', id: 'once', thread: 't', data: { text: 'hi' } };
    client.sendFrame(send);
    const first = await client.next('run-accepted');
    expect(first.duplicate).toBe(false);
    const run = await agent.nextRun();
    client.sendFrame(send);
    expect(await client.next('run-accepted')).toEqual({ ...first, duplicate: true });
    const { client: other } = await gw.seat('ada');
    other.sendFrame(send);
    expect(await other.next('run-accepted')).toMatchObject({ id: 'once', run: first.run, message: first.message, offset: first.offset, duplicate: true });
    run.start().complete();
    const answer = await gw.request('POST', '/v1/threads/t/messages', { user: 'ada', body: { id: 'once', data: { text: 'hi' } } });
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ run: first.run, duplicate: true });
    expect(agent.runs).toHaveLength(1);
  });

  test('many times at once: one is first, all have the same answer', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { client } = await gw.seat('ada');
    for (let i = 0; i < 10; i++) client.sendFrame({ type: 'send', id: 'once', thread: 't', data: { text: 'hi' } });
    const answers = [];
    for (let i = 0; i < 10; i++) answers.push(await client.next('run-accepted'));
    expect(new Set(answers.map((a) => a.run)).size).toBe(1);
    expect(answers.filter((a) => !a.duplicate)).toHaveLength(1);
    expect(agent.runs).toHaveLength(1);
  });

  test('the same id with other data is a conflict', async () => {
    await using gw = await startGateway({ agent: new ScriptedAgent() });
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'send', id: 'once', thread: 't', data: { text: 'hi' } });
    await client.next('run-accepted');
    client.sendFrame({ type: 'send', id: 'once', thread: 't', data: { text: 'ho' } });
    expect(await client.next('error')).toMatchObject({ code: 'idempotency-conflict', retryable: false, ref: { type: 'send', id: 'once' } });
    client.sendFrame({ type: 'send', id: 'once', thread: 'another', data: { text: 'ho' } });
    expect(await client.next('run-accepted')).toMatchObject({ thread: 'another', duplicate: false });
  });
});

describe('one run at a time', () => {
  test('messages wait in order, the ninth waiting one is told to come later, and events never mix', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    for (let i = 0; i < 10; i++) client.sendFrame({ type: 'send', id: `m${i}`, thread: 't', data: { text: `${i}` } });
    const accepted = [];
    for (let i = 0; i < 9; i++) accepted.push(await client.next('run-accepted'));
    expect(accepted.map((a) => a.state)).toEqual(['running', ...Array(8).fill('queued')]);
    expect(await client.next('error')).toMatchObject({ code: 'thread-busy', retryable: true, ref: { type: 'send', id: 'm9' } });
    for (let i = 0; i < 9; i++) {
      const run = await agent.nextRun();
      expect(run.asked.runId).toBe(accepted[i]?.run);
      expect(run.asked.messages.at(-1)?.parts).toEqual([{ type: 'text', text: `${i}` }]);
      run.start().text(`answer ${i}`).complete();
    }
    const order: string[] = [];
    while (order.length < 9) {
      const frame = await client.nextWhere('an end', terminal('agent_completed'));
      order.push(frame.data.run_id);
    }
    expect(order).toEqual(accepted.map((a) => a.run));
    const runsInLog = client.frames.filter((f) => f.type === 'event' && f.kind === undefined).map((f) => f.data.run_id as string);
    expect(runsInLog.filter((run, i) => i === 0 || run !== runsInLog[i - 1])).toEqual(order);
  });
});

describe('the end of a run', () => {
  test('cancel is answered, reaches the agent, and the stream tells it', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
    const { run } = await client.next('run-accepted');
    const asked = await agent.nextRun();
    asked.start().text('half');
    await client.nextWhere('the delta', (f) => f.data?.text === 'half');
    client.sendFrame({ type: 'cancel', run });
    expect(await client.next('cancelled')).toEqual({ type: 'cancelled', run, state: 'cancelling' });
    await asked.aborted;
    const end = await client.nextWhere('the end', terminal('agent_completed'));
    expect(end).toMatchObject({ ack: true, data: { status: 'cancelled', run_id: run } });
    client.sendFrame({ type: 'cancel', run });
    expect(await client.next('cancelled')).toEqual({ type: 'cancelled', run, state: 'ended' });
  });

  test('a run of somebody else and one that never was are the same to whoever asks', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { client: ada } = await gw.seat('ada');
    ada.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
    const { run } = await ada.next('run-accepted');
    const asked = await agent.nextRun();
    const { client: mallory } = await gw.seat('mallory');
    const answers = [];
    for (const other of [run, 'run_00000000000000000000', 'nonsense', '../run']) {
      mallory.sendFrame({ type: 'cancel', run: other });
      const { ref, ...answer } = await mallory.next('error');
      expect(ref).toEqual({ type: 'cancel', run: other });
      answers.push(answer);
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ code: 'not-found' });
    expect(asked.asked.signal.aborted).toBe(false);
    expect((await gw.request('POST', `/v1/runs/${run}/cancel`, { user: 'mallory' })).status).toBe(404);
  });

  test('an agent that throws ends its run visibly, without its internals, and the thread goes on', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
    const run = await agent.nextRun();
    run.start().text('half').fail(new Error('password=hunter2 at /srv/model.ts:3'));
    const end = await client.nextWhere('the end', terminal('agent_error'));
    expect(end).toMatchObject({ ack: true, data: { recoverable: true, error_message: expect.stringContaining('Try again') } });
    expect(client.texts.join('')).not.toContain('hunter2');
    client.sendFrame({ type: 'send', id: 'b', thread: 't', data: { text: 'again' } });
    (await agent.nextRun()).start().complete();
    await client.nextWhere('the end', terminal('agent_completed'));
  });

  test('what an agent says that is no event ends the run as an error of ours', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
    (await agent.nextRun()).start().say({ type: 'text_delta', text: 7 } as never);
    expect(await client.nextWhere('the end', terminal('agent_error'))).toMatchObject({ ack: true, data: { code: 'agent_invalid' } });
  });

  test('nothing is logged after the first terminal event', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
    const run = await agent.nextRun();
    run
      .start()
      .say({ type: 'agent_completed', status: 'completed' })
      .text('too late')
      .say({ type: 'agent_error', error_message: 'x', recoverable: false })
      .complete();
    const end = await client.nextWhere('the end', terminal('agent_completed'));
    client.sendFrame({ type: 'send', id: 'b', thread: 't', data: { text: 'next' } });
    expect((await client.next('run-accepted')).offset).toBe(end.offset + 1);
    (await agent.nextRun()).start().complete();
  });

  test('losing the connection ends no run', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
    const { epoch } = await client.next('run-accepted');
    const run = await agent.nextRun();
    run.start().text('half');
    client.cut();
    await client.closed;
    expect(run.asked.signal.aborted).toBe(false);
    run.text(' and half').complete();
    const { client: next } = await gw.seat('ada');
    next.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: { epoch, offset: 1 } });
    const end = await next.nextWhere('the end', terminal('agent_completed'));
    expect(end.data).toMatchObject({ status: 'completed', final_response: 'half and half' });
  });
});

describe('sessions of others', () => {
  test('a manager of somebody else and one that never was cannot be closed', async () => {
    await using gw = await startGateway();
    const { client, ready } = await gw.seat('ada');
    for (const id of [ready.manager, 'mgr_00000000000000000000', 'nonsense']) {
      const answer = await gw.request('DELETE', `/v1/me/sessions/${id}`, { user: 'mallory' });
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ code: 'not-found' });
    }
    client.sendFrame({ type: 'check', n: 1 });
    expect(await client.next('check-ok')).toEqual({ type: 'check-ok', n: 1 });
  });

  test('one’s own can: its client is told from where', async () => {
    await using gw = await startGateway();
    const { client, ready } = await gw.seat('ada');
    const answer = await gw.request('DELETE', `/v1/me/sessions/${ready.manager}`, { user: 'ada' });
    expect(await answer.json()).toMatchObject({ freed: [ready.manager], limits: { used: 0 } });
    expect(await client.next('bye')).toMatchObject({
      code: 4203,
      name: 'freed-by-user',
      return: 'user',
      reason: 'user-freed',
      text: expect.stringContaining('You closed this one'),
    });
    expect(await client.close()).toMatchObject({ code: 4203, reason: expect.stringMatching(/^freed-by-user;r=user;t=0;c=user-freed$/) });
  });
});

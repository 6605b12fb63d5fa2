import { describe, expect, test } from 'vitest';
import { HELLO, startGateway } from '../support/gateway.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import type { WireFrame } from '../support/wire-client.ts';

const resumeOf = (ready: WireFrame, subs: readonly object[] = []) => ({
  resume: { manager: ready.manager, token: ready.resumeToken, subs },
});

describe('coming back', () => {
  test('to a connection that is still open: the old one is silenced, then told, and never are there two', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent });
    const { client: old, ready } = await gw.seat('ada');
    old.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    const { epoch } = await old.next('subscribed');
    old.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
    const run = await agent.nextRun();
    run.start().text('one');
    await old.nextWhere('the first word', (f) => f.type === 'event' && f.data.text === 'one');
    old.sendFrame({ type: 'ack', sub: 1, offset: 3 });

    const { client, ready: again } = await gw.seat('ada', { intent: 'auto', ...resumeOf(ready, [{ sub: 1, thread: 't', epoch, offset: 3 }]) });
    expect(again).toMatchObject({ manager: ready.manager, resume: 'attached', limits: { used: 1 } });
    const bye = await old.next('bye');
    expect(bye).toMatchObject({ code: 4205, name: 'taken-over', return: 'user', reason: 'superseded', text: 'This chat goes on in another window.' });
    expect(bye.positions).toEqual([{ sub: 1, epoch, offset: 3 }]);
    expect((await old.close()).code).toBe(4205);

    run.text(' two').complete();
    const done = await client.nextWhere('the end', (f) => f.type === 'event' && f.data.type === 'agent_completed');
    expect(client.frames.filter((f) => f.type === 'event').map((f) => f.from ?? f.offset)[0]).toBe(4);
    expect(done.offset).toBe(5);
    expect(old.frames.filter((f) => f.type === 'event').at(-1)?.offset).toBe(3);
  });

  test('what the old connection says after it was taken over is not done', async () => {
    await using gw = await startGateway();
    const { client: old, ready } = await gw.seat('ada');
    const { client } = await gw.seat('ada', resumeOf(ready));
    old.sendFrame({ type: 'send', id: 'ghost', thread: 'ghost', data: { text: 'boo' } });
    await old.close();
    client.sendFrame({ type: 'check', n: 1 });
    await client.next('check-ok');
    expect((await (await gw.request('GET', '/v1/threads', { user: 'ada' })).json()).threads).toEqual([]);
  });

  test('with the token before the last, while no frame came after the last one', async () => {
    await using gw = await startGateway();
    const { client, ready } = await gw.seat('ada');
    client.cut();
    const { client: second } = await gw.seat('ada', resumeOf(ready));
    // Its `ready` is lost on the way: the client knows only the token before.
    second.cut();
    const { client: third, ready: again } = await gw.seat('ada', resumeOf(ready));
    expect(again).toMatchObject({ manager: ready.manager, resume: 'attached' });
    third.sendFrame({ type: 'check', n: 1 });
    await third.next('check-ok');
    third.cut();
    const { ready: late } = await gw.seat('ada', resumeOf(ready));
    expect(late.resume).toBe('fresh');
    expect(late.manager).not.toBe(ready.manager);
  });

  test('with a token of somebody else: a manager of its own, and theirs is untouched', async () => {
    await using gw = await startGateway();
    const { client: theirs, ready } = await gw.seat('ada');
    const { ready: own } = await gw.seat('mallory', resumeOf(ready));
    expect(own.resume).toBe('fresh');
    expect(own.manager).not.toBe(ready.manager);
    theirs.sendFrame({ type: 'check', n: 1 });
    expect(await theirs.next('check-ok')).toEqual({ type: 'check-ok', n: 1 });
  });

  test('with the token of one manager and the id of another', async () => {
    await using gw = await startGateway();
    const { ready: one } = await gw.seat('ada');
    const { client: two, ready: other } = await gw.seat('ada');
    const { ready } = await gw.seat('ada', { resume: { manager: other.manager, token: one.resumeToken, subs: [] } });
    expect(ready.resume).toBe('fresh');
    expect(two.isOpen).toBe(true);
  });

  test('after goodbye the seat was free at once, and the story goes on', async () => {
    await using gw = await startGateway();
    const { client, ready } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'one two' } });
    const done = await client.nextWhere('the end', (f) => f.type === 'event' && f.data.type === 'agent_completed');
    client.sendFrame({ type: 'bye', reason: 'parked' });
    expect((await client.close()).code).toBe(1000);
    const { limits } = await (await gw.request('GET', '/v1/auth/me', { user: 'ada' })).json();
    expect(limits).toMatchObject({ used: 0, sockets: 0 });
    const epoch = client.frames.find((f) => f.type === 'subscribed')?.epoch;
    const { client: next, ready: again } = await gw.seat('ada', resumeOf(ready, [{ sub: 1, thread: 't', epoch, offset: 2 }]));
    expect(again).toMatchObject({ manager: ready.manager, resume: 'readmitted' });
    await next.next('subscribed');
    const events = [];
    for (let f = await next.next(); f.type !== 'replayed'; f = await next.next()) events.push(f);
    expect(events[0]?.from ?? events[0]?.offset).toBe(3);
    expect(events.at(-1)?.offset).toBe(done.offset);
  });

  test('positions act in the order in which they are given, right after ready', async () => {
    await using gw = await startGateway();
    const subs = [3, 1, 2].map((sub) => ({ sub, thread: `t${sub}`, epoch: 'zz', offset: 0 }));
    const { client } = await gw.seat('ada', { resume: { manager: 'mgr_00000000000000000000', token: 'worthless', subs } });
    const seen = [];
    while (seen.length < 3) seen.push((await client.next('subscribed')).sub);
    expect(seen).toEqual([3, 1, 2]);
  });
});

describe('a position that the log cannot serve', () => {
  async function answered(gw: Awaited<ReturnType<typeof startGateway>>): Promise<{ readonly epoch: string; readonly head: number }> {
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    const { epoch } = await client.next('subscribed');
    client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'one two three' } });
    const done = await client.nextWhere('the end', (f) => f.type === 'event' && f.data.type === 'agent_completed');
    return { epoch, head: done.offset };
  }

  test('of another epoch: a gap that says so, then everything there is', async () => {
    await using gw = await startGateway();
    const { epoch, head } = await answered(gw);
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: { epoch: 'another1', offset: 2 } });
    expect(await client.next()).toMatchObject({ type: 'subscribed', epoch, offset: 0, head });
    expect(await client.next()).toEqual({ type: 'gap', sub: 1, epoch, from: 1, to: 0, reason: 'epoch', snapshot: '/v1/threads/t/messages' });
    const first = await client.next();
    expect(first).toMatchObject({ type: 'event', offset: 1, kind: 'message' });
    expect(await client.next('replayed')).toEqual({ type: 'replayed', sub: 1, offset: head });
  });

  test('beyond the head: the log lost its tail, a new epoch begins', async () => {
    await using gw = await startGateway();
    const { epoch, head } = await answered(gw);
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: { epoch, offset: head + 5 } });
    const subscribed = await client.next();
    expect(subscribed.type).toBe('subscribed');
    expect(subscribed.epoch).not.toBe(epoch);
    const gap = await client.next();
    expect(gap).toMatchObject({ type: 'gap', sub: 1, epoch: subscribed.epoch, from: 1, reason: 'rewound', snapshot: '/v1/threads/t/messages' });
    const snapshot = await (await gw.request('GET', gap.snapshot, { user: 'ada' })).json();
    expect(snapshot.messages).toHaveLength(2);
    expect(snapshot.position).toEqual({ epoch: subscribed.epoch, offset: expect.any(Number) });
    expect(await client.next('replayed')).toMatchObject({ sub: 1 });
  });

  test('dropped by retention: a gap over exactly what is missing, and what is left behind it', async () => {
    await using gw = await startGateway();
    const { client } = await gw.seat('ada');
    client.behave();
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    const { epoch } = await client.next('subscribed');
    let head = 0;
    for (const id of ['a', 'b']) {
      client.sendFrame({ type: 'send', id, thread: 't', data: { text: 'one two three' } });
      head = (await client.nextWhere('the end', (f) => f.type === 'event' && f.data.type === 'agent_completed')).offset;
    }
    await gw.gateway.factory.streams.trim({ keepMs: 3_600_000, streamBytes: 700 });
    client.sendFrame({ type: 'subscribe', sub: 2, thread: 't', from: { epoch, offset: 2 } });
    const subscribed = await client.next('subscribed');
    const gap = await client.next();
    expect(gap).toMatchObject({ type: 'gap', sub: 2, epoch, from: 3, reason: 'retention', snapshot: '/v1/threads/t/messages' });
    expect(gap.to).toBeGreaterThan(3);
    expect(gap.to).toBeLessThan(head);
    expect(subscribed).toMatchObject({ sub: 2, epoch, offset: gap.to, head });
    let last = gap.to;
    for (let frame = await client.next(); frame.type !== 'replayed'; frame = await client.next()) {
      expect(frame.from ?? frame.offset).toBe(last + 1);
      last = frame.offset;
    }
    expect(last).toBe(head);
  });

  test('the snapshot of a gap serves whoever asks for their own thread only', async () => {
    await using gw = await startGateway();
    await answered(gw);
    expect((await gw.request('GET', '/v1/threads/t/messages', { user: 'mallory' })).status).toBe(404);
  });
});

test('a second hello on a connection that came back ends it, and it can come back again', async () => {
  await using gw = await startGateway();
  const { client, ready } = await gw.seat('ada');
  client.sendFrame(HELLO);
  expect((await client.close()).code).toBe(4500);
  const { ready: again } = await gw.seat('ada', resumeOf(ready));
  expect(again.manager).toBe(ready.manager);
});

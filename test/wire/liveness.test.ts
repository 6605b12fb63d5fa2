import { describe, expect, test } from 'vitest';
import { HELLO, startGateway } from '../support/gateway.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';

describe('liveness', () => {
  test('events that nobody acknowledges bring a probe, behind them', async () => {
    const agent = new ScriptedAgent();
    await using gw = await startGateway({ agent, timing: 'fast' });
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
    (await agent.nextRun()).start().text('x');
    await client.nextWhere('the delta', (f) => f.data?.text === 'x');
    const first = await client.next('probe');
    expect(first.n).toBeGreaterThan(0);
    client.sendFrame({ type: 'ack', sub: 1, offset: 3 });
    client.sendFrame({ type: 'probe-ok', n: first.n, visibility: 'hidden' });
    const second = await client.next('probe');
    expect(second.n).toBeGreaterThan(first.n);
    expect(client.frames.some((f) => f.type === 'bye')).toBe(false);
    const { sessions } = await (await gw.request('GET', '/v1/me/sessions', { user: 'ada' })).json();
    expect(sessions).toMatchObject([{ verdict: 'healthy', connected: true, visibility: 'hidden', threads: ['t'], running: true }]);
  });

  test('a client with nothing to do hears from the gateway within a heartbeat', async () => {
    await using gw = await startGateway({ timing: 'fast' });
    const { client, welcome } = await gw.seat('ada');
    expect(welcome).toMatchObject({ heartbeatMs: 1_500, clientTimeoutMs: 2_500 });
    const before = performance.now();
    await client.next('probe');
    expect(performance.now() - before).toBeLessThan(welcome.clientTimeoutMs);
  });

  test('a connection that answers no ping is ended, and its manager waits for it', async () => {
    await using gw = await startGateway({ timing: 'fast' });
    const client = await gw.open({ answersPings: false });
    client.sendFrame({ ...HELLO, token: await gw.token('ada') });
    const ready = await client.next('ready');
    expect((await client.close()).code).toBe(1006);
    const { ready: again } = await gw.seat('ada', { resume: { manager: ready.manager, token: ready.resumeToken, subs: [] } });
    expect(again).toMatchObject({ manager: ready.manager, resume: 'attached' });
  });

  test('check is answered five times a second, and no more', async () => {
    await using gw = await startGateway();
    const { client } = await gw.seat('ada');
    for (let n = 1; n <= 8; n++) client.sendFrame({ type: 'check', n });
    client.sendFrame({ type: 'cancel', run: 'nobody' });
    await client.next('error');
    expect(client.frames.filter((f) => f.type === 'check-ok').map((f) => f.n)).toEqual([1, 2, 3, 4, 5]);
  });
});

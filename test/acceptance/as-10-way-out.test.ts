import { afterEach, expect, test } from 'vitest';
import type { SessionInfo } from '../../src/protocol/messages.ts';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/peers/kernel.ts';
import { expectWithin, gated } from '../support/peers/load-gate.ts';
import { ProvableClient } from '../support/peers/provable-client.ts';
import type { WireClient } from '../support/wire-client.ts';

const HARD = 25;
const SEATED_WITHIN_MS = 1_000;

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

/** `u1` with all the seats it can have, on a burst lease, each in a conversation of its own. */
async function allSeatsTaken(): Promise<{ readonly gw: TestGateway; readonly seated: readonly ProvableClient[] }> {
  const gw = cleanUp.use(await startGateway({ timing: 'fast' }));
  const token = await gw.token('u1');
  const seated: ProvableClient[] = [];
  for (let i = 0; i < HARD; i++) {
    const client = await ProvableClient.open(gw.wsUrl, { token, thread: `thread-${i}`, label: `Device ${i}`, deadlineMs: 10_000 });
    cleanUp.use(client.wire);
    seated.push(client);
  }
  return { gw, seated };
}

async function sessionsOf(gw: TestGateway, user: string): Promise<readonly SessionInfo[]> {
  const response = await gw.request('GET', '/v1/me/sessions', { user });
  expect(response.status).toBe(200);
  return ((await response.json()) as { readonly sessions: readonly SessionInfo[] }).sessions;
}

/** One more of the same person, which finds no seat. */
async function waiting(gw: TestGateway, hello: object = {}): Promise<WireClient> {
  const client = (await gw.open({ deadlineMs: 20_000 })).behave();
  client.sendFrame({ ...HELLO, token: await gw.token('u1'), client: { name: 'test', version: '1.0', label: 'Phone' }, ...hello });
  expect(await client.next('queued')).toMatchObject({ position: 1 });
  return client;
}

test(
  'AS-10a all seats taken, one client waits: its person frees a session of their own, and it is seated at once',
  gated(async () => {
    const { gw, seated } = await allSeatsTaken();
    const phone = await waiting(gw);
    const sessions = await sessionsOf(gw, 'u1');
    expect(sessions).toHaveLength(HARD);
    const chosen = sessions.find((session) => session.label === 'Device 3') as SessionInfo;
    expect(chosen).toMatchObject({ client: 'peer 1.0', threads: ['thread-3'], verdict: 'healthy', connected: true, current: false });
    expect(Math.abs(Date.now() - chosen.lastEvidenceAt)).toBeLessThan(60_000);

    const freedAt = performance.now();
    const freed = await gw.request('DELETE', `/v1/me/sessions/${chosen.id}`, { user: 'u1' });
    expect([freed.status, ((await freed.json()) as { freed: string[] }).freed]).toEqual([200, [chosen.id]]);
    const ready = await phone.next('ready');
    expectWithin('the freed seat', performance.now() - freedAt, SEATED_WITHIN_MS);
    expect(ready.resume).toBe('fresh');
    const closed = seated[3] as ProvableClient;
    await until('the freed one to be told', () => closed.bye !== null);
    expect(closed.bye).toMatchObject({ reason: 'user-freed', return: 'user' });
    expect(seated.filter((client) => client.bye !== null || !client.wire.isOpen)).toEqual([closed]);
  }),
);

test(
  'AS-10a “resume here” in a tab that was paused: it frees the chosen session and is seated in its place',
  gated(async () => {
    const { gw, seated } = await allSeatsTaken();
    // A tab that gave its seat away, and that somebody has filled since.
    const [paused, chosen] = seated as [ProvableClient, ProvableClient];
    await gw.request('DELETE', `/v1/me/sessions/${paused.manager}`, { user: 'u1' });
    await until('the paused one to be told', () => paused.bye !== null);
    const filler = await ProvableClient.open(gw.wsUrl, { token: await gw.token('u1'), thread: 'filler', deadlineMs: 10_000 });
    cleanUp.use(filler.wire);

    const clickedAt = performance.now();
    const freed = await gw.request('DELETE', `/v1/me/sessions/${chosen.manager}`, { user: 'u1' });
    expect(freed.status).toBe(200);
    const back = await ProvableClient.open(gw.wsUrl, {
      token: await gw.token('u1'),
      thread: 'thread-0',
      deadlineMs: 10_000,
      resume: { manager: paused.manager, token: paused.bye?.resumeToken ?? paused.ready.resumeToken, epoch: paused.epoch, offset: paused.applied },
    });
    cleanUp.use(back.wire);
    expectWithin('a seat', performance.now() - clickedAt, SEATED_WITHIN_MS);
    expect(back.manager).toBe(paused.manager);
    expect(back.wire.frames.filter((f) => f.type === 'queued')).toEqual([]);
    const gone = [...seated, filler].filter((client) => client.bye !== null).map((client) => client.manager);
    expect(gone.toSorted()).toEqual([paused.manager, chosen.manager].toSorted());
  }),
);

test(
  'AS-10a the session of another user is unknown, and stays',
  gated(async () => {
    const gw = cleanUp.use(await startGateway({ timing: 'fast' }));
    const theirs = await ProvableClient.open(gw.wsUrl, { token: await gw.token('u2'), thread: 't' });
    cleanUp.use(theirs.wire);
    const answer = await gw.request('DELETE', `/v1/me/sessions/${theirs.manager}`, { user: 'u1' });
    expect(answer.status).toBe(404);
    expect(await sessionsOf(gw, 'u1')).toEqual([]);
    expect((await sessionsOf(gw, 'u2')).map((session) => session.id)).toEqual([theirs.manager]);
    await gw.gateway.publish('u2' as never, 't' as never, { type: 'text_delta', text: 'still here' });
    await theirs.wire.next('event');
    expect(theirs.bye).toBeNull();
  }),
);

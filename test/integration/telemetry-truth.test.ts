/** What is told against what clients and the kernel saw: every event once, every figure right. */

import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { EventName, SpillwayEvents } from '../../src/ports/events.ts';

import { FaultyStore } from '../support/faulty-store.ts';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';
import { connectionsTo } from '../support/peers/kernel.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import type { WireClient, WireFrame } from '../support/wire-client.ts';

const SOON = { timeout: 5_000, interval: 10 };
const NAMES = [
  'admission-ended',
  'queue-entered',
  'queue-left',
  'lockout',
  'burst-changed',
  'manager-seated',
  'manager-ended',
  'verdict-changed',
  'zombie-found',
  'probe-ended',
  'cleanup-finished',
  'eviction-regret',
  'transport-quarantined',
  'mismatch-found',
  'transport-opened',
  'transport-closed',
  'resumed',
  'gap-told',
  'notice-shown',
  'acknowledged',
  'run-started',
  'run-ended',
  'store-lost',
  'store-back',
  'store-asked',
  'attention-lost',
  'drain-started',
  'drain-finished',
] as const satisfies readonly EventName[];

/** Everything that a gateway tells from here on. */
function listen(gw: TestGateway) {
  const heard = new Map<EventName, unknown[]>();
  for (const name of NAMES) {
    const all: unknown[] = [];
    heard.set(name, all);
    onTestFinished(gw.gateway.on(name, (event) => all.push(event)));
  }
  return <N extends (typeof NAMES)[number]>(name: N): readonly SpillwayEvents[N][] => (heard.get(name) ?? []) as SpillwayEvents[N][];
}

/** How often each of `values` occurs. */
function tally(values: Iterable<unknown>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1;
  return counts;
}

/** Every peer of a test, for the sums of what they saw. */
class Peers {
  readonly all: WireClient[] = [];
  readonly #gw: TestGateway;

  constructor(gw: TestGateway) {
    this.#gw = gw;
  }

  async open(): Promise<WireClient> {
    const client = await this.#gw.open();
    this.all.push(client);
    return client.behave();
  }

  async say(user: string, hello: object = {}): Promise<WireClient> {
    const client = await this.open();
    client.sendFrame({ ...HELLO, token: await this.#gw.token(user), ...hello });
    return client;
  }

  async seat(user: string, hello: object = {}): Promise<{ readonly client: WireClient; readonly ready: WireFrame }> {
    const client = await this.say(user, hello);
    return { client, ready: await client.next('ready') };
  }

  frames(type: string): WireFrame[] {
    return this.all.flatMap((client) => client.frames.filter((frame) => frame.type === type));
  }
}

const resumeOf = (ready: WireFrame, subs: readonly object[] = []) => ({ resume: { token: ready.resumeToken, manager: ready.manager, subs } });
const eventsIn = ({ from, offset }: WireFrame): number => offset - (from ?? offset) + 1;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

test('two people come, ask, stop, come back, wait, leave and are moved: events and figures are what their clients and the kernel saw', async () => {
  const agent = new ScriptedAgent();
  await using gw = await startGateway({
    agent,
    limits: { perUser: 3, burst: { perUser: 4, forMs: 700 } },
    queue: { waitMs: 1_000 },
    shutdown: { predelayMs: 0, spreadMs: 0 },
    health: { newbornMs: 50 },
  });
  const { factory } = gw.gateway;
  const { gauges, delivery } = factory.telemetry;
  const told = listen(gw);
  const peers = new Peers(gw);

  // A stranger comes and goes; Ada asks, stops one run, and asks one question twice.
  const stranger = await peers.open();
  stranger.leave();
  await stranger.close();
  const one = await peers.seat('ada');
  one.client.sendFrame({ type: 'subscribe', sub: 1, thread: 't1', from: 'start' });
  await one.client.next('subscribed');
  const question = (id: string) => one.client.sendFrame({ type: 'send', id, thread: 't1', data: { text: 'Hello?' } });
  question('q1');
  (await agent.nextRun()).start().text('Hello', ' Ada').complete();
  question('q1');
  await vi.waitUntil(() => one.client.frames.some((f) => f.type === 'run-accepted' && f.duplicate === true), SOON);
  question('q2');
  const second = (await agent.nextRun()).start().text('Well');
  one.client.sendFrame({ type: 'cancel', run: second.asked.runId });
  await vi.waitUntil(() => told('run-ended').length === 2, SOON);
  question('q3');
  (await agent.nextRun()).fail(new Error('The agent of this test fails.'));
  await vi.waitUntil(() => told('run-ended').length === 3 && gauges().unackedEvents === 0, SOON);

  // Her line is cut and she comes back to her seat, twice: the second time what she asks for is not in the log any more.
  one.client.cut();
  await vi.waitUntil(() => factory.find(one.ready.manager)?.state === 'detached', SOON);
  const position = { epoch: one.client.frames.find((f) => f.type === 'subscribed')?.epoch, offset: 2 };
  const back = await peers.seat('ada', resumeOf(one.ready, [{ sub: 1, thread: 't1', ...position }]));
  await back.client.next('replayed');
  await vi.waitUntil(() => gauges().unackedEvents === 0, SOON);
  back.client.leave(1001);
  await vi.waitUntil(() => factory.find(one.ready.manager)?.state === 'detached', SOON);
  await factory.streams.trim({ keepMs: 0, streamBytes: 0 });
  const again = await peers.seat('ada', resumeOf(back.ready, [{ sub: 1, thread: 't1', ...position }]));
  await again.client.next('gap');

  // Ben opens more than he may: near the limit, a lease, a queue; one goes from the queue, one gets the seat of one that he closes, one
  // waits to the end.
  const ben = [await peers.seat('ben'), await peers.seat('ben'), await peers.seat('ben'), await peers.seat('ben')];
  const impatient = await peers.say('ben');
  await impatient.next('queued');
  impatient.sendFrame({ type: 'bye', reason: 'left' });
  await vi.waitUntil(() => told('queue-left').length === 1, SOON);
  const patient = await peers.say('ben');
  await patient.next('queued');
  expect(gauges().queueLength).toEqual([{ tier: 'free', count: 1 }]);
  await gw.request('DELETE', `/v1/me/sessions/${ben[0]?.ready.manager}`, { user: 'ben' });
  await patient.next('ready');
  const forced = await peers.say('ben');
  await forced.next('queued');
  await forced.next('ready');
  await vi.waitUntil(() => told('burst-changed').some(({ to }) => to === 'debt') || gauges().usersInBurst === 0, SOON);
  ben[3]?.client.sendFrame({ type: 'bye', reason: 'left' });
  await vi.waitUntil(() => told('manager-ended').length > 0 && gauges().queueLength.length === 0, SOON);

  // Now: what is open is what the kernel has open, and the seats are those whose clients were told `ready` and nothing since.
  await delay(200);
  const port = Number(new URL(gw.url).port);
  // One more is the HTTP connection of the request above, as long as it is kept.
  await vi.waitUntil(() => [0, 1].includes(connectionsTo(port) - gauges().transports), SOON);
  expect(gauges().transports).toBe(peers.all.filter((client) => client.isOpen).length);
  const open = gauges();
  expect(open.seats).toBe([...factory.all()].length);
  expect(sum(open.managers.map(({ count }) => count))).toBe(open.seats);
  expect(open).toMatchObject({ users: 2, draining: false, localHealthScore: expect.any(Number), unackedEvents: 0, bufferedBytes: 0 });
  expect(open.leaseRemainingMs).toBeGreaterThan(0);
  expect(factory.getFactoryStatus()).toMatchObject({ seats: open.seats, effective: open.effectiveSeats, sockets: open.transports });

  // The node is emptied.
  await gw.gateway.drain({ withinMs: 2_000 });
  await vi.waitUntil(() => peers.all.every((client) => !client.isOpen) && gauges().transports === 0, SOON);
  expect(gauges().draining).toBe(true);

  // ---- what clients saw
  const closes = await Promise.all(peers.all.map((client) => client.closed));
  // A cut shows to its own client and to us as a connection that vanished.
  const codes = peers.all.map((client, i) => (client === one.client ? 1006 : client === back.client ? 1001 : closes[i]?.code));
  expect(told('transport-opened')).toHaveLength(peers.all.length);
  expect(tally(told('transport-closed').map(({ code }) => code))).toEqual(tally(codes));
  expect(tally(told('transport-closed').map(({ user }) => user === null))).toEqual({ true: 1, false: peers.all.length - 1 });

  const ready = peers.frames('ready');
  expect(tally(told('manager-seated').map(({ resume }) => resume))).toEqual(tally(ready.map((f) => f.resume)));
  expect(tally(told('resumed').map(({ result }) => result))).toEqual({ attached: 1, gap: 1 });
  expect(told('gap-told')).toHaveLength(peers.frames('gap').length);
  expect(tally(told('notice-shown').map(({ kind }) => kind))).toEqual(
    tally(
      peers
        .frames('notice')
        .filter((f) => f.cleared !== true)
        .map((f) => f.kind),
    ),
  );

  const waited = peers.all.filter((client) => client.frames.some((f) => f.type === 'queued'));
  expect(told('queue-entered')).toHaveLength(waited.length);
  expect(tally(told('queue-left').map(({ end }) => end))).toEqual({ seated: waited.length - 1, abandoned: 1 });
  expect(tally(told('admission-ended').map(({ outcome }) => outcome === 'abandoned'))).toEqual({ true: 1, false: ready.length });
  expect(told('lockout')).toEqual([]);

  const evicted = peers.frames('bye').filter((f) => f.code >= 4200 && f.code < 4300);
  const victims = told('cleanup-finished').flatMap((report) => report.victims);
  expect(tally(victims.map(({ reason }) => reason))).toEqual(tally(evicted.map((f) => f.reason)));
  const ended = told('manager-ended');
  expect(tally(ended.map(({ reason }) => reason))).toEqual({ ...tally(evicted.map((f) => f.reason)), 'client-closed': 1 });
  expect(gauges().seats).toBe(ready.filter((f) => f.resume !== 'attached').length - ended.length);
  expect(told('burst-changed').map(({ to }) => to)).toEqual(expect.arrayContaining(['active']));

  const accepted = peers.frames('run-accepted');
  expect(told('run-started')).toHaveLength(new Set(accepted.map((f) => f.run)).size);
  expect(told('run-ended').map(({ status, provider }) => `${status} ${provider}`)).toEqual(['completed false', 'cancelled false', 'failed false']);
  expect(told('run-ended').every(({ firstEventMs }) => firstEventMs !== null && firstEventMs < 5_000)).toBe(true);
  expect(delivery.duplicatesSuppressed).toBe(accepted.filter((f) => f.duplicate === true).length);

  const events = peers.frames('event');
  expect(delivery.sent + delivery.replayed).toBe(sum(events.map(eventsIn)));
  expect(delivery.acked).toBe(sum(events.map(eventsIn)));
  expect(delivery.replayed).toBe(sum(back.client.frames.filter((f) => f.type === 'event').map(eventsIn)));
  expect(told('acknowledged')).toHaveLength(events.length);
  expect(told('acknowledged').every(({ delayMs }) => delayMs >= 0 && delayMs < 2_000)).toBe(true);
  expect(tally(told('probe-ended').map(({ result }) => result))).toEqual(tally(peers.frames('probe').map(() => 'answered')));

  expect(told('drain-started')).toEqual([{ node: 'gw-1' }]);
  expect(told('drain-finished')).toHaveLength(1);
  expect(told('store-asked').filter(({ failed }) => failed)).toEqual([]);
  const given = told('store-asked').filter(({ op }) => op === 'seats.admit' || op === 'seats.replace');
  expect(given.length).toBeGreaterThanOrEqual(ready.filter((f) => f.resume !== 'attached').length);
  for (const name of ['store-lost', 'mismatch-found', 'transport-quarantined', 'zombie-found', 'eviction-regret'] as const)
    expect(told(name), name).toEqual([]);
});

test('a page that freezes is told to be dead within its time, its question to be unanswered, and its figures follow within a second', async () => {
  await using gw = await startGateway({ timing: 'fast', limits: { perUser: 1, burst: { perUser: 1 } }, cleanup: { proactive: false } });
  const { factory } = gw.gateway;
  const { gauges } = factory.telemetry;
  const told = listen(gw);
  const count = (verdict: string) => gauges().managers.find((group) => group.verdict === verdict)?.count ?? 0;
  const { client, ready } = await gw.seat('ada');
  client.behave();
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't1' });
  await vi.waitUntil(() => count('idle') === 1, SOON);
  client.freeze();
  const frozenAt = performance.now();
  await vi.waitUntil(() => count('zombie') === 1, { timeout: 8_000, interval: 10 });
  const foundAfterMs = performance.now() - frozenAt;
  expect(told('zombie-found')).toMatchObject([{ managerId: ready.manager, reason: 'probe-timeout' }]);
  // Of the last second before it froze it may have given a sign.
  expect(told('zombie-found')[0]?.delayMs).toBeGreaterThan(foundAfterMs - 2_000);
  expect(told('zombie-found')[0]?.delayMs).toBeLessThan(foundAfterMs + 2_500);
  const verdicts = told('verdict-changed').map(({ verdict }) => verdict);
  expect(verdicts.at(0)).toBe('healthy');
  expect(verdicts.slice(-2)).toEqual(['suspect', 'zombie']);
  expect(told('verdict-changed').map(({ was }) => was)).toEqual([null, ...verdicts.slice(0, -1)]);
  expect(told('probe-ended').filter(({ result }) => result === 'timeout')).toHaveLength(1);
  expect(gauges()).toMatchObject({ seats: 1, effectiveSeats: 0, usersAtLimit: 1 });

  // It comes back to life: nobody has to ask for the figure to follow.
  client.behave();
  client.sendFrame({ type: 'subscribe', sub: 2, thread: 't2' });
  await client.next('subscribed');
  await vi.waitUntil(() => count('healthy') === 1, { timeout: 1_000, interval: 10 });

  // Our own stall is told too.
  const until = performance.now() + 400;
  while (performance.now() < until);
  await vi.waitUntil(() => told('attention-lost').some(({ gapMs }) => gapMs >= 300), SOON);
});

test('a store that cannot be asked is told once when it is lost and once when it is back, and who was sent away for it was locked out', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ store });
  const { gauges } = gw.gateway.factory.telemetry;
  const told = listen(gw);
  await gw.seat('ada');
  store.fail('seats.facts');
  const client = await gw.open();
  client.sendFrame({ ...HELLO, token: await gw.token('ben') });
  await client.close();
  expect(told('lockout')).toMatchObject([{ user: 'ben', why: 'refused' }]);
  expect(told('store-lost')).toHaveLength(1);
  expect(gauges().storeFailOpen).toBe(true);
  store.heal('seats.facts');
  await vi.waitUntil(() => !gauges().storeFailOpen, SOON);
  expect(told('store-back')).toHaveLength(1);
  expect(told('store-lost')).toHaveLength(1);
  const failed = told('store-asked').filter((asked) => asked.failed);
  expect(new Set(failed.map(({ op }) => op))).toEqual(new Set(['seats.facts']));
  await gw.seat('ben');
});

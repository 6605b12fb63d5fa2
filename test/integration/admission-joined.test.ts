/** Admissions of one user that arrive together: one pass, one round of probes, the end that some order one by one would have had. */

import { expect, test } from 'vitest';
import { seatLimitsOf } from '../../src/managers/admission/seat-limits.ts';
import type { AdmissionRecord, CleanupReport } from '../../src/managers/events.ts';
import { WebSocketManagerFactory } from '../../src/managers/factory.ts';
import type { ManagerId, UserId } from '../../src/protocol/ids.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { FaultyStore } from '../support/faulty-store.ts';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';
import type { WireClient, WireFrame } from '../support/wire-client.ts';

const status = (gw: TestGateway) => gw.gateway.factory.getFactoryStatus();

async function until(what: string, holds: () => boolean, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Expected ${what} within ${withinMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What a gateway told of admissions and cleanups. */
function records(gw: TestGateway) {
  const admissions: AdmissionRecord[] = [];
  const cleanups: CleanupReport[] = [];
  gw.gateway.on('admission-ended', (record) => admissions.push(record));
  gw.gateway.on('cleanup-finished', (report) => {
    if (report.trigger === 'admission') cleanups.push(report);
  });
  return { admissions, cleanups };
}

/** Connections that are open, and say `hello` all at the same moment. */
async function together(
  gw: TestGateway,
  count: number,
  user = 'ada',
  hello: (i: number) => object = () => ({}),
): Promise<{ clients: WireClient[]; saidAt: number }> {
  const token = await gw.token(user);
  const clients = await Promise.all(Array.from({ length: count }, () => gw.open({ deadlineMs: 15_000 })));
  const saidAt = performance.now();
  for (const [i, client] of clients.entries()) client.sendFrame({ ...HELLO, token, ...hello(i) });
  return { clients, saidAt };
}

const answerOf = (client: WireClient): Promise<WireFrame> =>
  client.nextWhere('an answer', (f) => f.type === 'ready' || f.type === 'queued' || (f.type === 'bye' && typeof f.retryAfterMs === 'number'));
const probesOf = (client: WireClient): number => client.frames.filter((f) => f.type === 'probe').length;

/** Seven of ten seats, held by peers that answer no probe; their evidence is old, and nothing else asks them. */
const OLD = { limits: { perUser: 10, burst: { perUser: 10 } }, health: { freshMs: 300, heartbeatMs: 60_000, clientTimeoutMs: 120_000 } };
async function sevenSilent(gw: TestGateway): Promise<WireClient[]> {
  const silent = await Promise.all(Array.from({ length: 7 }, async () => (await gw.seat('ada')).client));
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(silent.map(probesOf)).toEqual(Array(7).fill(0));
  return silent;
}

test('nine at once: three seats, then one round of probes for all the others, and each has an answer after it', async () => {
  await using gw = await startGateway(OLD);
  const { admissions, cleanups } = records(gw);
  const silent = await sevenSilent(gw);
  const { clients, saidAt } = await together(gw, 9);
  const answers = await Promise.all(clients.map(answerOf));
  const tookMs = performance.now() - saidAt;
  expect(answers.map((f) => f.type).sort()).toEqual([...Array(6).fill('queued'), ...Array(3).fill('ready')]);
  // One round takes 200 ms; six of them would take 1.2 s.
  expect(tookMs).toBeLessThan(700);
  expect(silent.map(probesOf)).toEqual(Array(7).fill(1));
  expect(answers.filter((f) => f.type === 'queued').map((f) => f.position)).toEqual([1, 2, 3, 4, 5, 6]);

  await until('the record of the pass', () => cleanups.length > 0);
  expect(cleanups).toHaveLength(1);
  expect(cleanups[0]).toMatchObject({ trigger: 'admission', victims: [], result: 'short' });
  expect(new Set(cleanups[0]?.admissions).size).toBe(6);
  expect(admissions.slice(7).map((r) => r.outcome)).toEqual(['direct', 'direct', 'direct']);
});

test('who arrives while the probes of others are out joins them: asks nobody again, and is answered with them', async () => {
  await using gw = await startGateway({ ...OLD, limits: { perUser: 7, burst: { perUser: 7 } } });
  const silent = await sevenSilent(gw);
  const { clients: early } = await together(gw, 1);
  await until('the probes to be out', () => silent.every((client) => probesOf(client) === 1));
  const { clients: late, saidAt } = await together(gw, 3);
  await Promise.all([...early, ...late].map(answerOf));
  expect(performance.now() - saidAt).toBeLessThan(400);
  expect(silent.map(probesOf)).toEqual(Array(7).fill(1));
});

test('exactly as many of those that lost their transport a moment ago go as are needed, the longest lost first, in one record', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ store, limits: { perUser: 6, burst: { perUser: 6 } }, cleanup: { proactive: false } });
  const { admissions, cleanups } = records(gw);
  const lost: ManagerId[] = [];
  for (let i = 0; i < 6; i++) {
    const { client, ready } = await gw.seat('ada');
    lost.push(ready.manager);
    client.cut();
    await until('it to be without transport', () => status(gw).sockets === 0);
  }
  // All four are there before the first is looked at.
  const held = store.hold('seats.facts');
  const { clients } = await together(gw, 4);
  await Promise.all(clients.map((client) => client.next('welcome')));
  await until('four sockets', () => status(gw).sockets === 4);
  held.release();
  for (const answer of await Promise.all(clients.map(answerOf))) expect(answer.type).toBe('ready');
  await until('the records', () => cleanups.length > 0 && admissions.length === 10);
  expect(cleanups).toHaveLength(1);
  expect(cleanups[0]?.victims.map((v) => v.managerId).toSorted()).toEqual(lost.slice(0, 4).toSorted());
  expect(cleanups[0]).toMatchObject({ result: 'enough', before: 6, after: 2, levels: [{ level: 'conservative', examined: 6, freed: 4, result: 'enough' }] });
  expect(new Set(cleanups[0]?.admissions)).toEqual(new Set(admissions.slice(6).map((r) => r.managerId)));
  for (const record of admissions.slice(6))
    expect(record).toMatchObject({ outcome: 'after-cleanup', levels: [{ level: 'conservative', result: 'enough', freed: 4 }] });
  expect(status(gw)).toMatchObject({ seats: 6, sockets: 4 });
});

test('a user whose probes are out keeps nobody else waiting', async () => {
  await using gw = await startGateway({ ...OLD, limits: { perUser: 7, burst: { perUser: 7 } } });
  const silent = await sevenSilent(gw);
  const { clients } = await together(gw, 5);
  await until('the probes to be out', () => silent.every((client) => probesOf(client) === 1));
  const startedAt = performance.now();
  await gw.seat('bob');
  expect(performance.now() - startedAt).toBeLessThan(150);
  expect(clients.some((client) => client.frames.some((f) => f.type === 'queued'))).toBe(false);
  await Promise.all(clients.map(answerOf));
});

test('who leaves while probes are out for it costs nobody a seat, takes no place, and is recorded once', async () => {
  await using gw = await startGateway({ ...OLD, limits: { perUser: 7, burst: { perUser: 9 } } });
  const { admissions } = records(gw);
  const silent = await sevenSilent(gw);
  admissions.length = 0;
  const { clients } = await together(gw, 2);
  await until('the probes to be out', () => silent.every((client) => probesOf(client) === 1));
  clients[0]?.cut();
  expect((await answerOf(clients[1] as WireClient)).type).toBe('ready');
  await until('both to have ended', () => admissions.length === 2);
  expect(admissions.map((r) => r.outcome).toSorted()).toEqual(['abandoned', 'burst']);
  expect(status(gw)).toMatchObject({ seats: 8, queued: 0 });
});

test('who leaves in the very moment in which it is seated is recorded once, and holds no seat', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ store, limits: { perUser: 1, burst: { perUser: 1 } }, queue: { waitMs: 5_000 } });
  const { admissions } = records(gw);
  const { client: first } = await gw.seat('ada');
  const waiting = await gw.open();
  waiting.sendFrame({ ...HELLO, token: await gw.token('ada') });
  await waiting.next('queued');
  const held = store.hold('seats.admit');
  first.sendFrame({ type: 'bye', reason: 'left' });
  await held.reached;
  waiting.cut();
  await until('its socket to be gone', () => status(gw).sockets === 0);
  held.release();
  await until('nothing to be left', () => status(gw).queued === 0 && status(gw).seats === 0 && admissions.length > 1);
  const { ready } = await gw.seat('ada');
  expect(ready.limits).toMatchObject({ used: 1, queued: 0 });
  expect(admissions.map((r) => r.outcome)).toEqual(['direct', 'abandoned', 'direct']);
});

test('a place that is given back has an outcome: come back when you like', async () => {
  const store = memoryStore();
  await using factory = new WebSocketManagerFactory({ store, limits: { perUser: 1, burst: { perUser: 1 } } });
  const user = { userId: 'ada' as UserId, tier: 'free', requestId: 'r', websocketClientId: 'c' };
  const leaving = new AbortController();
  leaving.abort();
  expect(await factory.createManager(user, { signal: leaving.signal })).toMatchObject({ kind: 'retry', retryAfterMs: 0 });
  const first = await factory.createManager(user);
  if (first.kind !== 'seated') throw new Error('Expected a seat.');
  // Another node: to it that seat is nobody's whom it could free.
  await using other = new WebSocketManagerFactory({ store, limits: { perUser: 1, burst: { perUser: 1 } } });
  const queued = await other.createManager(user, { intent: 'auto' });
  if (queued.kind !== 'queued') throw new Error(`Expected a place, got ${queued.kind}.`);
  expect(other.queue()).toMatchObject([{ user: 'ada', at: 'queue', class: 'auto', position: 1 }]);
  queued.cancel();
  expect(await queued.outcome).toMatchObject({ kind: 'retry', retryAfterMs: 0, promise: null });
  expect(other.queue()).toEqual([]);
  expect((await store.seats.facts(user.userId, seatLimitsOf(other.options))).tickets).toEqual([]);
});

test('Force whose answer was lost is repeated: one gives way, the one that was named', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ store, limits: { perUser: 2, burst: { perUser: 2 }, overflowPolicy: 'force-first' } });
  const { cleanups } = records(gw);
  const seats = [await gw.seat('ada'), await gw.seat('ada')];
  for (const { client } of seats) {
    client.sendFrame({ type: 'check', n: 1 });
    await client.next('check-ok');
  }
  store.loseAnswers('seats.replace');
  const { ready } = await gw.seat('ada');
  expect(ready.limits).toMatchObject({ used: 2 });
  await until('one to be told', () => seats.some(({ client }) => client.frames.some((f) => f.type === 'bye')));
  const told = seats.filter(({ client }) => client.frames.some((f) => f.type === 'bye'));
  expect(told).toHaveLength(1);
  await until('its record', () => cleanups.length > 0);
  expect(cleanups.flatMap((r) => r.victims.map((v) => v.managerId))).toEqual([told[0]?.ready.manager]);
  expect(status(gw)).toMatchObject({ seats: 2 });
});

test('a store that fails five times in a row while admissions are under way: everybody is seated all the same', async () => {
  for (const call of ['seats.facts', 'seats.admit', 'seats.evict'] as const) {
    const store = new FaultyStore();
    await using gw = await startGateway({ store, limits: { perUser: 3 } });
    const { client } = await gw.seat('ada');
    client.cut();
    await until('it to be without transport', () => status(gw).sockets === 0);
    store.fail(call, 5);
    const { clients, saidAt } = await together(gw, 3);
    const answers = await Promise.all(clients.map(answerOf));
    expect(answers.map((f) => f.type)).toEqual(Array(3).fill('ready'));
    expect(performance.now() - saidAt).toBeLessThan(1_000);
  }
});

test('whoever waits looks again and again, and writes no record of it', async () => {
  await using gw = await startGateway({ limits: { perUser: 2, burst: { perUser: 2 } }, queue: { waitMs: 8_000 } });
  const { cleanups } = records(gw);
  const seats = [await gw.seat('ada'), await gw.seat('ada')];
  const waiting = await gw.open();
  waiting.sendFrame({ ...HELLO, token: await gw.token('ada') });
  await waiting.next('queued');
  await until('the record of its arrival', () => cleanups.length === 1);
  // Each of these is a change that brings it another look.
  for (let i = 0; i < 10; i++) {
    const other = await gw.open();
    other.sendFrame({ ...HELLO, intent: 'auto', token: await gw.token('ada') });
    await other.next('queued');
    other.cut();
    await waiting.nextWhere('it to be gone', (f) => f.type === 'queued' && f.of === 1);
  }
  expect(cleanups.length).toBe(11);
  expect(cleanups.every((r) => r.admissions.length === 1)).toBe(true);
  seats[0]?.client.cut();
  await waiting.next('ready');
  await until('the record of what it freed', () => cleanups.length === 12);
  expect(cleanups.at(-1)).toMatchObject({ result: 'enough', victims: [{ level: 'conservative' }] });
});

test('ETA follows the seats that became free of late, and is never beyond the deadline', async () => {
  await using gw = await startGateway({ limits: { perUser: 4, burst: { perUser: 4 } }, queue: { waitMs: 8_000 } });
  const seats = await Promise.all(Array.from({ length: 4 }, () => gw.seat('ada')));
  const knock = async (): Promise<WireClient> => {
    const client = await gw.open();
    client.sendFrame({ ...HELLO, token: await gw.token('ada') });
    return client;
  };
  const first = await knock();
  const told = await first.next('queued');
  // Nothing is known yet.
  expect(told.etaMs).toBe(told.deadlineMs);
  const clients = [await knock(), await knock()];
  for (const client of clients) await client.next('queued');
  for (const { client } of seats.slice(0, 2)) {
    client.sendFrame({ type: 'bye', reason: 'left' });
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  const last = await clients[1]?.nextWhere('the first place', (f) => f.type === 'queued' && f.position === 1);
  expect(last?.etaMs).toBeGreaterThan(100);
  expect(last?.etaMs).toBeLessThan(3_000);
});

test('any mix of arrivals, goodbyes and cuts at once: seats never exceed the limit, one record each, registry and store agree', {
  timeout: 120_000,
}, async () => {
  await using gw = await startGateway({
    limits: { perUser: 4, burst: { perUser: 5 } },
    queue: { waitMs: 600, places: 3, promiseMs: 500 },
    cleanup: { passMs: 300 },
    resume: { windowMs: 1_000 },
    rate: { upgradesPer10s: 5_000 },
  });
  const { admissions } = records(gw);
  let most = 0;
  const sampler = setInterval(() => {
    most = Math.max(most, gw.gateway.factory.list('ada' as never).length);
  }, 1);
  let seed = 20_260_101;
  const draw = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  let asked = 0;
  for (let round = 0; round < 12; round++) {
    const count = 3 + draw(8);
    asked += count;
    const { clients } = await together(gw, count, 'ada', (i) => ({
      intent: draw(4) === 0 ? 'auto' : 'user',
      client: { name: 'test', version: '1', label: `${round}-${i}` },
    }));
    await Promise.all(
      clients.map(async (client) => {
        const dice = draw(5);
        // Some go before they have an answer, some with their answer, some later.
        // Whoever is gone before its hello was read has asked for nothing: an admission begins with `welcome`.
        await Promise.race([dice > 0 ? answerOf(client) : client.next('welcome'), client.closed]).catch(() => {});
        if (dice > 2) await new Promise((resolve) => setTimeout(resolve, draw(300)));
        if (dice === 2 && client.isOpen) client.sendFrame({ type: 'bye', reason: 'left' });
        else if (dice < 4) client.cut();
      }),
    );
  }
  await until('every admission to have ended', () => admissions.length === asked, 10_000);
  await until('nobody to wait', () => status(gw).queued === 0);
  clearInterval(sampler);
  expect(most).toBeLessThanOrEqual(5);
  expect((await gw.gateway.factory.checkConsistency()).differences).toEqual([]);
});

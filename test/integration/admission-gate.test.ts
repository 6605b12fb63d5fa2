/** A full node: the dead of anybody go first, then the reserve, then the gate. Nobody living is taken for another user. */

import { expect, test } from 'vitest';
import type { AdmissionRecord, CleanupReport } from '../../src/managers/events.ts';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';
import { UpgradeRefused, type WireClient, type WireFrame } from '../support/wire-client.ts';

const status = (gw: TestGateway) => gw.gateway.factory.getFactoryStatus();

async function until(what: string, holds: () => boolean, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Expected ${what} within ${withinMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Says `hello` for a user of a tier, and nothing else. */
async function knock(gw: TestGateway, user: string, hello: object = {}, tier = 'free'): Promise<WireClient> {
  const client = (await gw.open({ deadlineMs: 15_000 })).behave();
  client.sendFrame({ ...HELLO, token: await gw.token(user, { tier }), ...hello });
  await client.next('welcome');
  return client;
}

async function seated(gw: TestGateway, user: string, tier = 'free'): Promise<WireClient> {
  const client = await knock(gw, user, {}, tier);
  await client.next('ready');
  return client;
}

const fill = (gw: TestGateway, count: number): Promise<WireClient[]> => Promise.all(Array.from({ length: count }, (_, i) => seated(gw, `holder-${i}`)));
const placed = (client: WireClient, position: number, of: number): Promise<WireFrame> =>
  client.nextWhere(`place ${position} of ${of}`, (f) => f.type === 'queued' && f.position === position && f.of === of);
const wasTold = (client: WireClient, type: string): boolean => client.frames.some((f) => f.type === type);

test('somebody new at a full node waits at the gate, and has the next seat that becomes free within 200 ms', async () => {
  await using gw = await startGateway({ limits: { perNode: 3 }, queue: { waitMs: 8_000 } });
  const holders = await fill(gw, 3);
  const first = await knock(gw, 'new-1');
  const place = await first.next('queued');
  expect(place).toMatchObject({ position: 1, of: 1 });
  expect(place.deadlineMs).toBeLessThanOrEqual(8_000);
  expect(place.etaMs).toBeLessThanOrEqual(place.deadlineMs);
  const second = await knock(gw, 'new-2');
  await placed(second, 2, 2);
  await placed(first, 1, 2);
  expect(gw.gateway.factory.queue().map((t) => [t.user, t.at, t.position])).toEqual([
    ['new-1', 'gate', 1],
    ['new-2', 'gate', 2],
  ]);
  expect(status(gw)).toMatchObject({ seats: 3, queued: 2 });

  const freedAt = performance.now();
  holders[0]?.sendFrame({ type: 'bye', reason: 'left' });
  await first.next('ready');
  expect(performance.now() - freedAt).toBeLessThan(200);
  await placed(second, 1, 1);
  expect(wasTold(second, 'ready')).toBe(false);
  expect(status(gw)).toMatchObject({ seats: 3, queued: 1 });
  for (const holder of holders.slice(1)) expect(holder.isOpen).toBe(true);
});

test('the dead of any user are freed for somebody new, and nobody has to wait', async () => {
  await using gw = await startGateway({ limits: { perNode: 4 }, cleanup: { proactive: false } });
  const reports: CleanupReport[] = [];
  const records: AdmissionRecord[] = [];
  gw.gateway.on('cleanup-finished', (report) => reports.push(report));
  gw.gateway.on('admission-ended', (record) => records.push(record));
  const holders = await fill(gw, 4);
  holders[1]?.cut();
  holders[2]?.cut();
  await until('two to be without transport', () => status(gw).sockets === 2);
  const startedAt = performance.now();
  const [a, b] = await Promise.all([seated(gw, 'new-a'), seated(gw, 'new-b')]);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  expect([wasTold(a, 'queued'), wasTold(b, 'queued')]).toEqual([false, false]);
  expect(status(gw)).toMatchObject({ seats: 4, sockets: 4 });
  expect(holders[0]?.isOpen && holders[3]?.isOpen).toBe(true);
  expect(reports.flatMap((r) => r.victims)).toHaveLength(2);
  expect(new Set(reports.map((r) => r.user as string))).toEqual(new Set(['holder-1', 'holder-2']));
  for (const report of reports) expect(report).toMatchObject({ trigger: 'admission', result: 'enough' });
});

test('a protected tier uses the reserve once nobody is dead; a person of tier free waits', async () => {
  await using gw = await startGateway({ limits: { perNode: 4 }, cleanup: { proactive: false } });
  const holders = await fill(gw, 4);
  holders[0]?.cut();
  await until('one to be without transport', () => status(gw).sockets === 3);
  const three = await Promise.all([1, 2, 3].map((i) => seated(gw, `customer-${i}`, 'enterprise')));
  // One dead, two of the reserve.
  expect(status(gw)).toMatchObject({ seats: 6, sockets: 6 });
  expect(three.some((client) => wasTold(client, 'queued'))).toBe(false);
  const free = await knock(gw, 'somebody');
  expect(await free.next('queued')).toMatchObject({ position: 1, of: 1 });
  const fourth = await knock(gw, 'customer-4', {}, 'enterprise');
  await placed(fourth, 1, 2);
  for (const client of [...holders.slice(1), ...three]) expect(client.isOpen).toBe(true);
});

test('what the reserve gave while others waited is refilled from the gate', async () => {
  await using gw = await startGateway({ limits: { perNode: 3 }, queue: { waitMs: 8_000 } });
  const holders = await fill(gw, 3);
  const free = await knock(gw, 'somebody');
  await placed(free, 1, 1);
  await seated(gw, 'customer', 'enterprise');
  expect(status(gw)).toMatchObject({ seats: 4, queued: 1 });
  holders[0]?.sendFrame({ type: 'bye', reason: 'left' });
  await free.next('ready');
  expect(status(gw)).toMatchObject({ seats: 4, queued: 0 });
});

test('seats that become free are shared by weight, above the limit too, and the reserve refills when nobody waits', { timeout: 60_000 }, async () => {
  await using gw = await startGateway({ limits: { perNode: 20, reserveShare: 0.1 }, queue: { waitMs: 20_000 }, rate: { upgradesPer10s: 5_000 } });
  const holders = await fill(gw, 20);
  const reserve = await Promise.all([1, 2].map((i) => seated(gw, `reserve-${i}`, 'enterprise')));
  expect(status(gw).seats).toBe(22);
  const waiting: { readonly name: string; readonly client: WireClient }[] = [];
  for (let i = 0; i < 10; i++)
    for (const tier of ['free', 'enterprise']) {
      const client = await knock(gw, `${tier}-${i}`, {}, tier);
      await client.next('queued');
      waiting.push({ name: `${tier}-${i}`, client });
    }
  const served: string[] = [];
  for (let i = 0; i < 9; i++) {
    holders[i]?.sendFrame({ type: 'bye', reason: 'left' });
    const isNew = ({ name, client }: (typeof waiting)[number]): boolean => wasTold(client, 'ready') && !served.includes(name);
    await until('the next to be seated', () => waiting.some(isNew), 1_000);
    served.push(...waiting.filter(isNew).map(({ name }) => name));
    expect(status(gw).seats).toBe(22);
  }
  // Eight to one by weight; inside a tier one after the other.
  const ofTier = (tier: string): string[] => served.filter((name) => name.startsWith(tier));
  expect(ofTier('enterprise')).toEqual(Array.from({ length: 8 }, (_, i) => `enterprise-${i}`));
  expect(ofTier('free')).toEqual(['free-0']);

  // Everybody else gives up: the reserve is refilled, nobody is let in above the limit any more.
  for (const { client } of waiting) if (!wasTold(client, 'ready')) client.cut();
  await until('nobody to wait', () => status(gw).queued === 0);
  for (const client of reserve) client.sendFrame({ type: 'bye', reason: 'left' });
  await until('the reserve to be empty', () => status(gw).seats === 20);
  for (const [i, user] of ['late', 'later'].entries()) await placed(await knock(gw, user), i + 1, i + 1);
  expect(status(gw)).toMatchObject({ seats: 20, queued: 2 });
});

test('at the deadline a person who holds a seat here gets one of their own; others are told a time, and nobody is taken for them', async () => {
  await using gw = await startGateway({ limits: { perNode: 3 }, queue: { waitMs: 1_000 } });
  const holders = await fill(gw, 3);
  const outcomes: (readonly [string, string])[] = [];
  gw.gateway.on('admission-ended', (r) => outcomes.push([r.user, r.reason ?? r.outcome]));
  const stranger = await knock(gw, 'stranger');
  await stranger.next('queued');
  const owner = await knock(gw, 'holder-1', { client: { name: 'test', version: '1', label: 'Phone' } });
  const robot = await knock(gw, 'holder-2', { intent: 'auto' });
  const askedAt = performance.now();
  await owner.next('ready');
  expect(performance.now() - askedAt).toBeLessThan(1_500);
  expect(await holders[1]?.next('bye')).toMatchObject({ reason: 'lowest-value', return: 'user' });
  for (const client of [stranger, robot]) {
    const bye = await client.next('bye');
    expect(bye).toMatchObject({ reason: 'node-overloaded', return: 'after' });
    expect(bye.code).toBeGreaterThanOrEqual(4100);
    expect(bye.code).toBeLessThan(4200);
    expect(bye.retryAfterMs).toBeGreaterThanOrEqual(1_000);
  }
  expect(holders[0]?.isOpen && holders[2]?.isOpen).toBe(true);
  expect(new Map(outcomes)).toEqual(
    new Map([
      ['holder-1', 'force'],
      ['stranger', 'node-overloaded'],
      ['holder-2', 'node-overloaded'],
    ]),
  );
  expect(status(gw)).toMatchObject({ seats: 3, queued: 0 });
});

test('who goes away gives the place back, and those behind move up', async () => {
  await using gw = await startGateway({ limits: { perNode: 2 }, queue: { waitMs: 8_000 } });
  const holders = await fill(gw, 2);
  const [a, b, c] = [await knock(gw, 'a'), await knock(gw, 'b'), await knock(gw, 'c')] as const;
  await placed(c, 3, 3);
  const records: AdmissionRecord[] = [];
  gw.gateway.on('admission-ended', (r) => records.push(r));
  a.cut();
  await placed(c, 2, 2);
  b.sendFrame({ type: 'bye', reason: 'left' });
  expect((await b.close()).code).toBe(1000);
  await placed(c, 1, 1);
  holders[0]?.sendFrame({ type: 'bye', reason: 'left' });
  await c.next('ready');
  expect(records.map((r) => [r.user, r.outcome])).toEqual([
    ['a', 'abandoned'],
    ['b', 'abandoned'],
    ['c', 'after-queue'],
  ]);
});

test('a full gate: a person is told a time after the upgrade, an automatic redial before it', async () => {
  await using gw = await startGateway({ limits: { perNode: 2 }, queue: { waitMs: 8_000, gatePlaces: 2 } });
  await fill(gw, 2);
  // A place is left: a redial is heard.
  const redial = await gw.open({ query: '?intent=auto' });
  await redial[Symbol.asyncDispose]();
  for (const user of ['a', 'b']) await (await knock(gw, user)).next('queued');
  const person = await knock(gw, 'c');
  const bye = await person.next('bye');
  expect(bye).toMatchObject({ reason: 'node-overloaded', return: 'after' });
  expect(bye.retryAfterMs).toBeGreaterThanOrEqual(1_000);
  const refused = await gw.open({ query: '?intent=auto' }).catch((error: unknown) => error);
  if (!(refused instanceof UpgradeRefused)) throw new Error('Expected the upgrade to be refused.');
  expect(refused.status).toBe(503);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(JSON.parse(refused.body)).toMatchObject({ code: 'node-overloaded', retryable: true });
});

test('a person frees one of their own sessions at a full node: the seat is theirs, whoever waits longer at the gate', async () => {
  await using gw = await startGateway({ limits: { perNode: 3 }, queue: { waitMs: 8_000 } });
  const holders = await fill(gw, 2);
  const { ready } = await gw.seat('ada');
  const stranger = await knock(gw, 'stranger');
  await placed(stranger, 1, 1);
  const own = await knock(gw, 'ada');
  await placed(own, 2, 2);
  const freed = await gw.request('DELETE', `/v1/me/sessions/${ready.manager}`, { user: 'ada' });
  expect(freed.status).toBe(200);
  await own.next('ready');
  expect(wasTold(stranger, 'ready')).toBe(false);
  expect(wasTold(stranger, 'bye')).toBe(false);
  expect(status(gw)).toMatchObject({ seats: 3, queued: 1 });
  holders[0]?.sendFrame({ type: 'bye', reason: 'left' });
  await stranger.next('ready');
});

test('a turn at the gate for a user who is at the own limit: own queue, own Force, and the seat of the node goes to the next', async () => {
  await using gw = await startGateway({ limits: { perNode: 3, perUser: 1, burst: { perUser: 1 } }, queue: { waitMs: 1_500 } });
  const holders = await fill(gw, 3);
  const again = await knock(gw, 'holder-0');
  await placed(again, 1, 1);
  const stranger = await knock(gw, 'stranger');
  await placed(stranger, 2, 2);
  holders[2]?.sendFrame({ type: 'bye', reason: 'left' });
  const startedAt = performance.now();
  await stranger.next('ready');
  expect(performance.now() - startedAt).toBeLessThan(500);
  await again.next('ready');
  // The wait at the gate counts.
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  expect(await holders[0]?.next('bye')).toMatchObject({ reason: 'lowest-value' });
  expect(holders[1]?.isOpen && stranger.isOpen).toBe(true);
  expect(status(gw)).toMatchObject({ seats: 3, queued: 0 });
});

test('many users at once take the last seats of a node: never more seats than there are, and everybody has an answer', { timeout: 60_000 }, async () => {
  await using gw = await startGateway({ limits: { perNode: 10 }, queue: { waitMs: 1_000 }, rate: { upgradesPer10s: 5_000 } });
  let most = 0;
  const sampler = setInterval(() => {
    most = Math.max(most, status(gw).seats);
  }, 1);
  const clients = await Promise.all(Array.from({ length: 60 }, (_, i) => knock(gw, `user-${i}`)));
  const ends = await Promise.all(clients.map((client) => client.nextWhere('an end', (f) => f.type === 'ready' || f.type === 'bye')));
  clearInterval(sampler);
  expect(ends.filter((f) => f.type === 'ready')).toHaveLength(10);
  for (const f of ends) if (f.type === 'bye') expect(f).toMatchObject({ reason: 'node-overloaded' });
  expect(most).toBe(10);
  await until('the sockets of the others to be gone', () => status(gw).sockets === 10);
  expect(status(gw)).toMatchObject({ seats: 10, queued: 0 });
});

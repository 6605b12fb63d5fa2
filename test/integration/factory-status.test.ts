/** Figures are changed at the state change itself, and agree with what the clients saw. */

import { expect, test, vi } from 'vitest';
import { attentive } from '../../src/core/clocks.ts';
import type { CleanupReport, FactoryEvents } from '../../src/managers/events.ts';
import type { LogRecord } from '../../src/ports/telemetry.ts';
import type { ManagerId, UserId } from '../../src/protocol/ids.ts';
import { FaultyStore } from '../support/faulty-store.ts';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';

const SLOW = 10_000;
const ADA = 'ada' as UserId;
const status = (gw: TestGateway) => gw.gateway.factory.getFactoryStatus();
const recordsOf = (gw: TestGateway): CleanupReport[] => {
  const records: CleanupReport[] = [];
  gw.gateway.on('cleanup-finished', (report) => records.push(report));
  return records;
};
const endsOf = (gw: TestGateway): FactoryEvents['manager-ended'][] => {
  const ends: FactoryEvents['manager-ended'][] = [];
  gw.gateway.on('manager-ended', (end) => ends.push(end));
  return ends;
};
const gone = (gw: TestGateway, id: string) => vi.waitUntil(() => gw.gateway.factory.find(id as ManagerId)?.attachment == null, SLOW);

/** What the records say must be what the counters say. */
function expectAgreement(gw: TestGateway, records: readonly CleanupReport[]): void {
  const s = status(gw);
  for (const level of ['conservative', 'moderate', 'aggressive', 'force'] as const) {
    const runs = records.flatMap((r) => r.levels).filter((l) => l.level === level);
    expect({ level, passes: s.cleanupPasses[level], freed: s.freed[level] }).toEqual({
      level,
      passes: runs.length,
      freed: runs.reduce((sum, l) => sum + l.freed, 0),
    });
  }
  expect(s.evicted).toBe(records.reduce((sum, r) => sum + r.victims.length, 0));
  expect(s.emergencyCleanups).toBe(records.filter((r) => r.trigger === 'admission').length);
}

test('an empty factory has zeroes everywhere, and its limits', async () => {
  await using gw = await startGateway();
  const none = { conservative: 0, moderate: 0, aggressive: 0, force: 0 };
  expect(status(gw)).toEqual({
    limits: { perUser: 20, burst: 25, perNode: 20_000 },
    users: 0,
    usersAtLimit: 0,
    seats: 0,
    effective: 0,
    sockets: 0,
    quarantined: 0,
    managersByVerdict: { healthy: 0, idle: 0, suspect: 0, zombie: 0, inactive: 0, unknown: 0 },
    burst: { active: 0, debt: 0 },
    queued: 0,
    created: 0,
    storeFailOpen: false,
    cleanupPasses: none,
    freed: none,
    emergencyCleanups: 0,
    failedCleanups: 0,
    zombiesDetected: 0,
    evicted: 0,
    regrets: 0,
    lastCleanup: null,
    cleanupHeartbeat: null,
  });
});

test('seats, sockets and verdicts: a lost connection leaves a seat that is not effective and no socket', async () => {
  await using gw = await startGateway({ limits: { perUser: 3, burst: { perUser: 3 } }, cleanup: { proactive: false } });
  const [first] = await Promise.all([gw.seat('ada'), gw.seat('ada'), gw.seat('ada'), gw.seat('ben')]);
  expect(status(gw)).toMatchObject({ users: 2, usersAtLimit: 1, seats: 4, effective: 4, sockets: 4, created: 4, managersByVerdict: { healthy: 4 } });
  first.client.cut();
  await gone(gw, first.ready.manager);
  expect(status(gw)).toMatchObject({ seats: 4, effective: 3, sockets: 3, managersByVerdict: { healthy: 3, inactive: 1 } });
});

test('an admission that needs a cleanup: the record, the counters, the log and what the newcomer is told are one story', async () => {
  const log: LogRecord[] = [];
  await using gw = await startGateway({
    limits: { perUser: 2, burst: { perUser: 2 } },
    cleanup: { proactive: false },
    telemetry: { record: (record) => log.push(record) },
  });
  const records = recordsOf(gw);
  const ends = endsOf(gw);
  const [lost, alive] = [await gw.seat('ada'), await gw.seat('ada')];
  lost.client.cut();
  await gone(gw, lost.ready.manager);
  const { client } = await gw.seat('ada');
  expect(await client.next('notice')).toMatchObject({ kind: 'cleaned-up', data: { freed: 1 } });

  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({ user: 'ada', trigger: 'admission', before: 2, after: 1, result: 'enough' });
  expect(records[0]?.victims).toMatchObject([{ managerId: lost.ready.manager, level: 'conservative', verdict: 'inactive', reason: 'transport-lost' }]);
  expect(records[0]?.kept).toMatchObject([{ managerId: alive.ready.manager, verdict: 'healthy', because: 'functional' }]);
  expect(ends).toEqual([{ managerId: lost.ready.manager, user: 'ada', reason: 'transport-lost' }]);
  expectAgreement(gw, records);
  expect(status(gw).lastCleanup).toMatchObject({ level: 'conservative', freed: 1 });

  const line = log.find((r) => r.event === 'cleanup-finished');
  expect(line?.message).toMatch(/^Freed 1 of 2 seats at conservative in \d+ ms\. Went: 1 transport-lost\. Stayed: 1 functional\.$/);
  expect(line?.cleanup).toBe(records[0]);
  expect(gw.gateway.factory.history.cleanup(records[0]?.run ?? '')?.report).toBe(records[0]);
  const told = gw.gateway.factory.history.events({ user: ADA }).map((e) => e.type);
  expect(told.filter((type) => type === 'admission-ended')).toHaveLength(3);
  expect(told).toContain('manager-ended');
});

test('every level in turn: nobody dead, nobody idle, and at the end of the queue one gives way to one', async () => {
  await using gw = await startGateway({ limits: { perUser: 2, burst: { perUser: 2 } }, cleanup: { proactive: false }, queue: { waitMs: 300 } });
  const records = recordsOf(gw);
  const seated = [await gw.seat('ada'), await gw.seat('ada')];
  for (const { client } of seated) client.behave();
  await gw.seat('ada');
  await vi.waitUntil(() => records.some((r) => r.victims.length > 0), SLOW);
  const forced = records.filter((r) => r.victims.length > 0);
  expect(forced).toMatchObject([{ trigger: 'admission', result: 'enough', victims: [{ level: 'force', verdict: 'healthy', reason: 'lowest-value' }] }]);
  expect(new Set(records.flatMap((r) => r.levels.map((l) => l.level)))).toEqual(new Set(['conservative', 'moderate', 'aggressive', 'force']));
  expectAgreement(gw, records);
  const closed = await Promise.race(seated.map(async ({ client, ready }) => ({ manager: ready.manager, code: (await client.close()).code })));
  expect(closed).toEqual({ manager: forced[0]?.victims[0]?.managerId, code: 4201 });
});

test('a person frees one, an operator another: each is one record, and its client hears the words', async () => {
  await using gw = await startGateway();
  const records = recordsOf(gw);
  const ends = endsOf(gw);
  const seated = [await gw.seat('ada'), await gw.seat('ada'), await gw.seat('ada')];
  const [one, two] = seated.map(({ ready }) => ready.manager as ManagerId) as [ManagerId, ManagerId];
  expect(await gw.gateway.factory.evict(one, { reason: 'user-freed', by: 'phone' })).toBe(true);
  expect(await gw.gateway.factory.evict(two, { reason: 'admin-evicted', by: null, detail: 'spring cleaning' })).toBe(true);
  expect(await gw.gateway.factory.evict(two, { reason: 'admin-evicted', by: null })).toBe(false);
  expect((await seated[0]?.client.close())?.code).toBe(4203);
  expect(await seated[1]?.client.next('bye')).toMatchObject({ code: 4204, text: expect.stringContaining('spring cleaning') });

  expect(records).toMatchObject([
    { trigger: 'user', before: 3, after: 2, result: 'enough', victims: [{ managerId: one, level: 'force', reason: 'user-freed', verdict: 'healthy' }] },
    { trigger: 'operator', before: 2, after: 1, result: 'enough', victims: [{ managerId: two, level: 'force', reason: 'admin-evicted' }] },
  ]);
  expect(ends.map(({ managerId, reason }) => [managerId, reason])).toEqual([
    [one, 'user-freed'],
    [two, 'admin-evicted'],
  ]);
  expectAgreement(gw, records);
});

test('a seat that cannot be freed is a failed cleanup: counted, recorded, and its holder keeps it', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ store });
  const records = recordsOf(gw);
  const { ready } = await gw.seat('ada');
  store.fail('seats.evict', 2);
  await expect(gw.gateway.factory.evict(ready.manager, { reason: 'admin-evicted', by: null })).rejects.toThrow('store');
  const report = await gw.gateway.factory.cleanup(ADA, { upTo: 'force' });
  expect(report).toMatchObject({ result: 'failed', victims: [], before: 1, after: 1 });
  expect(records.map((r) => r.result)).toEqual(['failed', 'failed']);
  expect(status(gw)).toMatchObject({ failedCleanups: 2, evicted: 0, seats: 1, lastCleanup: null });
  expectAgreement(gw, records);
});

test('a zombie is counted once, when it is found, and again only after it has come back to life', async () => {
  await using gw = await startGateway({ cleanup: { proactive: false } });
  const { ready } = await gw.seat('ada');
  const manager = gw.gateway.factory.find(ready.manager);
  // Figures tell the verdict that was given last.
  const judged = () => manager?.verdict.is;
  const freeze = () => {
    const at = attentive(gw.gateway.factory.now() - 90_000);
    const probe = { askedAt: at, flushedAt: at, failed: false, bytesAhead: 0, gapMs: 0, standing: 'first' } as const;
    manager?.observe((e) => ({ ...e, seatedAt: at, ackAt: at, answerAt: at, inboundAt: at, activityAt: at, probe }));
  };
  freeze();
  expect((await gw.gateway.factory.healthCheckAllManagers()).zombie).toBe(1);
  expect((await gw.gateway.factory.healthCheckAllManagers()).zombie).toBe(1);
  expect(status(gw)).toMatchObject({ zombiesDetected: 1, effective: 0, managersByVerdict: { zombie: 1 } });
  manager?.observe((e) => ({ ...e, inboundAt: gw.gateway.factory.now(), probe: null }), true);
  expect(judged()).toBe('idle');
  expect(status(gw)).toMatchObject({ zombiesDetected: 1, managersByVerdict: { zombie: 0 } });
  freeze();
  expect(judged()).toBe('zombie');
  expect(status(gw)).toMatchObject({ zombiesDetected: 2, managersByVerdict: { zombie: 1 } });
});

test('a burst is active while seats are above the limit, debt when its time is over, and over when it is repaid', async () => {
  await using gw = await startGateway({ limits: { perUser: 1, burst: { perUser: 3, forMs: 1_000, debtMaxMs: 60_000 } } });
  const seated = [await gw.seat('ada'), await gw.seat('ada')];
  expect(status(gw).burst).toEqual({ active: 1, debt: 0 });
  await vi.waitUntil(() => status(gw).burst.debt === 1, SLOW);
  expect(status(gw).burst).toEqual({ active: 0, debt: 1 });
  seated[0]?.client.sendFrame({ type: 'bye', reason: 'left' });
  await vi.waitUntil(() => status(gw).seats === 1, SLOW);
  await vi.waitUntil(() => status(gw).burst.debt === 0, SLOW);
});

test('whoever waits is in the queue with a place and a deadline, and counted', async () => {
  await using gw = await startGateway({ limits: { perUser: 1, burst: { perUser: 1 } }, queue: { waitMs: 5_000 } });
  await gw.seat('ada');
  const waiting = [await gw.open(), await gw.open()];
  for (const client of waiting) {
    client.sendFrame({ ...HELLO, token: await gw.token('ada') });
    await client.next('queued');
  }
  expect(status(gw)).toMatchObject({ queued: 2, seats: 1, sockets: 3 });
  const queue = gw.gateway.factory.queue();
  expect(queue).toMatchObject([
    { user: 'ada', tier: 'free', at: 'queue', class: 'user', position: 1 },
    { user: 'ada', position: 2 },
  ]);
  for (const { deadlineMs } of queue) {
    expect(deadlineMs).toBeGreaterThan(0);
    expect(deadlineMs).toBeLessThanOrEqual(5_000);
  }
  expect(gw.gateway.factory.users()).toMatchObject([{ user: 'ada', tier: 'free', seats: 1, effective: 1, sockets: 3, queued: 2, verdicts: { healthy: 1 } }]);
  const user = await gw.gateway.factory.userStatus(ADA);
  expect(user).toMatchObject({ user: 'ada', tier: 'free', limit: 1, seats: 1, effective: 1, sockets: 3, quarantined: 0, burst: { in: 'none' } });
  expect(user?.queued.map((t) => t.position)).toEqual([1, 2]);
  expect(user?.managers).toHaveLength(1);
  waiting[0]?.cut();
  await vi.waitUntil(() => gw.gateway.factory.queue().length === 1, SLOW);
});

test('a health check of many: everybody is in it once, nobody is asked or ended, and an admission meanwhile does not wait for it', async () => {
  await using gw = await startGateway({ limits: { perUser: 500, burst: { perUser: 500 } } });
  const { factory } = gw.gateway;
  for (let i = 0; i < 600; i++) {
    const user = { userId: `user-${i % 3}` as UserId, tier: 'free', requestId: `r${i}`, websocketClientId: `c${i}` };
    expect((await factory.createManager(user)).kind).toBe('seated');
  }
  await gw.seat('ada');
  const checking = factory.healthCheckAllManagers();
  let isOver = false;
  void checking.then(() => {
    isOver = true;
  });
  const admitted = await factory.createManager({ userId: 'eve' as UserId, tier: 'free', requestId: 'r', websocketClientId: 'c' });
  expect([admitted.kind, isOver]).toEqual(['seated', false]);
  const report = await checking;
  expect(report.checked).toBe(601);
  expect(report.inactive).toBe(600);
  expect(report.healthy).toBe(1);
  expect(new Set(report.managers.map((m) => m.managerId)).size).toBe(601);
  expect(report.managers.find((m) => m.userId === ADA)).toMatchObject({ verdict: 'healthy', reason: 'active', evidence: expect.any(Array) });
  expect(status(gw).seats).toBe(602);
});

/** Dry runs, and their execution: what was shown is what happens, or nothing does. */

import { expect, test, vi } from 'vitest';
import { attentive } from '../../src/core/clocks.ts';
import type { Evidence } from '../../src/core/evidence.ts';
import type { CleanupReport } from '../../src/managers/events.ts';
import type { WebSocketManager } from '../../src/managers/manager.ts';
import { type Clock, systemClock } from '../../src/ports/clock.ts';
import type { ManagerId, UserId } from '../../src/protocol/ids.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const SLOW = 10_000;
const ADA = 'ada' as UserId;
const QUIET = { cleanup: { proactive: false } } as const;
const managerOf = (gw: TestGateway, id: string): WebSocketManager => gw.gateway.factory.find(id as ManagerId) as WebSocketManager;
const idsOf = (list: readonly { readonly manager: ManagerId }[]) => list.map(({ manager }) => manager);

/** As if its last sign of life were so long ago. */
function age(gw: TestGateway, id: string, ms: number, change: (e: Evidence) => Partial<Evidence> = () => ({})): void {
  const at = attentive(gw.gateway.factory.now() - ms);
  managerOf(gw, id).observe((e) => ({ ...e, seatedAt: at, ackAt: at, answerAt: at, inboundAt: at, activityAt: at, ...change(e) }));
}

/** At a limit of four: a lost one, a zombie, an idle one and a healthy one. */
async function crowd(gw: TestGateway) {
  const seated = [await gw.seat('ada'), await gw.seat('ada'), await gw.seat('ada'), await gw.seat('ada')];
  const [lost, zombie, idle, healthy] = seated.map(({ ready }) => ready.manager as ManagerId) as [ManagerId, ManagerId, ManagerId, ManagerId];
  seated[0]?.client.cut();
  await vi.waitUntil(() => managerOf(gw, lost).attachment === null, SLOW);
  const at = attentive(gw.gateway.factory.now() - 10_000);
  age(gw, zombie, 90_000, () => ({ probe: { askedAt: at, flushedAt: at, failed: false, bytesAhead: 0, gapMs: 0, standing: 'first' } }));
  age(gw, idle, 400_000, () => ({ answerAt: gw.gateway.factory.now() }));
  return { seated, lost, zombie, idle, healthy };
}
const FOUR = { limits: { perUser: 4, burst: { perUser: 4 } }, ...QUIET } as const;

test('each level after the milder ones, who would go, who would stay and why, and how many seats could be given then', async () => {
  await using gw = await startGateway(FOUR);
  const { lost, zombie, idle, healthy } = await crowd(gw);
  const plan = await gw.gateway.factory.planCleanup(ADA, { need: 3 });
  expect(plan).toMatchObject({ planId: expect.stringMatching(/^pln_[0-9a-z]{20}$/), user: 'ada', need: 3, stopsAt: 'moderate' });
  expect(plan.expiresAt - Date.now()).toBeGreaterThan(29_000);
  expect(plan.levels.map(({ level, examined, evict, freeAfter }) => ({ level, examined, evict: idsOf(evict), freeAfter }))).toEqual([
    { level: 'conservative', examined: 4, evict: [lost], freeAfter: 1 },
    { level: 'moderate', examined: 3, evict: [zombie, idle], freeAfter: 3 },
    { level: 'aggressive', examined: 1, evict: [], freeAfter: 3 },
    { level: 'force', examined: 1, evict: [], freeAfter: 3 },
  ]);
  expect(plan.levels[0]?.keep).toEqual([
    { manager: zombie, verdict: 'zombie', because: 'level-quota' },
    { manager: idle, verdict: 'idle', because: 'quiet-below-limit' },
    { manager: healthy, verdict: 'healthy', because: 'functional' },
  ]);
  expect(plan.levels[1]?.evict).toMatchObject([
    { verdict: 'zombie', reason: 'probe-timeout', evidence: expect.any(Array) },
    { verdict: 'idle', reason: 'admin-evicted' },
  ]);
});

test('nobody but healthy ones could cover the need: the plan stops nowhere by itself, and force takes them only when it is named', async () => {
  await using gw = await startGateway(FOUR);
  const { seated, lost, zombie, idle, healthy } = await crowd(gw);
  const { factory } = gw.gateway;
  const plan = await factory.planCleanup(ADA, { need: 4 });
  expect(plan.stopsAt).toBeNull();
  expect(idsOf(plan.levels[3]?.evict ?? [])).toEqual([healthy]);
  // A healthy one goes on living between plan and act, and is still the one that was agreed on.
  seated[3]?.client.sendFrame({ type: 'subscribe', sub: 1, thread: 't' });
  await seated[3]?.client.next('subscribed');
  const outcome = await factory.runPlan(plan.planId, { level: 'force', reason: 'moving house' });
  expect(outcome).toMatchObject({ is: 'done', report: { trigger: 'operator', before: 4, after: 0, result: 'enough', kept: [] } });
  expect(outcome.is === 'done' && outcome.report.victims.map((v) => [v.managerId, v.level])).toEqual([
    [lost, 'conservative'],
    [zombie, 'moderate'],
    [idle, 'moderate'],
    [healthy, 'force'],
  ]);
  expect(await seated[3]?.client.next('bye')).toMatchObject({ code: 4204, text: expect.stringContaining('moving house') });
  expect(factory.list(ADA)).toEqual([]);
});

test('by default it goes to where the plan stops: one record, told once, with everybody who stayed', async () => {
  await using gw = await startGateway(FOUR);
  const { lost, zombie, idle, healthy } = await crowd(gw);
  const { factory } = gw.gateway;
  const records: CleanupReport[] = [];
  factory.on('cleanup-finished', (report) => records.push(report));
  const plan = await factory.planCleanup(ADA, { need: 2 });
  expect(plan.stopsAt).toBe('moderate');
  const outcome = await factory.runPlan(plan.planId);
  expect(records).toHaveLength(1);
  expect(outcome).toEqual({ is: 'done', report: records[0] });
  expect(records[0]?.levels.map(({ level, examined, freed }) => ({ level, examined, freed }))).toEqual([
    { level: 'conservative', examined: 4, freed: 1 },
    { level: 'moderate', examined: 3, freed: 1 },
  ]);
  expect(records[0]?.victims.map((v) => v.managerId)).toEqual([lost, zombie]);
  expect(records[0]?.kept.map((k) => [k.managerId, k.because])).toEqual([
    [idle, 'not-needed'],
    [healthy, 'functional'],
  ]);
  // Carried out once: now those it names are gone.
  expect(await factory.runPlan(plan.planId)).toMatchObject({ is: 'stale', differences: [{ manager: lost }, { manager: zombie }] });
  expect(records).toHaveLength(1);
});

test('somebody came back to life since: nobody is evicted, and the difference is told', async () => {
  await using gw = await startGateway(FOUR);
  const { zombie, lost, idle } = await crowd(gw);
  const { factory } = gw.gateway;
  const plan = await factory.planCleanup(ADA, { need: 3 });
  managerOf(gw, zombie).observe((e) => ({ ...e, inboundAt: factory.now(), activityAt: factory.now(), probe: null }), true);
  expect(await factory.runPlan(plan.planId)).toEqual({
    is: 'stale',
    differences: [{ manager: zombie, change: 'It was zombie and is healthy now.' }],
  });
  expect(factory.list(ADA)).toHaveLength(4);
  // Milder levels do not touch it, and are as they were.
  expect(await factory.runPlan(plan.planId, { level: 'conservative' })).toMatchObject({ is: 'done', report: { victims: [{ managerId: lost }] } });
  // An idle one that answered, or was pinned, is another one than was agreed on.
  const again = await factory.planCleanup(ADA, { need: 1 });
  expect(idsOf(again.levels[1]?.evict ?? [])).toEqual([idle]);
  managerOf(gw, idle).observe((e) => ({ ...e, answerAt: factory.now() }), true);
  expect(await factory.runPlan(again.planId)).toMatchObject({ is: 'stale', differences: [{ manager: idle, change: expect.stringContaining('sign of life') }] });
  const third = await factory.planCleanup(ADA, { need: 1 });
  managerOf(gw, idle).pin();
  expect(await factory.runPlan(third.planId)).toMatchObject({ is: 'stale', differences: [{ manager: idle, change: 'It is pinned now.' }] });
  expect(factory.list(ADA)).toHaveLength(3);
});

test('whoever arrives between plan and act stays, whatever the level', async () => {
  await using gw = await startGateway({ limits: { perUser: 6, burst: { perUser: 6 } }, ...QUIET });
  await crowd(gw);
  const { factory } = gw.gateway;
  const plan = await factory.planCleanup(ADA, { need: 4 });
  const { ready } = await gw.seat('ada');
  const outcome = await factory.runPlan(plan.planId, { level: 'force' });
  expect(outcome).toMatchObject({ is: 'done', report: { before: 5, after: 1, kept: [{ managerId: ready.manager, because: 'not-needed' }] } });
  expect(factory.list(ADA).map((m) => m.id)).toEqual([ready.manager]);
});

test('a need of 0 is for the dead alone; what is no need is refused', async () => {
  await using gw = await startGateway(FOUR);
  const { lost, zombie } = await crowd(gw);
  const { factory } = gw.gateway;
  const plan = await factory.planCleanup(ADA, { need: 0 });
  expect(plan.levels.map(({ evict }) => idsOf(evict))).toEqual([[lost], [zombie], [], []]);
  expect(plan.stopsAt).toBe('conservative');
  await expect(factory.planCleanup(ADA, { need: -1 })).rejects.toMatchObject({ code: 'SPILLWAY_BAD_ARGUMENT' });
  await expect(factory.planCleanup(ADA, { need: 1.5 })).rejects.toThrow('number of seats');
  expect(await factory.planCleanup('nobody' as UserId)).toMatchObject({ levels: [{ examined: 0, evict: [], keep: [] }, {}, {}, {}], stopsAt: null });
});

test('a plan is good for half a minute, and of very many the oldest are forgotten', async () => {
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, mono: () => systemClock.mono() + aheadMs };
  await using gw = await startGateway({ ...QUIET, clock });
  await gw.seat('ada');
  const { factory } = gw.gateway;
  const first = await factory.planCleanup(ADA);
  aheadMs += 29_000;
  expect((await factory.runPlan(first.planId, { level: 'conservative' })).is).toBe('done');
  aheadMs += 1_100;
  expect(await factory.runPlan(first.planId)).toEqual({ is: 'unknown' });
  expect(await factory.runPlan('pln_00000000000000000000')).toEqual({ is: 'unknown' });
  const old = await factory.planCleanup(ADA);
  const plans = [];
  for (let i = 0; i < 1_000; i++) plans.push(await factory.planCleanup(ADA));
  expect(await factory.runPlan(old.planId, { level: 'conservative' })).toEqual({ is: 'unknown' });
  expect((await factory.runPlan(plans[0]?.planId ?? '', { level: 'conservative' })).is).toBe('done');
});

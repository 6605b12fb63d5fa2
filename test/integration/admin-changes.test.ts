import { describe, expect, test } from 'vitest';
import type { GatewayOptions } from '../../src/gateway/gateway-options.ts';
import type { LogRecord } from '../../src/ports/telemetry.ts';
import type { ManagerId } from '../../src/protocol/ids.ts';
import { CleanupDone, Evicted, FreedByOperator } from '../../src/schemas/admin-bodies.ts';
import { PastCleanup, Plan } from '../../src/schemas/admin-reports.ts';
import { type AdminGateway, expectShape, startWithAdmin } from '../support/admin.ts';
import type { Seated } from '../support/gateway.ts';
import { expectProblem } from './http-support.ts';

const idOf = ({ ready }: Seated): ManagerId => ready.manager as ManagerId;
const reason = 'asked by ada on the phone';

/** Ada at her limit of three: two tabs that work, and one that is proved dead. */
async function withOneDead(options: Partial<GatewayOptions> = {}): Promise<{ admin: AdminGateway; working: Seated[]; dead: Seated } & AsyncDisposable> {
  const admin = await startWithAdmin({ timing: 'fast', limits: { perUser: 3 }, cleanup: { proactive: false }, ...options });
  const working = [await admin.gw.seat('ada'), await admin.gw.seat('ada')];
  for (const { client } of working) client.behave();
  const dead = await admin.gw.seat('ada');
  await expect.poll(async () => (await admin.get(`managers/${idOf(dead)}`)).verdict, { timeout: 15_000, interval: 100 }).toBe('zombie');
  return { admin, working, dead, [Symbol.asyncDispose]: () => admin[Symbol.asyncDispose]() };
}

describe('freeing seats of a user', () => {
  test('takes exactly the dead with `unresponsive`, and says how many stay', async () => {
    await using at = await withOneDead();
    const answer = await at.admin.post('users/ada/free', { unresponsive: true, reason });
    expectShape(FreedByOperator, answer);
    expect(answer).toEqual({ freed: [idOf(at.dead)], kept: 2, run: null, unanswered: [] });
    expect(await at.admin.post('users/ada/free', { unresponsive: true, reason })).toMatchObject({ freed: [], kept: 2 });
  });

  test('takes as many as asked with `count`, the dead first, under one record', async () => {
    await using at = await withOneDead();
    const answer = await at.admin.post('users/ada/free', { count: 2, reason });
    expect(answer).toMatchObject({ kept: 1, run: expect.stringMatching(/^cln_/) });
    expect(answer.freed).toHaveLength(2);
    expect(answer.freed[0]).toBe(idOf(at.dead));
    const { cleanup } = await at.admin.get(`cleanup/history/${answer.run}`);
    expect(cleanup).toMatchObject({ trigger: 'operator', before: 3, after: 1, victims: [{ verdict: 'zombie' }, { reason: 'admin-evicted' }] });
  });

  test('takes the named ones, whose clients learn why; all or none', async () => {
    await using admin = await startWithAdmin();
    const [one, two, other] = [await admin.gw.seat('ada'), await admin.gw.seat('ada'), await admin.gw.seat('ben')];
    const refused = await expectProblem(await admin.ask('POST', 'users/ada/free', { managers: [idOf(one), idOf(other)], reason }), 404, 'not-found');
    expect(refused.detail).toContain(idOf(other));
    expect(await admin.get('users/ada')).toMatchObject({ seats: 2 });
    expect(await admin.post('users/ada/free', { managers: [idOf(one), idOf(two)], reason })).toMatchObject({ freed: [idOf(one), idOf(two)], kept: 0 });
    expect(await one.client.next('bye')).toMatchObject({ code: 4204, return: 'user', text: expect.stringContaining(reason) });
    await expectProblem(await admin.ask('POST', 'users/ada/free', { count: 1, reason }), 404, 'not-found');
    expect(await admin.get('users/ben')).toMatchObject({ seats: 1 });
  });

  test('spares everybody when a named one is pinned', async () => {
    await using admin = await startWithAdmin();
    const [one, two] = [await admin.gw.seat('ada'), await admin.gw.seat('ada')];
    admin.gw.gateway.factory.find(idOf(two))?.pin();
    const refused = await expectProblem(await admin.ask('POST', 'users/ada/free', { managers: [idOf(one), idOf(two)], reason }), 409, 'protected');
    expect(refused.detail).toContain(idOf(two));
    expect(refused.detail).not.toContain(idOf(one));
    expect(await admin.get('users/ada')).toMatchObject({ seats: 2 });
  });
});

describe('evicting one manager', () => {
  test('ends its client’s connection with the operator’s words, and is in the log', async () => {
    const records: LogRecord[] = [];
    await using admin = await startWithAdmin({ telemetry: { record: (record) => records.push(record) } });
    const { client, ready } = await admin.gw.seat('ada');
    const response = await admin.ask('POST', `managers/${ready.manager}/evict`, { reason });
    const answer = await response.json();
    expectShape(Evicted, answer);
    expect(answer).toEqual({ freed: [ready.manager] });
    expect(await client.next('bye')).toMatchObject({ code: 4204, reason: 'admin-evicted', text: expect.stringContaining(reason) });
    expect(records.find(({ event }) => event === 'operator-acted')).toMatchObject({
      severity: 'INFO',
      action: 'evict-manager',
      reason,
      target: ready.manager,
      freed: [ready.manager],
      request: response.headers.get('spillway-request'),
    });
    await expectProblem(await admin.ask('POST', `managers/${ready.manager}/evict`, { reason }), 404, 'not-found');
    expect(records.filter(({ event }) => event === 'operator-acted').at(-1)).toMatchObject({ severity: 'WARNING', outcome: 'refused', freed: [] });
  });

  test('spares a pinned one until that is overridden', async () => {
    await using admin = await startWithAdmin();
    const seated = await admin.gw.seat('ada');
    admin.gw.gateway.factory.find(idOf(seated))?.pin();
    const refused = await expectProblem(await admin.ask('POST', `managers/${idOf(seated)}/evict`, { reason }), 409, 'protected');
    expect(refused.detail).toContain('overrideProtection');
    expect(seated.client.isOpen).toBe(true);
    expect(await admin.post(`managers/${idOf(seated)}/evict`, { reason, overrideProtection: true })).toEqual({ freed: [idOf(seated)] });
  });
});

describe('a planned cleanup', () => {
  test('shows who would go and why the others stay, changes nothing, and then does exactly that', async () => {
    await using at = await withOneDead();
    const plan = await at.admin.post('cleanup/plan', { user: 'ada' });
    expectShape(Plan, plan);
    expect(plan).toMatchObject({ user: 'ada', need: 1, stopsAt: 'moderate' });
    const [conservative, moderate] = plan.levels;
    expect(conservative).toMatchObject({ level: 'conservative', examined: 3, evict: [] });
    expect(moderate).toMatchObject({ level: 'moderate', evict: [{ manager: idOf(at.dead), verdict: 'zombie', reason: 'probe-timeout' }], freeAfter: 1 });
    expect(moderate.keep.map(({ manager }: { manager: string }) => manager).sort()).toEqual(at.working.map(idOf).sort());
    expect(await at.admin.get('users/ada')).toMatchObject({ seats: 3 });

    const done = await at.admin.post('cleanup/run', { planId: plan.planId, level: 'moderate', reason });
    expectShape(CleanupDone, done);
    expect(done.cleanup).toMatchObject({
      trigger: 'operator',
      before: 3,
      after: 2,
      victims: [{ managerId: idOf(at.dead), level: 'moderate' }],
      result: 'enough',
    });
    expect(done.cleanup.kept).toHaveLength(2);
    expect(await at.admin.get('users/ada')).toMatchObject({ seats: 2 });
  });

  test('is refused with the differences when its evidence has changed, and evicts nobody', async () => {
    await using at = await withOneDead();
    const plan = await at.admin.post('cleanup/plan', { user: 'ada' });
    // The page thaws: it answers what it was asked.
    const asked = at.dead.client.frames.findLast(({ type }) => type === 'probe');
    at.dead.client.behave().sendFrame({ type: 'probe-ok', n: asked?.n });
    await expect.poll(async () => (await at.admin.get(`managers/${idOf(at.dead)}`)).verdict).toBe('idle');
    const refused = await expectProblem(await at.admin.ask('POST', 'cleanup/run', { planId: plan.planId, level: 'moderate', reason }), 409, 'plan-stale');
    expect(refused.differences).toMatchObject([{ manager: idOf(at.dead), change: expect.stringContaining('It was zombie and is idle now') }]);
    expect(await at.admin.get('users/ada')).toMatchObject({ seats: 3 });
  });

  test('that is unknown is not carried out', async () => {
    await using admin = await startWithAdmin();
    const refused = await expectProblem(await admin.ask('POST', 'cleanup/run', { planId: 'pln_x', level: 'force', reason }), 404, 'not-found');
    expect(refused.detail).toContain('cleanup/plan');
  });

  test('for a user who is not here has nothing to do', async () => {
    await using admin = await startWithAdmin();
    const plan = await admin.post('cleanup/plan', { user: 'nobody' });
    expect(plan.levels.every(({ examined, evict }: { examined: number; evict: unknown[] }) => examined === 0 && evict.length === 0)).toBe(true);
  });
});

describe('the history of cleanups', () => {
  test('tells of each pass who went and who stayed, newest first, page by page', async () => {
    await using admin = await startWithAdmin();
    const victims: string[] = [];
    for (const user of ['ada', 'ben', 'ada']) {
      const seated = await admin.gw.seat(user);
      victims.push(idOf(seated));
      await admin.post(`managers/${idOf(seated)}/evict`, { reason });
    }
    const told = (page: { cleanups: { cleanup: { victims: { managerId: string }[] } }[] }) => page.cleanups.map(({ cleanup }) => cleanup.victims[0]?.managerId);
    const first = await admin.get('cleanup/history?limit=2');
    expect(told(first)).toEqual([victims[2], victims[1]]);
    const second = await admin.get(`cleanup/history?limit=2&cursor=${first.nextCursor}`);
    expect(told(second)).toEqual([victims[0]]);
    expect(second.nextCursor).toBeNull();
    expect(told(await admin.get('cleanup/history?user=ada'))).toEqual([victims[2], victims[0]]);
    expect(told(await admin.get(`cleanup/history?since=${Date.now() + 60_000}`))).toEqual([]);
    const one = await admin.get(`cleanup/history/${first.cleanups[0].cleanup.run}`);
    expectShape(PastCleanup, one);
    expect(one).toEqual(first.cleanups[0]);
    await expectProblem(await admin.ask('GET', 'cleanup/history/cln_x'), 404, 'not-found');
  });

  test('and the status count alike', async () => {
    await using at = await withOneDead();
    const { ready } = await at.admin.gw.seat('ada', { client: { name: 'the fourth', version: '1' } });
    expect(ready.seat).toBe('soft');
    const status = await at.admin.get('status');
    expect(status).toMatchObject({
      seats: 3,
      emergencyCleanups: 1,
      evicted: 1,
      freed: { moderate: 1 },
      zombiesDetected: 1,
      lastCleanup: { level: 'moderate', freed: 1 },
    });
    const { cleanups } = await at.admin.get('cleanup/history?user=ada');
    expect(cleanups).toHaveLength(1);
    expect(cleanups[0].cleanup).toMatchObject({ trigger: 'admission', victims: [{ managerId: idOf(at.dead) }] });
    expect(cleanups[0].cleanup.kept).toHaveLength(2);
  });
});

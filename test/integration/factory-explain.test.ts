/** Explanations agree with what happens, and looking changes nothing. */

import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { type Attentive, attentive } from '../../src/core/clocks.ts';
import { newEvidence } from '../../src/core/evidence.ts';
import { type CleanupLevel, LEVELS } from '../../src/core/levels.ts';
import type { WebSocketManager } from '../../src/managers/manager.ts';
import type { ManagerId, UserId } from '../../src/protocol/ids.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const SLOW = 10_000;
const find = (gw: TestGateway, id: string): WebSocketManager => {
  const manager = gw.gateway.factory.find(id as ManagerId);
  if (!manager) throw new Error(`Expected ${id} to be here.`);
  return manager;
};
const publish = async (gw: TestGateway, count: number): Promise<void> => {
  const events = Array.from({ length: count }, (_, i) => ({ type: 'agent_thinking', reasoning: `step ${i}` }));
  await Promise.all(events.map((event) => gw.gateway.publish('ada' as UserId, 't' as never, event)));
};
async function follow(gw: TestGateway, isAlive: boolean) {
  const { client, ready } = await gw.seat('ada');
  if (isAlive) client.behave();
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't' });
  await client.next('subscribed');
  return { client, id: ready.manager as ManagerId };
}

test('a page that takes events and acknowledges none: the sentence names how many, for how long, and what its pongs are worth', async () => {
  await using gw = await startGateway({ timing: 'fast', cleanup: { proactive: false } });
  const { factory } = gw.gateway;
  const frozen = await follow(gw, false);
  const alive = await follow(gw, true);
  await publish(gw, 37);
  await vi.waitUntil(() => ['suspect', 'zombie'].includes(factory.explain(frozen.id)?.verdict ?? ''), SLOW);
  expect(factory.explain(frozen.id)?.text).toMatch(/^37 events unacknowledged for \d+\.\ds, probe unanswered; its socket still answers pings$/);
  expect(factory.explain(frozen.id)).toMatchObject({ connected: true, rank: { position: 1, of: 2 }, client: 'test 1.0', tier: 'free', seat: 'soft' });
  const living = factory.explain(alive.id);
  expect(living).toMatchObject({ verdict: expect.stringMatching(/healthy|idle/), rank: { position: 2, of: 2 }, goesAt: 'force' });
  expect(living?.kept.map(({ level }) => level)).toEqual(['conservative', 'moderate', 'aggressive']);
  expect(living?.text).toMatch(/(acknowledged an event|answered a probe|was heard) \d+\.\ds ago$/);
});

test('one whose connection was cut says so, and goes at the mildest level; one that never was here is null', async () => {
  await using gw = await startGateway();
  const { client, ready } = await gw.seat('ada');
  client.cut();
  await vi.waitUntil(() => !find(gw, ready.manager).attachment, SLOW);
  const lost = gw.gateway.factory.explain(ready.manager);
  expect(lost).toMatchObject({ verdict: 'inactive', reason: 'transport-lost', connected: false, goesAt: 'conservative', kept: [] });
  expect(lost?.text).toMatch(/^its connection was lost \d\.\ds ago; its client has not come back$/);
  expect(gw.gateway.factory.explain('mgr_00000000000000000000' as ManagerId)).toBeNull();
});

test('a pinned one goes at no level, and each level says why', async () => {
  await using gw = await startGateway();
  const { ready } = await gw.seat('ada');
  find(gw, ready.manager).pin();
  const explained = gw.gateway.factory.explain(ready.manager);
  expect(explained).toMatchObject({ pinned: true, goesAt: null });
  expect(explained?.kept).toEqual(LEVELS.map((level) => ({ level, because: 'pinned' })));
});

test('probe: whoever answers is explained by the answer, whoever does not when its patience is over', async () => {
  await using gw = await startGateway({ cleanup: { proactive: false } });
  const { factory } = gw.gateway;
  const alive = await follow(gw, true);
  const frozen = await follow(gw, false);
  // Evidence younger than half a second is not questioned.
  await vi.waitUntil(() => (factory.explain(frozen.id)?.evidence.find((s) => s.signal === 'E3')?.ageMs ?? 0) > 600, SLOW);
  const asked = performance.now();
  const [yes, no] = await Promise.all([factory.probe(alive.id), factory.probe(frozen.id)]);
  const tookMs = performance.now() - asked;
  const answeredMs = (e: typeof yes) => e?.evidence.find((s) => s.signal === 'E2')?.ageMs ?? Number.NaN;
  expect(answeredMs(yes)).toBeLessThan(tookMs + 50);
  expect(answeredMs(no)).toBeGreaterThan(600);
  expect(find(gw, frozen.id).evidence.probe?.flushedAt).not.toBeNull();
  expect(tookMs).toBeGreaterThan(900);
  expect(tookMs).toBeLessThan(2_500);
  expect(await factory.probe('mgr_00000000000000000000' as ManagerId)).toBeNull();
});

test('explaining and planning change nothing: evidence, versions and seats stay, and no verdict is given by looking', async () => {
  await using gw = await startGateway({ cleanup: { proactive: false } });
  const { factory } = gw.gateway;
  const seated = await Promise.all([gw.seat('ada'), gw.seat('ada'), gw.seat('ada')]);
  seated[0]?.client.cut();
  await vi.waitUntil(() => !find(gw, seated[0]?.ready.manager).attachment, SLOW);
  const managers = factory.list('ada' as UserId);
  // A zombie that nobody has looked at yet: judging it for good would raise its version.
  const zombie = managers[1] as WebSocketManager;
  const now = factory.now();
  const probe = { askedAt: attentive(now - 9_000), flushedAt: attentive(now - 9_000), failed: false, bytesAhead: 0, gapMs: 0, standing: 'first' } as const;
  zombie.observe((e) => ({ ...e, seatedAt: attentive(now - 90_000), ...lastSeen(now, 90_000), probe }));
  const all = managers.map((m) => ({ evidence: m.evidence, seat: m.seat, state: m.state }));
  const others = managers.filter((m) => m !== zombie);
  const versions = others.map((m) => m.candidate()?.version);

  const plan = await factory.planCleanup('ada' as UserId, { need: 3 });
  const explained = managers.map((m) => factory.explain(m.id)?.verdict);
  await factory.checkConsistency();

  expect(plan.levels.flatMap((l) => l.evict.map(({ verdict }) => verdict))).toEqual(['inactive', 'zombie', 'healthy']);
  expect(explained).toEqual(['inactive', 'zombie', 'healthy']);
  expect(managers.map((m) => ({ evidence: m.evidence, seat: m.seat, state: m.state }))).toEqual(all);
  expect(others.map((m) => m.candidate()?.version)).toEqual(versions);
  // It gives a sign of life before anybody has judged it: nobody ever found a zombie.
  zombie.observe((e) => ({ ...e, ...lastSeen(factory.now(), 0), probe: null }), true);
  expect(factory.getFactoryStatus()).toMatchObject({ zombiesDetected: 0, evicted: 0, seats: 3 });
});

// ---- the property

const lastSeen = (now: Attentive, agoMs: number) => {
  const at = attentive(now - agoMs);
  return { ackAt: at, answerAt: at, inboundAt: at, activityAt: at };
};

/** Ages well apart from every threshold, so that a few milliseconds between two looks change no verdict. */
const someone = fc.record({
  kind: fc.constantFrom('acking', 'acking', 'acking', 'unverifiable'),
  seatedMs: fc.constantFrom(1_000, 400_000),
  heardMs: fc.constantFrom(0, 2_000, 15_000, 90_000),
  quietMs: fc.constantFrom(0, 30_000, 200_000),
  owed: fc.option(fc.record({ ms: fc.constantFrom(500, 8_000), critical: fc.boolean() })),
  probe: fc.option(fc.record({ ms: fc.constantFrom(50, 10_000), failed: fc.constantFrom(false, false, true) })),
  link: fc.constantFrom('open', 'open', 'open', 'open', 'lost-now', 'lost', 'ended'),
  run: fc.constantFrom(false, false, true),
  stuck: fc.constantFrom(false, false, true),
  visibility: fc.constantFrom('visible', 'hidden', 'unknown'),
  pinned: fc.constantFrom(false, false, false, true),
});
type Someone = typeof someone extends fc.Arbitrary<infer T> ? T : never;

function become(manager: WebSocketManager, one: Someone, now: Attentive): void {
  const at = (agoMs: number) => attentive(now - agoMs);
  const who = { managerId: manager.id, userId: manager.user.userId, class: one.kind, visibility: one.visibility } as const;
  const link = {
    open: { is: 'open' },
    'lost-now': { is: 'lost', since: at(1_000), reason: 'transport-lost' },
    lost: { is: 'lost', since: at(60_000), reason: 'half-open' },
    ended: { is: 'ended', reason: 'client-closed' },
  } as const;
  const lost = one.link !== 'open';
  manager.observe(() => ({
    ...newEvidence({ ...who, link: link[one.link] }, now),
    seatedAt: at(one.seatedMs),
    ...lastSeen(now, Math.min(one.heardMs, one.seatedMs)),
    activityAt: at(Math.max(one.quietMs, one.heardMs)),
    owed: one.owed === null || lost ? null : { since: at(one.owed.ms), events: 3, bytes: 300, critical: one.owed.critical },
    probe:
      one.probe === null || lost ? null : { askedAt: now, flushedAt: at(one.probe.ms), failed: one.probe.failed, bytesAhead: 0, gapMs: 0, standing: 'first' },
    outputStuckSince: one.stuck && !lost ? at(9_000) : null,
    run: one.run,
  }));
  if (one.pinned) manager.pin();
}

test('whatever the evidence, everybody goes exactly at the level that was explained, and whoever would go at none stays', async () => {
  // Times that do not depend on how many seats are left: only then do all managers of a user meet the same thresholds.
  await using gw = await startGateway({
    limits: { perUser: 12, burst: { perUser: 12 } },
    // Nor on how busy this machine is.
    health: { appDeadMs: 20_000, appDeadFullMs: 20_000, sickScore: 9, stallGapMs: 60_000 },
    cleanup: { proactive: false, idleMs: 60_000, idleFullMs: 60_000 },
  });
  const { factory } = gw.gateway;
  const seen = { verdicts: new Set<string>(), levels: new Set<string>(), reasons: new Set<string>() };
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(someone, { minLength: 4, maxLength: 9 }), async (crowd) => {
      const user = `user-${count++}` as UserId;
      const clients = await Promise.all(crowd.map(() => gw.seat(user)));
      await vi.waitUntil(() => factory.list(user).every((m) => m.attachment?.settling === null), SLOW);
      const now = factory.now();
      for (const [i, one] of crowd.entries()) become(find(gw, clients[i]?.ready.manager), one, now);
      const explained = clients.map(({ ready }) => factory.explain(ready.manager));
      for (const e of explained) {
        seen.verdicts.add(e?.verdict ?? 'none');
        seen.levels.add(String(e?.goesAt));
        for (const k of e?.kept ?? []) seen.reasons.add(k.because);
      }
      const went = new Map<ManagerId, CleanupLevel>();
      const order: ManagerId[] = [];
      for (const level of LEVELS) {
        // Once more while it finds somebody: a level takes few of the living at a time.
        for (;;) {
          const { victims } = await factory.cleanup(user, { upTo: level, need: 99 });
          for (const v of victims) {
            went.set(v.managerId, v.level);
            order.push(v.managerId);
          }
          if (victims.length === 0) break;
        }
      }
      expect(clients.map(({ ready }) => went.get(ready.manager) ?? null)).toEqual(explained.map((e) => e?.goesAt));
      // Within a level they went in the order of their ranks.
      const rankOf = new Map(explained.map((e) => [e?.managerId, e?.rank.position ?? 0]));
      for (const level of LEVELS) {
        const ranks = order.filter((id) => went.get(id) === level).map((id) => rankOf.get(id) ?? 0);
        expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
      }
      await Promise.all(clients.map(({ client }) => client[Symbol.asyncDispose]()));
    }),
    // These crowds are known to hold every case below.
    { numRuns: 40, seed: 20_261_121 },
  );
  // The property was not about nothing.
  expect([...seen.verdicts].sort()).toEqual(['healthy', 'idle', 'inactive', 'suspect', 'unknown', 'zombie']);
  expect([...seen.levels].sort()).toEqual(['aggressive', 'conservative', 'force', 'moderate', 'null']);
  expect([...seen.reasons]).toEqual(expect.arrayContaining(['pinned', 'newborn', 'run', 'functional', 'quiet-below-limit', 'level-quota', 'critical-unacked']));
}, 60_000);

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candidates, fresh, manager, NOW, OPTIONS as o, USER } from '../../test/support/evidence.ts';
import type { UserId } from '../protocol/ids.ts';
import { type CleanupRequest, checkReserve, planCleanup, victimOrder } from './cleanup.ts';
import { attentive } from './clocks.ts';
import type { Evidence } from './evidence.ts';
import { judge } from './judge.ts';
import { LEVELS, liveQuota } from './levels.ts';
import { WELL } from './self-health.ts';
import { type Candidate, compareVictims, isDeadEligible, isLivingEligible, toCandidate } from './victims.ts';

const ago = (ms: number) => attentive(NOW - ms);
/** A manager seated ten minutes ago that was heard a second ago, and changes to it. */
const one = (n: number, change: Partial<Evidence> = {}, seat: Partial<Candidate> = {}): Candidate => {
  const e = {
    ...fresh(),
    managerId: manager(n),
    seatedAt: ago(600_000),
    ackAt: ago(1_000),
    activityAt: ago(1_000),
    answerAt: ago(1_000),
    inboundAt: ago(1_000),
    srttMs: 40,
    rttvarMs: 5,
    ...change,
  };
  return { ...toCandidate(e, judge(e, null, WELL, 1, o, NOW), { version: 1, token: n, pinned: false, promised: false }, o, NOW), ...seat };
};
const quiet = (n: number, ms: number, change: Partial<Evidence> = {}) => one(n, { activityAt: ago(ms), ...change });
const probed = { askedAt: ago(12_000), flushedAt: ago(12_000), failed: false, bytesAhead: 0, gapMs: 0, standing: 'first' } as const;
const silent = (ms: number) => ({ ackAt: ago(ms), answerAt: ago(ms), inboundAt: ago(ms), probe: probed });
const suspect = (n: number, change: Partial<Evidence> = {}) => one(n, { ...silent(15_000), ...change });
const zombie = (n: number) => one(n, silent(30_000));
const lost = (n: number, ms: number) => one(n, { link: { is: 'lost', since: ago(ms), reason: 'transport-lost' } });
const ended = (n: number) => one(n, { link: { is: 'ended', reason: 'client-closed' } });

const plan = (list: readonly Candidate[], change: Partial<CleanupRequest> = {}) =>
  planCleanup(
    { level: 'aggressive', need: 1, liveMax: Number.POSITIVE_INFINITY, p: 1, trigger: 'admission', userId: USER, requester: null, candidates: list, ...change },
    o,
  );
const taken = (list: readonly Candidate[], change: Partial<CleanupRequest> = {}) => plan(list, change).victims.map((v) => Number(v.managerId.slice(4)));

describe('who goes at which level', () => {
  const all = [one(1, { run: true }), one(2), quiet(3, 61_000), suspect(4), zombie(5), lost(6, 9_000), ended(7)];

  it('conservative: what is provably gone', () => expect(taken(all, { level: 'conservative', need: 9 })).toEqual([6, 7]));
  it('moderate: zombies too, and long idle managers as needed', () => {
    expect(taken(all, { level: 'moderate', need: 3 })).toEqual([6, 7, 5]);
    expect(taken(all, { level: 'moderate', need: 9 })).toEqual([6, 7, 5, 3]);
    expect(taken(all, { level: 'moderate', need: 9, liveMax: 0 })).toEqual([6, 7, 5]);
  });
  it('aggressive: suspects too', () => expect(taken(all, { need: 9 })).toEqual([6, 7, 5, 4, 3]));
  it('force: the cheapest one, whatever its evidence', () => {
    expect(taken([one(1, { run: true }), one(2)], { level: 'force' })).toEqual([2]);
    expect(plan([one(1, { run: true })], { level: 'force' })).toMatchObject({ victims: [{ reason: 'lowest-value', lingerMs: 250 }], result: 'enough' });
  });

  it('frees all 20 dead of the incident, and none of 15 working ones beside 5 dead', () => {
    expect(taken(Array.from({ length: 20 }, (_, i) => zombie(i)))).toHaveLength(20);
    const mixed = [...Array.from({ length: 15 }, (_, i) => one(i, { run: i % 2 === 0 })), ...Array.from({ length: 5 }, (_, i) => zombie(20 + i))];
    expect(taken(mixed)).toEqual([20, 21, 22, 23, 24]);
  });

  it('takes at most two living ones at moderate, five at aggressive, one a person at force', () => {
    const idle = Array.from({ length: 9 }, (_, i) => quiet(i, 90_000));
    expect((['conservative', 'moderate', 'aggressive', 'force'] as const).map((level) => taken(idle, { level, need: 7 }).length)).toEqual([0, 2, 5, 7]);
    expect(taken(idle, { level: 'force', need: 1 })).toHaveLength(1);
  });

  it('tells why everybody else was kept', () => {
    const list = [
      one(1, { run: true }),
      one(2),
      quiet(3, 20_000),
      quiet(4, 90_000),
      quiet(5, 80_000),
      one(6, {}, { pinned: true }),
      one(7, {}, { promised: true }),
      one(8),
      suspect(9, { run: true }),
    ];
    const { kept } = plan(list, { level: 'moderate', requester: manager(8) });
    expect(Object.fromEntries(kept.map((k) => [Number(k.managerId.slice(4)), k.because]))).toEqual({
      1: 'run',
      2: 'functional',
      3: 'quiet-below-limit',
      5: 'not-needed',
      6: 'pinned',
      7: 'promised',
      8: 'requester',
      9: 'run',
    });
  });
});

describe('the dead', () => {
  it('go beyond the need, but who lost its transport just now only as needed, the longest lost first', () => {
    expect(taken([lost(1, 9_000), lost(2, 8_000), lost(3, 2_000), lost(4, 3_000)], { level: 'conservative', need: 1 })).toEqual([1, 2]);
    expect(taken([lost(3, 2_000), lost(4, 3_000)], { level: 'conservative', need: 1 })).toEqual([4]);
  });

  it('of a node that is gone go only as needed: it may come back', () => {
    const list = [one(1, { owner: 'dead' }), one(2, { owner: 'dead' }), one(3, { owner: 'dead' }), zombie(4)];
    expect(taken(list, { level: 'conservative', need: 2 })).toHaveLength(2);
    expect(taken(list, { level: 'moderate', need: 2 })).toEqual(expect.arrayContaining([4]));
    expect(taken(list, { level: 'moderate', need: 2 })).toHaveLength(2);
    expect(taken(list, { level: 'conservative', need: 0 })).toEqual([]);
  });

  it('keep their seat in a proactive pass until their resume window ends', () => {
    const list = [lost(1, 9_000), lost(2, 120_000), ended(3), one(4, { owner: 'dead' }), zombie(5), suspect(6)];
    expect(taken(list, { trigger: 'proactive', level: 'aggressive', need: 0 }).sort()).toEqual([2, 3, 5]);
  });

  it('pay back a burst first, then long idle managers; who has a run stays until the debt is too old', () => {
    const list = [one(1, { run: true }), quiet(2, 70_000), quiet(3, 90_000), suspect(4), lost(5, 1_000), zombie(6)];
    expect(taken(list, { trigger: 'repay', need: 3 })).toEqual([5, 6, 3]);
    expect(plan(list, { trigger: 'repay', need: 3 }).victims.at(-1)).toMatchObject({ reason: 'burst-repaid' });
    expect(taken(list, { trigger: 'repay', need: 9, level: 'force' })).toEqual([5, 6, 4, 3, 2, 1]);
  });

  it('of a burst go first, then the longest quiet, be it looked at or hidden, old or new; overdue debt goes in the usual order', () => {
    const list = [quiet(1, 70_000, { visibility: 'hidden' }), quiet(2, 80_000), { ...quiet(3, 90_000), newborn: true }, quiet(4, 75_000)];
    expect(taken(list, { trigger: 'repay', need: 1 })).toEqual([3]);
    expect(taken(list, { trigger: 'repay', need: 4 })).toEqual([3, 2, 4, 1]);
    expect(taken(list, { trigger: 'repay', need: 4, level: 'force' })).toEqual([1, 2, 4, 3]);
  });

  it('pinned, are dead', () => expect(taken([{ ...zombie(1), pinned: true }])).toEqual([1]));
});

describe('the order of victims', () => {
  const first = (a: Candidate, b: Candidate) => (compareVictims(a, b) < 0 ? Number(a.managerId.slice(4)) : Number(b.managerId.slice(4)));
  it('spares whoever was just seated, owes the end of an answer, or is looked at', () => {
    expect(first({ ...quiet(1, 90_000), newborn: true }, quiet(2, 70_000))).toBe(2);
    expect(first(one(1, { owed: { since: ago(100), events: 1, bytes: 1, critical: true } }), one(2))).toBe(2);
    expect(first(quiet(1, 90_000), quiet(2, 70_000, { visibility: 'hidden' }))).toBe(2);
  });
  it('then takes the longest overdue suspect, the longest quiet one, the oldest', () => {
    expect(first(suspect(1, { srttMs: 500, rttvarMs: 100 }), suspect(2))).toBe(2);
    expect(first(quiet(1, 70_000), quiet(2, 90_000))).toBe(2);
    expect(first(quiet(1, 70_000), quiet(2, 70_000, { seatedAt: ago(700_000) }))).toBe(2);
    expect([first(quiet(2, 70_000), quiet(1, 70_000)), first(quiet(1, 70_000), quiet(2, 70_000))]).toEqual([1, 1]);
  });
  it('leaves a bare wire in the middle of its stream for last', () => {
    expect(first(one(1, { class: 'unverifiable', run: true }), one(2, { run: true }))).toBe(2);
  });
});

const requests = fc.record({
  level: fc.constantFrom(...LEVELS),
  need: fc.nat(6),
  liveMax: fc.constantFrom(0, 1, 2, 5, Number.POSITIVE_INFINITY),
  p: fc.constantFrom(0, 0.7, 0.9, 1, 1.25),
  trigger: fc.constantFrom('admission' as const, 'proactive' as const, 'repay' as const, 'operator' as const, 'user' as const),
  requester: fc.option(fc.nat(10).map(manager)),
});
const cases = fc.tuple(requests, candidates()).map(([r, list]): CleanupRequest => ({ ...r, userId: USER, candidates: list }));
const byId = (r: CleanupRequest) => new Map(r.candidates.map((c) => [c.managerId, c]));

/** Enough that a plan of one or two living managers too many is among them. */
const RUNS = { numRuns: 500 };

describe('invariants of any plan', () => {
  it('I4: whoever may go at a level may go at the next', () => {
    fc.assert(
      fc.property(cases, (r) => {
        for (const c of r.candidates) {
          const levels = LEVELS.map((level) => (c.verdict.proof ? isDeadEligible(c, level, r.trigger, o) : isLivingEligible(c, level, r.trigger, r.p, o)));
          expect([...levels].sort()).toEqual(levels);
        }
      }),
      RUNS,
    );
  });

  it('I5: no living pinned, promised, requesting or foreign manager is in it', () => {
    fc.assert(
      fc.property(cases, fc.nat(5), (r, foreign) => {
        const list = r.candidates.map((c, i) => (i === foreign ? { ...c, userId: 'bob' as UserId } : c));
        for (const v of planCleanup({ ...r, candidates: list }, o).victims) {
          const c = list.find((x) => x.managerId === v.managerId) as Candidate;
          expect([c.userId, c.promised, c.pinned && !c.verdict.proof]).toEqual([USER, false, false]);
          expect(v.managerId).not.toBe(r.requester);
        }
      }),
      RUNS,
    );
  });

  it('I6: the living never exceed need, step and level; healthy ones go by Force only, nobody living in a proactive pass', () => {
    fc.assert(
      fc.property(cases, (r) => {
        const living = planCleanup(r, o).victims.filter((v) => !v.verdict.proof);
        expect(living.length).toBeLessThanOrEqual(Math.min(r.need, r.liveMax, liveQuota(r.level, o)));
        if (r.trigger === 'proactive') expect(living).toEqual([]);
        for (const v of living) {
          const c = byId(r).get(v.managerId) as Candidate;
          if (r.level !== 'force') expect([c.verdict.is === 'healthy', c.run]).toEqual([false, false]);
          if (c.newborn && r.level !== 'force') expect(c.verdict.quietMs).toBeGreaterThanOrEqual(o.cleanup.idleFullMs);
        }
      }),
      RUNS,
    );
  });

  it('I7: no cheaper eligible one is left out for a living victim, and the order of the input does not matter', () => {
    fc.assert(
      fc.property(cases, fc.infiniteStream(fc.nat()), (r, noise) => {
        const here = planCleanup(r, o);
        const shuffled = r.candidates
          .map((c) => [noise.next().value as number, c] as const)
          .sort(([a], [b]) => a - b)
          .map(([, c]) => c);
        expect(planCleanup({ ...r, candidates: shuffled }, o)).toEqual(here);
        const worst = here.victims
          .filter((v) => !v.verdict.proof)
          .map((v) => byId(r).get(v.managerId) as Candidate)
          .at(-1);
        if (worst === undefined) return;
        for (const k of here.kept) {
          const c = byId(r).get(k.managerId) as Candidate;
          const isEligible = c.verdict.proof ? isDeadEligible(c, r.level, r.trigger, o) : isLivingEligible(c, r.level, r.trigger, r.p, o);
          if (isEligible && !['requester', 'pinned', 'promised'].includes(k.because)) expect(victimOrder(r)(c, worst)).toBeGreaterThan(0);
        }
      }),
      RUNS,
    );
  });

  it('accounts for everybody, once, and says truly whether it is enough', () => {
    fc.assert(
      fc.property(cases, (r) => {
        const { victims, kept, result } = planCleanup(r, o);
        expect([...victims, ...kept].map((x) => x.managerId).sort()).toEqual(r.candidates.map((c) => c.managerId).sort());
        expect(result).toBe(victims.length >= r.need ? 'enough' : 'short');
      }),
      RUNS,
    );
  });

  it('Force finds somebody wherever a seat is neither pinned, promised nor the requester’s own', () => {
    fc.assert(
      fc.property(cases, (r) => {
        const isTakeable = r.candidates.some((c) => c.managerId !== r.requester && !c.promised && (c.verdict.proof || !c.pinned));
        const forced = planCleanup({ ...r, level: 'force', need: 1, liveMax: 1, trigger: 'admission' }, o);
        expect(forced.victims.length > 0).toBe(isTakeable);
      }),
      RUNS,
    );
  });
});

describe('carrying a plan out', () => {
  const seen = (c: Candidate, level: CleanupRequest['level'] = 'aggressive') =>
    plan([c], { level }).victims[0] as NonNullable<ReturnType<typeof plan>['victims'][0]>;

  it('spares whoever was heard of since, is gone, or was taken over', () => {
    const c = quiet(1, 90_000);
    expect(checkReserve(seen(c), c, 'aggressive')).toEqual({ ok: true });
    expect(checkReserve(seen(c), { ...c, version: 2 }, 'aggressive')).toEqual({ ok: false, because: 'revived' });
    expect(checkReserve(seen(c), null, 'aggressive')).toEqual({ ok: false, because: 'gone' });
    expect(checkReserve(seen(c), { ...c, token: 99 }, 'force')).toEqual({ ok: false, because: 'taken' });
  });

  it('at Force looks at identity only: a healthy manager changes all the time; but a dead one that came back lives', () => {
    const c = one(1, { run: true });
    expect(checkReserve(seen(c, 'force'), { ...c, version: 9 }, 'force')).toEqual({ ok: true });
    expect(checkReserve(seen(lost(1, 9_000), 'force'), { ...one(1), version: 9 }, 'force')).toEqual({ ok: false, because: 'revived' });
    expect(checkReserve(seen(c, 'force'), { ...c, pinned: true }, 'force')).toEqual({ ok: false, because: 'revived' });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manager, NOW, OPTIONS as o, owner, told, USER } from '../../test/support/evidence.ts';
import { planCleanup } from './cleanup.ts';
import { explainEvidence } from './explain.ts';
import { LEVELS, reaches } from './levels.ts';
import { standIn, type Told } from './stand-in.ts';

const one = (change: Partial<Told> = {}): Told => ({
  manager: manager(1),
  token: 7,
  verdict: 'idle',
  quietMs: 100_000,
  run: false,
  pinned: false,
  critical: false,
  hidden: false,
  toldAgoMs: 2_000,
  seatedAgoMs: 600_000,
  ...change,
});
const goesAt = (change: Partial<Told>, of: Parameters<typeof standIn>[2]) => {
  const candidates = [standIn(USER, one(change), of, o, NOW)];
  const request = { need: 1, liveMax: 1, p: 1, trigger: 'admission', userId: USER, requester: null, candidates } as const;
  return LEVELS.find((level) => planCleanup({ ...request, level }, o).victims.length > 0) ?? null;
};

describe('a manager of another node', () => {
  it('goes at the level at which its own node would give it up, as long as that node answers', () => {
    expect(goesAt({ verdict: 'inactive', sinceMs: 10_000 }, 'answering')).toBe('conservative');
    expect(goesAt({ verdict: 'zombie' }, 'answering')).toBe('moderate');
    expect(goesAt({ quietMs: 59_000 }, 'answering')).toBe('moderate');
    expect(goesAt({ quietMs: 57_000 }, 'answering')).toBe('force');
    expect(goesAt({ verdict: 'suspect' }, 'answering')).toBe('aggressive');
    expect(goesAt({ verdict: 'unknown', reason: 'unverifiable' }, 'answering')).toBe('aggressive');
    expect(goesAt({ verdict: 'unknown', reason: 'correlated' }, 'answering')).toBe('force');
    expect(goesAt({ verdict: 'healthy', run: true }, 'answering')).toBe('force');
  });

  it('V5: a silent node says nothing, so only Force may name what it holds', () => {
    fc.assert(
      fc.property(told(), (t) => {
        const c = standIn(USER, t, 'silent', o, NOW);
        expect(c.verdict).toMatchObject({ is: 'unknown', reason: 'node-silent', proof: false });
        expect(goesAt({ ...t, pinned: false }, 'silent')).toBe('force');
      }),
    );
  });

  it('V3: what a dead node held goes first, pinned or not', () => {
    fc.assert(fc.property(told(), (t) => void expect(goesAt(t, 'dead')).toBe('conservative')));
    expect(standIn(USER, one(), 'dead', o, NOW).verdict).toMatchObject({ is: 'inactive', reason: 'node-dead', proof: true });
  });

  it('is dead only where its node proved it, or is dead itself', () => {
    fc.assert(
      fc.property(told(), owner(), (t, by) => {
        const isDead = standIn(USER, t, by, o, NOW).verdict.proof;
        expect(isDead).toBe(by === 'dead' || (by === 'answering' && (t.verdict === 'zombie' || t.verdict === 'inactive')));
      }),
    );
  });

  it('has been quiet for longer by the time since it was told, and never while it has a run', () => {
    expect(standIn(USER, one(), 'answering', o, NOW).verdict.quietMs).toBe(102_000);
    expect(standIn(USER, one({ run: true }), 'answering', o, NOW).verdict.quietMs).toBe(0);
  });

  it('that lost its transport just now is probably on its way back, and goes only as far as it is needed', () => {
    const lost = (sinceMs: number, n: number) => standIn(USER, one({ verdict: 'inactive', sinceMs, manager: manager(n) }), 'answering', o, NOW);
    const candidates = [lost(1_000, 1), lost(9_000, 2)];
    const request = { level: 'conservative', liveMax: 0, p: 1, trigger: 'admission', userId: USER, requester: null, candidates } as const;
    expect(planCleanup({ ...request, need: 1 }, o).victims.map((v) => v.managerId)).toEqual([manager(2)]);
    expect(planCleanup({ ...request, need: 2 }, o).victims).toHaveLength(2);
  });

  it('is explained by what was told, and no more', () => {
    const text = (of: Parameters<typeof standIn>[2], change: Partial<Told> = {}) => {
      const c = standIn(USER, one(change), of, o, NOW);
      return explainEvidence(c, c.verdict, NOW);
    };
    expect(text('answering', { sinceMs: 60_000 })).toBe("by its own node's word it has been idle (quiet) for 1m02s, unused for 1m42s");
    expect(text('answering', { verdict: 'inactive', reason: 'half-open' })).toContain('inactive (half-open) for 2.0s');
    expect(text('silent')).toBe('the node that holds it does not answer');
    expect(text('dead')).toBe('the node that held it is gone');
  });

  it('no level of a living one is milder than another told the same by a node that does not answer', () => {
    fc.assert(
      fc.property(told(), (t) => {
        const answering = goesAt({ ...t, pinned: false }, 'answering') ?? 'force';
        expect(reaches(goesAt({ ...t, pinned: false }, 'silent') ?? 'force', answering)).toBe(true);
      }),
    );
  });
});

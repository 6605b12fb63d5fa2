import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UserId } from '../protocol/ids.ts';
import { isCorrelated, isCorrelatedIn, type ProbeResult, stepSelfHealth, sumUp, WELL } from './self-health.ts';

const second = (change: Partial<Parameters<typeof stepSelfHealth>[1]> = {}) => ({ gapMs: 12, loopDelayP99Ms: 3, voided: false, stallGapMs: 100, ...change });

describe('our own health', () => {
  it('worsens with stalls, twice as fast with long ones, and heals by the second', () => {
    expect(stepSelfHealth(WELL, second({ gapMs: 101 })).score).toBe(1);
    expect(stepSelfHealth(WELL, second({ loopDelayP99Ms: 150 })).score).toBe(1);
    expect(stepSelfHealth(WELL, second({ gapMs: 1_000 })).score).toBe(2);
    expect(stepSelfHealth(WELL, second({ gapMs: 1_000, voided: true })).score).toBe(3);
    expect(stepSelfHealth({ ...WELL, score: 3 }, second()).score).toBe(2);
  });

  it('stays within 0 and 8, and eight clean seconds always heal it', () => {
    const seconds = fc.array(fc.record({ gapMs: fc.nat(3_000), loopDelayP99Ms: fc.nat(500), voided: fc.boolean(), stallGapMs: fc.constant(100) }));
    fc.assert(
      fc.property(seconds, (history) => {
        let health = WELL;
        for (const s of history) {
          health = stepSelfHealth(health, s);
          expect(health.score).toBeGreaterThanOrEqual(0);
          expect(health.score).toBeLessThanOrEqual(8);
        }
        for (let i = 0; i < 8; i++) health = stepSelfHealth(health, second());
        expect(health.score).toBe(0);
      }),
    );
  });
});

describe('a correlated failure', () => {
  const silent = (user: string, change: Partial<ProbeResult> = {}): ProbeResult => ({
    userId: user as UserId,
    answered: false,
    answeredBefore: true,
    ...change,
  });
  const many = ['b', 'b', 'c', 'c', 'd'].map((user) => silent(user));

  it('is five managers of three users', () => {
    expect(isCorrelated(many, 'a' as UserId)).toBe(true);
    expect(isCorrelated(many.slice(1), 'a' as UserId)).toBe(false);
    expect(
      isCorrelated(
        ['b', 'b', 'b', 'c', 'c'].map((u) => silent(u)),
        'a' as UserId,
      ),
    ).toBe(false);
  });

  it('is not what one user with many frozen tabs brings about, whoever is judged', () => {
    const own = Array.from({ length: 20 }, () => silent('a'));
    expect(isCorrelated(own, 'a' as UserId)).toBe(false);
    expect(isCorrelated(own, 'b' as UserId)).toBe(false);
    expect(isCorrelated([...own, silent('c')], 'b' as UserId)).toBe(false);
  });

  it('counts only those who were well before, and needs three in ten of all probed', () => {
    expect(
      isCorrelated(
        many.map((r) => ({ ...r, answeredBefore: false })),
        'a' as UserId,
      ),
    ).toBe(false);
    const well = (n: number) => Array.from({ length: n }, () => silent('e', { answered: true }));
    expect(isCorrelated([...many, ...well(11)], 'a' as UserId)).toBe(true);
    expect(isCorrelated([...many, ...well(12)], 'a' as UserId)).toBe(false);
  });

  it('is the same, summed up once for all who are judged', () => {
    const users = fc.constantFrom('a', 'b', 'c', 'd', 'e').map((user) => user as UserId);
    const results = fc.array(fc.record({ userId: users, answered: fc.boolean(), answeredBefore: fc.boolean() }), { maxLength: 40 });
    fc.assert(
      fc.property(results, users, (window, judged) => {
        const others = window.filter((r) => r.userId !== judged);
        const silent = others.filter((r) => !r.answered && r.answeredBefore);
        const expected = silent.length >= 5 && new Set(silent.map((r) => r.userId)).size >= 3 && silent.length >= 0.3 * others.length;
        expect(isCorrelatedIn(sumUp(window), judged)).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });
});

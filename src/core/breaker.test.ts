import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Breaker, CLOSED, stepBreaker } from './breaker.ts';
import { mono } from './clocks.ts';

const opened = (failures: number, gapMs: number): Breaker => {
  let breaker = CLOSED;
  for (let i = 0; i < failures; i++) breaker = stepBreaker(breaker, 'failure', mono(i * gapMs));
  return breaker;
};

describe('a breaker', () => {
  it('opens after five failures in ten seconds, not after four, and not over a longer time', () => {
    expect(opened(4, 100).is).toBe('closed');
    expect(opened(5, 100)).toEqual({ is: 'open', until: 1_400, backoffMs: 1_000 });
    expect(opened(20, 2_500).is).toBe('closed');
  });

  it('tries again by time alone, and doubles its time up to 30 s', () => {
    let breaker = opened(5, 0);
    let now = 0;
    for (const backoffMs of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      expect(breaker).toEqual({ is: 'open', until: now + backoffMs, backoffMs });
      expect(stepBreaker(breaker, 'tick', mono(now + backoffMs - 1)).is).toBe('open');
      now += backoffMs;
      breaker = stepBreaker(stepBreaker(breaker, 'tick', mono(now)), 'failure', mono(now));
    }
    expect(stepBreaker(stepBreaker(breaker, 'tick', mono(now + 30_000)), 'success', mono(now + 30_000))).toEqual(CLOSED);
  });

  it('the incident: attempts cannot keep it open, whatever they report', () => {
    const attempts = fc.array(fc.record({ e: fc.constantFrom('success' as const, 'failure' as const), afterMs: fc.nat(10_000) }), { maxLength: 50 });
    fc.assert(
      fc.property(attempts, (history) => {
        let breaker = opened(5, 0);
        const until = breaker.is === 'open' ? breaker.until : 0;
        let now = 0;
        for (const { e, afterMs } of history) {
          now = Math.min(until, now + afterMs);
          breaker = stepBreaker(breaker, e, mono(now));
        }
        expect(breaker).toMatchObject({ is: 'open', until });
        expect(stepBreaker(breaker, 'tick', mono(until)).is).toBe('half-open');
      }),
    );
  });
});

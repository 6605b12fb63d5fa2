import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mono } from '../../core/clocks.ts';
import { LEVELS } from '../../core/levels.ts';
import type { UserId } from '../../protocol/ids.ts';
import { LevelFaults } from './level-faults.ts';

const ada = 'ada' as UserId;
const bob = 'bob' as UserId;

describe('levels that keep throwing', () => {
  const start = () => {
    const at = { ms: 0 };
    return { at, faults: new LevelFaults(() => mono(at.ms)) };
  };

  it('are skipped for a minute after the third time in a minute, for this user only', () => {
    const { at, faults } = start();
    for (const ms of [0, 20_000, 40_000]) {
      at.ms = ms;
      expect(faults.isSkipped(ada, 'aggressive')).toBe(false);
      faults.failed(ada, 'aggressive');
    }
    expect(faults.isSkipped(ada, 'aggressive')).toBe(true);
    expect([faults.isSkipped(ada, 'moderate'), faults.isSkipped(bob, 'aggressive')]).toEqual([false, false]);
    at.ms = 99_999;
    expect(faults.isSkipped(ada, 'aggressive')).toBe(true);
    at.ms = 100_000;
    expect(faults.isSkipped(ada, 'aggressive')).toBe(false);
    // Tried again, and it takes three more.
    faults.failed(ada, 'aggressive');
    expect(faults.isSkipped(ada, 'aggressive')).toBe(false);
  });

  it('are not skipped for failures that are far apart', () => {
    const { at, faults } = start();
    for (let ms = 0; ms < 300_000; ms += 31_000) {
      at.ms = ms;
      faults.failed(ada, 'moderate');
      expect(faults.isSkipped(ada, 'moderate')).toBe(false);
    }
  });

  it('I19: neither `conservative` nor Force is ever skipped, and looking never prolongs a skip', () => {
    const events = fc.array(fc.record({ afterMs: fc.nat(30_000), level: fc.constantFrom(...LEVELS), throws: fc.boolean() }), { maxLength: 60 });
    fc.assert(
      fc.property(events, (list) => {
        const { at, faults } = start();
        let lastFailure = Number.NEGATIVE_INFINITY;
        for (const { afterMs, level, throws } of list) {
          at.ms += afterMs;
          const isSkipped = faults.isSkipped(ada, level);
          if (level === 'conservative' || level === 'force') expect(isSkipped).toBe(false);
          if (isSkipped) expect(at.ms - lastFailure).toBeLessThan(60_000);
          // A skipped level does not run, so it cannot throw.
          if (throws && !isSkipped) {
            faults.failed(ada, level);
            lastFailure = at.ms;
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

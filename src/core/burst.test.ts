import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Burst, stepBurst } from './burst.ts';
import { mono } from './clocks.ts';
import { resolveOptions } from './resolve-options.ts';

const o = resolveOptions();
const calm = { want: false, mayStart: true };

describe('a burst', () => {
  it('starts for a person in need, gives 25 seats for 60 s, and is repaid', () => {
    const started = stepBurst({ in: 'none' }, { seats: 20, want: true, mayStart: true }, o, mono(0));
    expect(started).toEqual({ burst: { in: 'active', until: 60_000 }, cap: 25, granted: true, repay: null });
    const over = stepBurst(started.burst, { seats: 23, ...calm }, o, mono(60_000));
    expect(over).toMatchObject({ burst: { in: 'debt', since: 60_000 }, cap: 23, repay: { count: 3, all: false } });
    const less = stepBurst(over.burst, { seats: 21, ...calm }, o, mono(61_000));
    expect(less.cap).toBe(21);
    expect(stepBurst(less.burst, { seats: 23, ...calm }, o, mono(62_000)).cap).toBe(21);
    const repaid = stepBurst(less.burst, { seats: 20, ...calm }, o, mono(70_000));
    expect(repaid).toMatchObject({ burst: { in: 'cooldown', until: 970_000 }, cap: 20 });
    expect(stepBurst(repaid.burst, { seats: 20, want: true, mayStart: true }, o, mono(969_999)).granted).toBe(false);
    expect(stepBurst(repaid.burst, { seats: 20, want: true, mayStart: true }, o, mono(970_000)).granted).toBe(true);
  });

  it('gives everybody up once the debt is older than ten minutes', () => {
    const step = stepBurst({ in: 'debt', since: mono(0), cap: 22 }, { seats: 22, ...calm }, o, mono(600_000));
    expect(step.repay).toEqual({ count: 2, all: true });
  });

  it('does not make a user who slept through its end wait from their return', () => {
    expect(stepBurst({ in: 'active', until: mono(60_000) }, { seats: 12, ...calm }, o, mono(86_400_000)).burst).toEqual({ in: 'none' });
  });

  it('does not start where nothing would be gained, or nothing allows it', () => {
    const same = resolveOptions({ limits: { burst: { perUser: 20 } } });
    expect(stepBurst({ in: 'none' }, { seats: 20, want: true, mayStart: true }, same, mono(0)).granted).toBe(false);
    expect(stepBurst({ in: 'none' }, { seats: 20, want: true, mayStart: false }, o, mono(0)).granted).toBe(false);
  });
});

it('I3: over any history leases start 16 minutes apart, in debt the cap never rises, seats within the cap stay within it', () => {
  const moves = fc.array(
    fc.record({ afterMs: fc.oneof(fc.nat(5_000), fc.nat(1_200_000)), come: fc.nat(8), go: fc.nat(8), want: fc.boolean(), mayStart: fc.boolean() }),
    {
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(moves, (history) => {
      let burst: Burst = { in: 'none' };
      let seats = 18;
      let now = 0;
      let startedAt = Number.NEGATIVE_INFINITY;
      for (const move of history) {
        now += move.afterMs;
        const before = burst;
        const step = stepBurst(burst, { seats, want: move.want, mayStart: move.mayStart }, o, mono(now));
        burst = step.burst;
        if (step.granted) {
          expect(now - startedAt).toBeGreaterThanOrEqual(60_000 + 900_000);
          startedAt = now;
        }
        expect(step.cap).toBeLessThanOrEqual(25);
        if (step.cap > 20) expect(['active', 'debt']).toContain(burst.in);
        if (burst.in === 'debt') {
          expect(step.cap).toBe(seats);
          if (before.in === 'debt') expect(step.cap).toBeLessThanOrEqual(before.cap);
          expect(step.repay?.count).toBe(seats - 20);
        }
        seats = Math.max(0, seats - move.go);
        burst = stepBurst(burst, { seats, ...calm }, o, mono(now)).burst;
        const { cap } = stepBurst(burst, { seats, ...calm }, o, mono(now));
        seats = Math.min(Math.max(cap, seats), seats + move.come);
      }
    }),
  );
});

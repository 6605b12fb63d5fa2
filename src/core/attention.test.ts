import fc from 'fast-check';
import { expect, it } from 'vitest';
import { startAttention, tickAttention } from './attention.ts';
import { mono } from './clocks.ts';

it('a stall of our own passes as one tick', () => {
  const before = tickAttention(startAttention(mono(0)), mono(10));
  const after = tickAttention(before, mono(10 + 1_500));
  expect(after.at - before.at).toBe(20);
  expect(after.gapMs).toBe(1_500);
});

it('I9: attention never runs back, nor ahead of the time that really passed, nor by more than 20 ms a tick', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(20), fc.nat(100_000), fc.integer({ min: -50, max: 0 })), { maxLength: 50 }), (gaps) => {
      let clock = startAttention(mono(0));
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        const next = tickAttention(clock, mono(now));
        expect(next.at).toBeGreaterThanOrEqual(clock.at);
        expect(next.at - clock.at).toBeLessThanOrEqual(Math.min(20, Math.max(0, gap)));
        clock = next;
      }
    }),
  );
});

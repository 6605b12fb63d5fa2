import { expect, test } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import { createRateLimit } from './rate-limit.ts';

const clockAt = (): Clock & { now: number } => {
  const clock: Clock & { now: number } = { now: 0, mono: () => clock.now, wall: () => clock.now, after: () => () => {}, soon: () => {} };
  return clock;
};

test('after the last allowed attempt the wait ends with the window, and trying does not lengthen it', () => {
  const clock = clockAt();
  const rate = createRateLimit({ limit: 2, windowMs: 1_000, clock });
  expect([rate.take('a'), rate.take('a')]).toEqual([0, 0]);
  clock.now = 400;
  expect([rate.take('a'), rate.take('a')]).toEqual([600, 600]);
  clock.now = 1_000;
  expect(rate.take('a')).toBe(0);
});

test('one key’s flood is no other key’s wait', () => {
  const rate = createRateLimit({ limit: 1, windowMs: 1_000, clock: clockAt() });
  for (let i = 0; i < 100; i++) rate.take('loud');
  expect(rate.take('quiet')).toBe(0);
});

test('keys made up by a flood do not fill the memory: the longest known are forgotten', () => {
  const rate = createRateLimit({ limit: 1, windowMs: 1_000, clock: clockAt(), maxKeys: 3 });
  for (const key of ['a', 'b', 'c', 'd', 'e']) rate.take(key);
  expect(rate.take('e')).toBe(1_000);
  expect(rate.take('a')).toBe(0);
});

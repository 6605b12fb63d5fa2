import { expect, test } from 'vitest';
import { attentive, mono } from '../../core/clocks.ts';
import { RealTime } from './real-time.ts';

test('time that this process missed counts for those who wait for it', () => {
  const real = new RealTime(10_000);
  real.note(attentive(0), mono(50_000));
  real.note(attentive(1_000), mono(51_000));
  expect(real.missedMs).toBe(0);
  real.note(attentive(1_300), mono(55_000));
  expect(real.missedMs).toBe(3_700);
  expect(real.since(attentive(1_000), mono(55_000))).toBe(4_000);
  expect(real.since(attentive(1_300), mono(55_000))).toBe(0);
});

test('what is longer ago than it keeps is forgotten, and never makes a time longer than it was', () => {
  const real = new RealTime(2_000);
  for (let s = 0; s <= 60; s++) real.note(attentive(s * 1_000), mono(s * 1_000));
  expect(real.since(attentive(0), mono(60_000))).toBeLessThanOrEqual(60_000);
  expect(real.since(attentive(59_500), mono(60_000))).toBe(500);
  expect(real.missedMs).toBe(0);
});

import { expect, it } from 'vitest';
import { mono } from '../../core/clocks.ts';
import type { UserId } from '../../protocol/ids.ts';
import { ProbeBudget } from './probe-budget.ts';

const user = (n: number) => `user-${n}` as UserId;

it('allows two rounds a second for each user', () => {
  const at = { ms: 0 };
  const budget = new ProbeBudget(() => mono(at.ms));
  for (let i = 0; i < 2; i++) {
    expect(budget.allows(user(1))).toBe(true);
    budget.begin(user(1))();
  }
  expect([budget.allows(user(1)), budget.allows(user(2))]).toEqual([false, true]);
  at.ms = 999;
  expect(budget.allows(user(1))).toBe(false);
  at.ms = 1_000;
  expect(budget.allows(user(1))).toBe(true);
});

it('has at most fifty rounds out at once, and counts each end once', () => {
  const budget = new ProbeBudget(() => mono(0));
  const ends = Array.from({ length: 50 }, (_, i) => budget.begin(user(i)));
  expect(budget.allows(user(99))).toBe(false);
  ends[0]?.();
  ends[0]?.();
  expect(budget.allows(user(99))).toBe(true);
  budget.begin(user(99));
  expect(budget.allows(user(100))).toBe(false);
});

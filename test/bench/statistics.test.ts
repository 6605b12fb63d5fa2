import { expect, test } from 'vitest';
import { interval, median, verdict } from '../../bench/statistics.ts';

test('the median of an even number of repetitions lies between the middle two', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([3, 1, 2])).toBe(2);
  expect(median([])).toBeNaN();
});

test('the interval goes from the k-th smallest to the k-th largest repetition', () => {
  const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => count - i);
  expect(interval(upTo(6))).toMatchObject({ low: 1, high: 6, holds: true });
  expect(interval(upTo(8))).toMatchObject({ low: 1, high: 8 });
  expect(interval(upTo(9))).toMatchObject({ low: 2, high: 8 });
  expect(interval(upTo(11))).toMatchObject({ low: 2, high: 10 });
  expect(interval(upTo(12))).toMatchObject({ low: 3, high: 10, median: 6.5 });
});

test('fewer than six repetitions carry no verdict', () => {
  const few = interval([0.5, 0.5, 0.5, 0.5, 0.5]);
  expect(few.holds).toBe(false);
  expect(verdict(few, 1, 'at most')).toBe('open');
});

test('a goal is reached only if the whole interval is within it, and missed only if the whole interval is beyond', () => {
  const around = interval([0.9, 1, 1.1, 1.2, 1.3, 1.4]);
  expect(verdict(around, 1.4, 'at most')).toBe('reached');
  expect(verdict(around, 1.3, 'at most')).toBe('open');
  expect(verdict(around, 0.9, 'at most')).toBe('open');
  expect(verdict(around, 0.89, 'at most')).toBe('missed');
  expect(verdict(around, 0.9, 'at least')).toBe('reached');
  expect(verdict(around, 1.4, 'at least')).toBe('open');
  expect(verdict(around, 1.41, 'at least')).toBe('missed');
});

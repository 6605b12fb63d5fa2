/** Ratios of one run, and what they are worth. */

export interface Interval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** Repetitions it rests on. */
  readonly of: number;
  /** False: too few repetitions for an interval of 95 %; low and high are the least and the most that was seen. */
  readonly holds: boolean;
}

/** Below this even the whole range of repetitions is no interval of 95 % for their median. */
const FEWEST = 6;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median, and from the k-th smallest to the k-th largest value: k = 1 for 6 to 8 values, 2 for 9 to 11, 3 for 12 to 14, and so on. */
export function interval(values: readonly number[]): Interval {
  const sorted = values.toSorted((a, b) => a - b);
  const k = Math.max(1, Math.floor(sorted.length / 3) - 1);
  return {
    median: median(values),
    low: sorted[k - 1] ?? Number.NaN,
    high: sorted[sorted.length - k] ?? Number.NaN,
    of: sorted.length,
    holds: sorted.length >= FEWEST,
  };
}

/** `open`: more repetitions are needed to say. */
export type Verdict = 'reached' | 'missed' | 'open';

/** Whether a figure that is to be at most (or at least) `bound` is so, as far as the interval can tell. */
export function verdict({ low, high, holds }: Interval, bound: number, direction: 'at most' | 'at least'): Verdict {
  if (!holds) return 'open';
  if (direction === 'at most') return high <= bound ? 'reached' : low > bound ? 'missed' : 'open';
  return low >= bound ? 'reached' : high < bound ? 'missed' : 'open';
}

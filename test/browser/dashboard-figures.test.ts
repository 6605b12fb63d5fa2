import { expect, it } from 'vitest';
import { SERIES, type SeriesUpdate } from '../../src/protocol/live.ts';
import { SeriesStore } from '../../web/dashboard/src/overview/series-store.ts';
import { age, availability, brief } from '../../web/dashboard/src/ui/format.ts';

/** Points with `rates` found zombies a second. */
function store(range: SeriesUpdate['range'], stepMs: number, rates: readonly (number | null)[]): SeriesStore {
  const made = new SeriesStore();
  const at = SERIES.indexOf('zombies.ackTimeout');
  const points = rates.map((rate, i) => [stepMs * (i + 1), ...SERIES.map((_, column) => (column === at ? rate : 0))]);
  made.take({ of: 'series', range, stepMs, whole: true, points });
  return made;
}

it('adds up what was found in the minute before each point, and never more than there was', () => {
  const seconds = Array.from({ length: 130 }, (_, i) => (i === 9 ? 125 : i === 10 ? 75 : 0));
  const found = store('15m', 1_000, seconds).inAMinute('zombies.ackTimeout');
  expect([found[8], found[9], found[10], found[68], found[69], found[70], found[129]]).toEqual([0, 125, 200, 200, 75, 0, 0]);
  expect(store('15m', 1_000, [1, null, 0]).inAMinute('zombies.ackTimeout')).toEqual([1, null, 1]);
});

it('counts a minute where a step is one, and its mean where a step is longer', () => {
  expect(store('24h', 60_000, [2, 0.5]).inAMinute('zombies.ackTimeout')).toEqual([120, 30]);
  expect(store('7d', 600_000, [0.1]).inAMinute('zombies.ackTimeout')).toEqual([6]);
});

it('writes figures short, and never better than they are', () => {
  expect([0, 0.256, 1.04, 10.48, 100.4, 9_999, 12_345, 2_500_000].map(brief)).toEqual(['0', '0.26', '1', '10.5', '100', '9,999', '12.3k', '2.5M']);
  expect([0, 9_290, 59_999, 2_278_000, 7_500_000, 273_600_000].map(age)).toEqual(['0.0s', '9.2s', '59.9s', '37m58s', '2h05m', '3d4h']);
  expect([1, 0.999999, 0.9998].map(availability)).toEqual(['100 %', '99.999 %', '99.98 %']);
});

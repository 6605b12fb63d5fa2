import fc from 'fast-check';
import { expect, test } from 'vitest';
import { namedDelay, RETRY_TIMES, retryDelay } from './backoff.ts';

test('the first retry comes within 250 ms, later ones are drawn from below a bound that doubles up to 15 s, for ever', () => {
  const longest = Array.from({ length: 10 }, (_, failures) => retryDelay(failures, RETRY_TIMES, 0.999999));
  expect(longest).toEqual([249, 499, 999, 1_999, 3_999, 7_999, 14_999, 14_999, 14_999, 14_999]);
  fc.assert(
    fc.property(fc.nat(100_000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, random) => {
      const delay = retryDelay(failures, RETRY_TIMES, random);
      return delay >= 0 && delay < 15_000;
    }),
  );
});

test('a named time is never undercut and exceeded by a tenth at most', () => {
  expect([0, 0.5, 0.999].map((random) => namedDelay(1_000, random))).toEqual([1_000, 1_050, 1_100]);
});

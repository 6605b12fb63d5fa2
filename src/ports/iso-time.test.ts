import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isoTime } from './iso-time.ts';

test('it is what Date would have written, in whatever order times come', () => {
  const at = fc.oneof(
    fc.integer({ min: -8.64e15, max: 8.64e15 }),
    fc.integer({ min: 1_795_000_000_000, max: 1_795_000_003_000 }),
    fc.constantFrom(-1, 0, 999, 1_000, 0.5),
  );
  fc.assert(
    fc.property(fc.array(at, { maxLength: 20 }), (times) => {
      for (const time of times) expect(isoTime(time)).toBe(new Date(time).toISOString());
    }),
    { numRuns: 500 },
  );
  expect(() => isoTime(Number.NaN)).toThrow(RangeError);
  expect(() => isoTime(9e15)).toThrow(RangeError);
});

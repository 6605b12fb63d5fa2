import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Best } from './best.ts';

test('any window is the one that sorting everything would show', () => {
  const keys = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 });
  fc.assert(
    fc.property(keys, fc.nat(220), fc.integer({ min: 1, max: 30 }), (all, from, size) => {
      const best = new Best<number, number>(from + size);
      for (const [index, key] of all.entries()) best.add(index, key);
      const sorted = all.map((key, index) => ({ key, index })).toSorted((a, b) => a.key - b.key || a.index - b.index);
      expect(best.takeFrom(from)).toEqual(sorted.slice(from, from + size).map(({ index }) => index));
    }),
  );
});

test('names are ordered as texts', () => {
  const best = new Best<string, string>(2);
  for (const name of ['dora', 'ben', 'ada', 'cleo']) best.add(name, name);
  expect(best.takeFrom(0)).toEqual(['ada', 'ben']);
});

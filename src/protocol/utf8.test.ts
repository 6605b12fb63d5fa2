import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isDeeperThan, isLongerThan, isWellFormed, startOf, utf8Bytes } from './utf8.ts';

test('bytes are counted as an encoder would write them', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), fc.constantFrom('\ud800', '\udc00', '😀')) }),
      (text) => utf8Bytes(text) === Buffer.byteLength(text),
    ),
  );
});

test('the length test agrees with the count on both sides of the limit', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.nat(60), (text, limit) => isLongerThan(text, limit) === utf8Bytes(text) > limit));
});

test('half a character is seen wherever it stands', () => {
  expect(['a', '😀', ''].every(isWellFormed)).toBe(true);
  expect(['\ud800', 'a\udc00b', '\udc00\ud800', '😀\ud83d'].some(isWellFormed)).toBe(false);
});

test('what is cut has no half of a character', () => {
  expect(['a😀b', '\ud83da', 'a\ude00', '😀'].map((text) => startOf(text, 2))).toEqual(['a', 'a', 'a', '😀']);
});

test('depth of any JSON is what its own structure has', () => {
  const depthOf = (value: unknown): number => (typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0);
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(7), (value, limit) => {
      const text = JSON.stringify(value).padEnd(limit + 1, ' ');
      return isDeeperThan(text, limit) === depthOf(value) > limit;
    }),
  );
});

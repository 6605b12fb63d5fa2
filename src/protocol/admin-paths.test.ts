import fc from 'fast-check';
import { expect, test } from 'vitest';
import { idIn, segmentOf } from './admin-paths.ts';

test('every id comes through a URL as it was, and stays one segment', () => {
  const ids = fc.oneof(fc.string({ minLength: 1, unit: 'binary' }), fc.constantFrom('.', '..', '~', '~.', '~~', '...', '%2e', 'a/b'));
  fc.assert(
    fc.property(ids, (id) => {
      const { pathname } = new URL(`http://localhost/users/${segmentOf(id)}/free`);
      const [, , segment, last, ...rest] = pathname.split('/');
      expect([last, rest]).toEqual(['free', []]);
      expect(idIn(decodeURIComponent(segment ?? ''))).toBe(id);
    }),
  );
});

test('a segment that could mean two ids means none', () => {
  for (const segment of ['~', '~ada', '~...', '~/']) expect(idIn(segment)).toBeNull();
});

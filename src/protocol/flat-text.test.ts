import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlatText } from './flat-text.ts';

test('it is what was appended, at any time', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 3 }), { maxLength: 700 }), (pieces) => {
      const text = new FlatText();
      let expected = '';
      for (const [i, piece] of pieces.entries()) {
        text.append(piece);
        expected += piece;
        if (i % 37 === 0) expect(text.toString()).toBe(expected);
      }
      expect(text.toString()).toBe(expected);
    }),
    { numRuns: 50 },
  );
});

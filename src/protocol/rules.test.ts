import { expect, test } from 'vitest';
import { list, object, optional, text, Wrong, whole } from './rules.ts';

test('an object rule copies the fields it knows, in its own order', () => {
  const rule = object<{ a: number; b?: string }>({ a: whole(0), b: optional(text(1, 2)) });
  expect(JSON.stringify(rule({ b: 'é', c: 1, a: 0 }))).toBe('{"a":0,"b":"é"}');
  expect(rule({ a: 0, b: null })).toBeInstanceOf(Wrong);
  expect(rule([])).toBeInstanceOf(Wrong);
});

test('a finding names the way to the field', () => {
  const rule = object<{ rows: readonly { n: number }[] }>({ rows: list(object<{ n: number }>({ n: whole(1, 5) }), 0, 3) });
  const wrong = rule({ rows: [{ n: 1 }, { n: 9 }] });
  expect(wrong instanceof Wrong && wrong.text).toBe('Expected `rows.1.n` to be a whole number from 1 to 5, got the number 9.');
});

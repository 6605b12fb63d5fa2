import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PAGE, page } from './report.ts';
import { ROWS } from './rows/index.ts';

test('docs/faults.md is what the kept results say', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(page());
});

test('no two rows have one key', () => {
  expect(new Set(ROWS.map(({ key }) => key)).size).toBe(ROWS.length);
});

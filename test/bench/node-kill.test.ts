import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PAGE, pageOfResults } from '../../bench/node-kill/page.ts';
import { compared } from '../../bench/node-kill/plan.ts';

test('the page about killed nodes is what its rows make of it', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(pageOfResults());
});

test('what somebody got is compared with what was logged', () => {
  expect(compared([1, 2, 3], [1, 2, 3])).toEqual({ lost: 0, doubled: 0, reordered: 0 });
  expect(compared([1, 2, 3, 4], [1, 3, 3, 2])).toEqual({ lost: 1, doubled: 1, reordered: 1 });
});

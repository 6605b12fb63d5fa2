import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LESSONS } from './lessons.ts';
import { allMutants } from './lists.ts';

const root = new URL('../../', import.meta.url);

test('each of the 35 lessons has guards, and every guard is there', async () => {
  const mutants = new Set((await allMutants()).map((mutant) => mutant.name));
  const expected = Array.from({ length: 35 }, (_, i) => `D${String(i + 1).padStart(2, '0')}`);
  expect(Object.keys(LESSONS)).toEqual(expected);
  const missing = Object.entries(LESSONS).flatMap(([id, { guards }]) => {
    if (guards.length === 0) return [`${id} has no guard`];
    return guards.flatMap((guard) => {
      if ('mutant' in guard) return mutants.has(guard.mutant) ? [] : [`${id}: there is no mutant ${guard.mutant}`];
      const file = new URL(guard.test, root);
      if (!existsSync(file)) return [`${id}: there is no ${guard.test}`];
      return guard.name === undefined || readFileSync(file, 'utf8').includes(guard.name) ? [] : [`${id}: there is no test “${guard.name}” in ${guard.test}`];
    });
  });
  expect(missing).toEqual([]);
});

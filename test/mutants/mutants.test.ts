import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { allMutants } from './lists.ts';
import { catcherOf, occurrences } from './mutant.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

test('every mutant still applies: its text occurs exactly once in src, and the test that must catch it is there', async () => {
  const mutants = await allMutants();
  expect(mutants.length).toBeGreaterThan(0);
  expect(new Set(mutants.map((mutant) => mutant.name)).size).toBe(mutants.length);
  const wrong = mutants.flatMap((mutant) => {
    const catcher = catcherOf(mutant);
    const times = occurrences(read(mutant.file), mutant.find);
    const says: string[] = [];
    if (times !== 1) says.push(`its text occurs ${times} times in ${mutant.file}`);
    if (mutant.find === mutant.replace) says.push('it changes nothing');
    if (catcher.is === 'test' && catcher.name !== null && !read(catcher.file).includes(catcher.name)) says.push(`no test “${catcher.name}” in ${catcher.file}`);
    return says.map((what) => `${mutant.name}: ${what}`);
  });
  expect(wrong).toEqual([]);
});

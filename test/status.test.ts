/** The pages that claim something name what shows it, and that is there. */

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { resolveOptions } from '../src/core/resolve-options.ts';
import { drillCatalogue } from '../src/drills/catalogue.ts';
import { LESSONS } from './mutants/lessons.ts';

const root = new URL('..', import.meta.url).pathname;
const page = (name: string): string => readFileSync(join(root, 'docs', name), 'utf8');
const rowsOf = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

test('every claim of the status page names a file with tests, and the command that runs it', () => {
  const claims = rowsOf(page('status.md')).filter(([, file]) => file?.startsWith('['));
  expect(claims.length).toBeGreaterThan(30);
  for (const [claim = '', file = '', command = ''] of claims) {
    const path = /\]\(\.\.\/([^)]+)\)/.exec(file)?.[1] ?? '';
    expect(existsSync(join(root, path)), `${claim}: ${path}`).toBe(true);
    expect(readFileSync(join(root, path), 'utf8'), path).toMatch(/\b(test|it)(\.\w+)*(\(|<)/);
    expect(command).toBe(`\`npm test -- ${path}\``);
  }
});

test('the incident page tells every lesson with the guards that it has', () => {
  const told = new Map(
    rowsOf(page('incident.md').split('<!-- lessons -->')[1] ?? '').map(([id, , lesson, guards]) => [id ?? '', { lesson, guards: guards ?? '' }]),
  );
  for (const [id, { guards }] of Object.entries(LESSONS)) {
    const row = told.get(id);
    expect(row?.lesson, id).toBeTruthy();
    for (const guard of guards) expect(row?.guards, id).toContain('mutant' in guard ? `\`${guard.mutant}\`` : `](../${guard.test})`);
  }
});

test('the page of drills has every drill, and what each came to', () => {
  const names = drillCatalogue(resolveOptions()).map(({ name }) => `\`${name}\``);
  const rows = rowsOf(page('drills.md')).filter(([name]) => name?.startsWith('`'));
  expect(rows.filter((row) => row.length === 3).map(([name]) => name)).toEqual(names);
  expect(rows.filter((row) => row.length === 4).map(([name, result]) => [name, result])).toEqual(names.map((name) => [name, 'passed']));
});

test.each(['drills.md', 'incident.md', 'status.md'])('%s has no link to a file that is not there', (name) => {
  for (const [, target = ''] of page(name).matchAll(/\]\((?!https?:|#)([^)#]+)/g))
    expect(existsSync(join(root, normalize(join('docs', dirname(name), target)))), target).toBe(true);
});

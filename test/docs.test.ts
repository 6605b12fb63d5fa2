import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LIFECYCLE } from '../src/core/lifecycle.ts';

const root = new URL('..', import.meta.url).pathname;
const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');

/** The rows of the table between two comments of a page, cells trimmed. */
function table(name: string): string[][] {
  const part = page.split(`<!-- ${name} -->`)[1]?.split(`<!-- /${name} -->`)[0] ?? '';
  const rows = part.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test('the table of layers is what the compiler enforces', () => {
  const told = new Map(
    table('layers').map(([layer, imports]) => [
      layer ?? '',
      (imports ?? '')
        .split(',')
        .map((i) => i.trim())
        .filter((i) => i !== ''),
    ]),
  );
  const real = readdirSync(join(root, 'src'), { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && existsSync(join(root, 'src', entry.name, 'tsconfig.json')),
  );
  const config = new Map(
    real.map(({ name }) => {
      const { references } = JSON.parse(readFileSync(join(root, 'src', name, 'tsconfig.json'), 'utf8')) as { references: { path: string }[] };
      return [name, references.map((r) => r.path.replace('../', ''))];
    }),
  );
  expect([...told.keys()].sort()).toEqual([...config.keys()].sort());
  for (const [layer, imports] of told) expect(imports.toSorted(), layer).toEqual(config.get(layer)?.toSorted());
});

test('every file that the architecture page names exists', () => {
  const named = [...page.matchAll(/`((?:[a-z-]+\/)+[a-z-]+\.tsx?)`/g)].map((match) => match[1] as string);
  expect(named.length).toBeGreaterThan(20);
  for (const file of named) expect(existsSync(join(root, file.startsWith('src/') ? file : `src/${file}`)), file).toBe(true);
});

test('the lifecycle table is the one that runs', () => {
  const yes = (flag: boolean): string => (flag ? 'yes' : 'no');
  const rows = Object.entries(LIFECYCLE).map(([state, { seat, transport, on }]) => [
    `\`${state}\``,
    yes(seat),
    yes(transport),
    Object.entries(on)
      .map(([event, next]) => `\`${event}\` → ${next}`)
      .join(' · '),
  ]);
  expect(table('lifecycle')).toEqual(rows);
});

test('no page names a link to a file that is not there', () => {
  for (const name of readdirSync(root).filter((file) => file.endsWith('.md'))) {
    const text = readFileSync(join(root, name), 'utf8');
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) expect(existsSync(join(root, target as string)), `${name}: ${target}`).toBe(true);
  }
});

/** The scripts as files: each says what it takes and answers, compiles, and uses no command whose permission is not looked at. */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { script } from '../../src/stores/redis/scripts.ts';
import { redisTool, startRedis } from '../support/redis.ts';
import { skipWithout } from '../support/tools.ts';

const folder = fileURLToPath(new URL('../../src/stores/redis/lua', import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.lua'))
  .map((file) => file.slice(0, -'.lua'.length));
const fragments = readdirSync(join(folder, 'shared')).map((file) => file.slice(0, -'.lua'.length));
const textOf = (name: string): string => readFileSync(join(folder, `${name}.lua`), 'utf8');
const commandsIn = (text: string, pattern: RegExp): ReadonlySet<string> =>
  new Set([...text.matchAll(pattern)].map(([, command = '']) => command.toUpperCase()));

it.each(names)('%s says what it is for, what it takes and what it answers', (name) => {
  const text = textOf(name);
  const header = text.split(/\n\s*\n/, 1)[0] ?? '';
  expect(header.split('\n').every((line) => line.startsWith('--'))).toBe(true);
  expect(header).toMatch(/^-- .*KEYS/m);
  if (text.slice(header.length).includes('ARGV')) expect(header).toMatch(/ARGV/);
  expect(header).toMatch(/answer/i);
});

it('asks before it starts for every command that a script uses', () => {
  const all = [...names.map(textOf), ...fragments.map((name) => textOf(`shared/${name}`))].join('\n');
  const tried = commandsIn(textOf('check'), /\{ '([A-Z]+)'/g);
  const used = commandsIn(all, /redis\.p?call\('([A-Za-z]+)'/g);
  expect([...used].filter((command) => !tried.has(command))).toEqual([]);
});

it('has no fragment that no script needs, and none that is missing', () => {
  const needed = new Set(names.flatMap((name) => (/^-- needs: (.+)$/m.exec(textOf(name))?.[1] ?? '').split(/[\s,]+/).filter(Boolean)));
  expect([...needed].sort()).toEqual(fragments.toSorted());
});

describe('on a real server', () => {
  skipWithout(redisTool());

  it('every script compiles', async () => {
    await using server = await startRedis();
    for (const name of names) {
      const { text, sha } = script(name);
      const loaded = spawnSync('redis-cli', ['-p', String(server.port), '-x', 'script', 'load'], { input: text, encoding: 'utf8' });
      expect(loaded.stdout.trim(), name).toMatch(/^[0-9a-f]{40}$/);
      // redis-cli ends what it reads with the end of the file, as the client does.
      expect(loaded.stdout.trim(), name).toBe(sha);
    }
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { script } from './scripts.ts';

const folder = new URL('./lua/', import.meta.url);
const names = readdirSync(folder).flatMap((file) => (file.endsWith('.lua') ? [file.slice(0, -'.lua'.length)] : []));
const CALL = /redis\.p?call\('([A-Z]+)'/g;

it('every script says what it does, takes and answers', () => {
  for (const name of names) {
    const text = readFileSync(new URL(`${name}.lua`, folder), 'utf8');
    for (const part of [/^-- \S/, /^-- .*(KEYS|See|see)/m, /answer/i]) expect(text, name).toMatch(part);
  }
});

it('the start tries every command that a script uses, so that a missing right is told at once', () => {
  const used = new Set(names.flatMap((name) => [...script(name).text.matchAll(CALL)].map(([, command]) => command)));
  const tried = new Set([...script('check').text.matchAll(/\{ '([A-Z]+)'/g)].map(([, command]) => command));
  expect([...used].filter((command) => !tried.has(command))).toEqual([]);
});

it('no script is told an instant or uses the clock of the gateway', () => {
  for (const name of names) expect(script(name).text, name).not.toMatch(/os\.(time|clock)/);
});

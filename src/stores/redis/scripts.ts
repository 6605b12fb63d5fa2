import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** One Lua script, as the server is given it. */
export interface Script {
  readonly name: string;
  readonly text: string;
  readonly sha: string;
}

const NEEDS = /^-- needs: (.+)$/m;
const loaded = new Map<string, Script>();

/** The script `lua/NAME.lua`, with the fragments `lua/shared/….lua` before it that its line `-- needs: …` names, in that order. */
export function script(name: string): Script {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const own = read(name);
  const fragments = (NEEDS.exec(own)?.[1] ?? '').split(/[\s,]+/).filter((fragment) => fragment !== '');
  const text = bare([...fragments.map((fragment) => read(`shared/${fragment}`)), own].join('\n'));
  const made: Script = { name, text, sha: createHash('sha1').update(text).digest('hex') };
  loaded.set(name, made);
  return made;
}

const read = (name: string): string => readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');

/** Without lines that are only comments: they travel with every reload. */
const bare = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !/^\s*(--|$)/.test(line))
    .join('\n');

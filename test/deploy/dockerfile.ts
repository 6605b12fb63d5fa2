/** What can be said of the Dockerfile without a Docker daemon: what stands in it, and what becomes of it when its steps are done by hand. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Check, ROOT } from './check.ts';

export interface Instruction {
  readonly name: string;
  /** Behind the name; flags left out. */
  readonly text: string;
  readonly flags: Readonly<Record<string, string>>;
  /** Of the exec form; null for the shell form. */
  readonly exec: readonly string[] | null;
}
export interface Stage {
  readonly from: string;
  readonly as: string | null;
  readonly instructions: readonly Instruction[];
}

/** Reads a Dockerfile: lines put together, comments left out. */
export function parseDockerfile(text: string): readonly Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const stages: { from: string; as: string | null; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(line) ?? [];
    const flags: Record<string, string> = {};
    let body = rest;
    for (let flag = /^--([\w-]+)=(\S+)\s*/.exec(body); flag !== null; flag = /^--([\w-]+)=(\S+)\s*/.exec(body)) {
      flags[flag[1] as string] = flag[2] as string;
      body = body.slice(flag[0].length);
    }
    if (name.toUpperCase() === 'FROM') {
      const [, from = '', as = null] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(body) ?? [];
      stages.push({ from, as, instructions: [] });
      continue;
    }
    const list = body.replace(/^CMD\s+/, '');
    const exec = list.startsWith('[') ? (JSON.parse(list) as string[]) : null;
    stages.at(-1)?.instructions.push({ name: name.toUpperCase(), text: body, flags, exec });
  }
  return stages;
}

/** Whether a file of the repository comes into the context. Knows what our `.dockerignore` uses: `*`, `!path`, and `**` before a name. */
export function ignoring(text: string): (path: string) => boolean {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  return (path) => {
    let isIgnored = false;
    for (const rule of rules) {
      const isBack = rule.startsWith('!');
      const pattern = isBack ? rule.slice(1) : rule;
      if (matches(pattern, path)) isIgnored = !isBack;
    }
    return isIgnored;
  };
}

function matches(pattern: string, path: string): boolean {
  const source = pattern
    .split('/')
    .map((part) => (part === '**' ? '.*' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')))
    .join('/')
    .replace('.*/', '(?:.*/)?');
  return new RegExp(`^${source}(/.*)?$`).test(path);
}

/** Every file of the context. */
export function contextFiles(root: string = ROOT): readonly string[] {
  const isIgnored = ignoring(readFileSync(join(root, '.dockerignore'), 'utf8'));
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!['node_modules', '.git', 'dist'].includes(entry.name)) walk(path);
      } else if (entry.isFile() && !isIgnored(path)) found.push(path);
    }
  };
  walk('');
  return found;
}

/** What is wrong with a Dockerfile. */
export function problemsOf(text: string, files: readonly string[]): readonly string[] {
  const stages = parseDockerfile(text);
  const last = stages.at(-1);
  if (last === undefined) return ['It has no stage.'];
  const problems: string[] = [];
  const every = (name: string): readonly Instruction[] => last.instructions.filter((one) => one.name === name);
  if (stages.length < 2) problems.push('What builds it is in the image: it needs two stages.');
  for (const { from } of stages) if (!/^[\w./-]+:[\w.-]+$/.test(from) || from.endsWith(':latest')) problems.push(`${from} is no fixed version.`);
  for (const { name, text: body, flags } of stages.flatMap(({ instructions }) => instructions)) {
    if (name === 'ADD') problems.push('ADD unpacks and downloads; COPY copies.');
    if (name === 'RUN' && /\b(sudo|curl|wget|chmod 777)\b/.test(body)) problems.push(`RUN ${body}`);
    if (name !== 'COPY' || flags.from !== undefined) continue;
    for (const source of body.split(/\s+/).slice(0, -1))
      if (!files.some((file) => file === source || file.startsWith(`${source}/`))) problems.push(`COPY ${source}: nothing of it is in the context.`);
  }
  const user = every('USER').at(-1)?.text ?? 'root';
  if (!/^65532(:65532)?$/.test(user)) problems.push(`It runs as ${user}, not as 65532.`);
  const afterUser = last.instructions.slice(last.instructions.findLastIndex(({ name }) => name === 'USER') + 1);
  if (afterUser.some(({ name }) => name === 'RUN' || name === 'COPY')) problems.push('Something is made after USER.');
  if (every('STOPSIGNAL').at(-1)?.text !== 'SIGTERM') problems.push('STOPSIGNAL is not SIGTERM, at which it drains.');
  const health = every('HEALTHCHECK').at(-1);
  if (health?.exec?.slice(-2).join(' ') !== 'check node') problems.push('HEALTHCHECK is not `spillway check node`.');
  for (const name of ['ENTRYPOINT', 'CMD']) if (every(name).at(-1)?.exec == null) problems.push(`${name} is not in exec form: signals would meet a shell.`);
  return problems;
}

export const DOCKERFILE = join(ROOT, 'Dockerfile');

export const dockerfileChecks: readonly Check[] = [
  {
    name: 'Dockerfile',
    needs: [],
    run() {
      const files = contextFiles();
      const secrets = files.filter((file) => /(^|\/)(\.spillway|secrets|\.env)(\/|$)/.test(file)).map((file) => `${file} comes into the context.`);
      const problems = [...problemsOf(readFileSync(DOCKERFILE, 'utf8'), files), ...secrets];
      if (problems.length > 0) throw new Error(problems.join('\n'));
      const bytes = files.reduce((sum, file) => sum + (existsSync(join(ROOT, file)) ? statSync(join(ROOT, file)).size : 0), 0);
      return `${files.length} files, ${(bytes / 1e6).toFixed(1)} MB of context`;
    },
  },
];

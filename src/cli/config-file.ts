import { existsSync, readFileSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { flattenOptions, type Layer } from '../core/resolve-options.ts';

/** Looked for in the working directory when no file is named. */
const NAMES = ['spillway.yaml', 'spillway.yml', 'spillway.json', 'spillway.config.js'] as const;

/** Reads the configuration file: the named one, or the one in the working directory, if any. What is wrong with it becomes a
 *  problem, with line and column where the format has them. */
export async function readConfigFile(named: string | undefined, problems: string[]): Promise<Layer | null> {
  const there = NAMES.filter((name) => existsSync(name));
  if (named === undefined && there.length > 1) {
    problems.push(`Expected one configuration file, found ${there.join(' and ')}; name one with \`--config\``);
    return null;
  }
  const path = named ?? there[0];
  if (path === undefined) return null;
  const source = named === undefined ? path : basename(path);
  const found: string[] = [];
  let values: Layer['values'] = new Map();
  try {
    const content = await load(path, found);
    if (found.length === 0 && content !== null) values = flattenOptions(content, 'server', found);
  } catch (error) {
    found.push((error as Error).message);
  }
  problems.push(...found.map((problem) => `${path}: ${problem}`));
  return { source, values, asText: false };
}

async function load(path: string, problems: string[]): Promise<unknown> {
  if (/\.[cm]?js$/.test(path)) {
    const module: { readonly default?: unknown } = await import(pathToFileURL(resolve(path)).href);
    if (module.default === undefined) problems.push('expected a default export with the options');
    return module.default;
  }
  const text = readFileSync(path, 'utf8');
  if (extname(path) === '.json') return JSON.parse(text);
  // Loaded on use: most calls have no such file.
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { prettyErrors: true });
  problems.push(...document.errors.map((error) => error.message));
  return document.errors.length > 0 ? null : (document.toJS() ?? null);
}

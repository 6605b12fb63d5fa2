import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AdminClient, createAdminClient } from '../admin/index.ts';
import { SpillwayError } from '../protocol/errors.ts';
import { adminKeyFile } from './data-folder.ts';

export const DEFAULT_URL = 'http://127.0.0.1:8788';
/** Where `dev` and `serve` keep the key unless told otherwise. */
const DATA_FOLDER = '.spillway';

/** A running gateway, as a command reaches it. */
export interface Target {
  readonly url: string;
  readonly key: string | null;
  /** Where the key came from, in words. */
  readonly keyFrom: string;
  readonly client: AdminClient;
  /** Nodes that did not answer the one that was asked, so far. */
  readonly late: ReadonlySet<string>;
}

/** The gateway at `url`, with the key of `SPILLWAY_ADMIN_TOKEN`, of the file that `SPILLWAY_ADMIN_TOKEN_FILE` names, or of
 *  `./.spillway/admin-key`. @throws SpillwayError for an address or a file that cannot be used. */
export function targetAt(url: string, env: NodeJS.ProcessEnv = process.env): Target {
  const address = checked(url);
  const { key, from } = keyOf(env);
  const late = new Set<string>();
  const unanswered = (nodes: readonly string[]): void => {
    for (const node of nodes) late.add(node);
  };
  return { url: address, key, keyFrom: from, client: createAdminClient({ url: address, key, unanswered }), late };
}

function checked(url: string): string {
  const parsed = URL.parse(url.includes('://') ? url : `http://${url}`);
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol))
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`--url\` to be the address of an operators' port, such as ${DEFAULT_URL}, got \`${url}\``);
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, '');
}

function keyOf(env: NodeJS.ProcessEnv): { readonly key: string | null; readonly from: string } {
  if (env.SPILLWAY_ADMIN_TOKEN) return { key: env.SPILLWAY_ADMIN_TOKEN, from: 'SPILLWAY_ADMIN_TOKEN' };
  const named = env.SPILLWAY_ADMIN_TOKEN_FILE;
  if (named) return { key: keyIn(named, 'SPILLWAY_ADMIN_TOKEN_FILE'), from: `${named} (SPILLWAY_ADMIN_TOKEN_FILE)` };
  const file = adminKeyFile(DATA_FOLDER);
  if (!existsSync(file)) return { key: null, from: `nowhere: there is no ./${join(file)}` };
  return { key: keyIn(file, 'the key'), from: `./${file}` };
}

function keyIn(file: string, what: string): string {
  let key: string;
  try {
    key = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected ${what} to be readable in ${file}: ${(error as Error).message}`);
  }
  // A header cannot carry anything else, and `fetch` would say so without saying what.
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new SpillwayError(
    'SPILLWAY_BAD_OPTION',
    `Expected ${what} in ${file} to be one line of visible characters, got ${key === '' ? 'an empty file' : 'something else'}`,
  );
}

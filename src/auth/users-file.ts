import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { hash } from '@node-rs/argon2';
import { SpillwayError } from '../protocol/errors.ts';
import { isUserId, type Tier, type UserId } from '../protocol/ids.ts';
import { nameOf } from './jwt.ts';
import { isTier } from './tier.ts';

/** An account of `auth.mode: dev`. */
export interface Account {
  /** What is typed at log-in. */
  readonly username: string;
  readonly id: UserId;
  readonly name: string;
  readonly tier: Tier;
  /** argon2id, in the PHC form `$argon2id$v=19$m=…`. */
  readonly passwordHash: string;
}

const DEMO_PASSWORD = 'spillway';
const DEMO_ACCOUNTS = [
  { username: 'ada', name: 'Ada', tier: 'free' },
  { username: 'ben', name: 'Ben', tier: 'early' },
  { username: 'cleo', name: 'Cleo', tier: 'mid' },
  { username: 'dora', name: 'Dora', tier: 'enterprise' },
] as const;

/** Writes the demo accounts (`ada`, `ben`, `cleo`, `dora`, password `spillway`) to `path`, readable by its owner only, unless a
 *  file is there already. Two processes that start together agree on one file. */
export async function ensureUsersFile(path: string): Promise<void> {
  if (existsSync(path)) return;
  const users = await Promise.all(DEMO_ACCOUNTS.map(async (account) => ({ ...account, passwordHash: await hash(DEMO_PASSWORD) })));
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, `${JSON.stringify({ users }, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(draft, path);
  } catch (error) {
    // The other process was faster: its file is as good as ours.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
}

/** Reads `{ users: [{ username, passwordHash, id?, name?, tier? }] }`; `id` and `name` default to the username, `tier` to `free`.
 *  Throws one `SpillwayError` that names everything wrong with it. */
export function readUsersFile(path: string): readonly Account[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected a users file in JSON at ${path}: ${(error as Error).message}`, { cause: error });
  }
  const users: unknown = typeof content === 'object' && content !== null ? (content as { users?: unknown }).users : undefined;
  if (!Array.isArray(users)) throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected ${path} to hold { "users": […] }.`);

  const problems: string[] = [];
  const accounts = users.map((user: unknown, index) => readAccount(user, `users[${index}]`, problems));
  const names = accounts.map((account) => account.username);
  for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index))) problems.push(`username "${name}" is there twice`);
  if (problems.length > 0) throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected usable accounts in ${path}, but: ${problems.join('; ')}.`);
  return accounts;
}

function readAccount(user: unknown, where: string, problems: string[]): Account {
  const fields = (typeof user === 'object' && user !== null ? user : {}) as Record<string, unknown>;
  const { username, id = username, name, tier = 'free', passwordHash } = fields;
  if (typeof username !== 'string' || username === '') problems.push(`${where}.username is no text`);
  if (!isUserId(id)) problems.push(`${where}.id is no text of 1 to 256 bytes without control characters`);
  if (name !== undefined && typeof name !== 'string') problems.push(`${where}.name is no text`);
  if (!isTier(tier)) problems.push(`${where}.tier is no tier name`);
  if (typeof passwordHash !== 'string' || !passwordHash.startsWith('$argon2id$')) problems.push(`${where}.passwordHash is no argon2id hash`);
  return {
    username: String(username),
    id: String(id) as UserId,
    name: nameOf(typeof name === 'string' ? name : undefined, String(id)),
    tier: String(tier),
    passwordHash: String(passwordHash),
  };
}

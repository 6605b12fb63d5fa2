import { createHash, randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADMIN_KEY_RULE, isAdminKey } from '../auth/admin-key.ts';
import { spellCredential } from '../auth/digest.ts';
import type { Account } from '../auth/users-file.ts';
import { SpillwayError } from '../protocol/errors.ts';

const KEY_BYTES = 32;

export const signingKeyFile = (folder: string): string => join(folder, 'signing-key');
export const adminKeyFile = (folder: string): string => join(folder, 'admin-key');
export const usersFile = (folder: string): string => join(folder, 'users.json');

/** Makes the data folder, for its owner only, and checks that it can be written to.
 *  @throws SpillwayError `SPILLWAY_STORE_UNAVAILABLE` naming the folder and the option. */
export function openDataFolder(folder: string): void {
  guarded(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    // Permissions do not tell of a read-only or full disk, nor of a file in the folder's place: a write does.
    const probe = join(folder, `.probe-${randomBytes(6).toString('hex')}`);
    writeFileSync(probe, 'x');
    rmSync(probe);
  });
}

/** The key that signs resume tokens and, with `auth.mode: dev`, access tokens. Made at the first start, readable by its owner only. */
export function ensureSigningKey(folder: string): Uint8Array {
  return guarded(folder, () => {
    const path = signingKeyFile(folder);
    if (!existsSync(path)) createOnce(path, randomBytes(KEY_BYTES));
    return readSigningKey(folder);
  });
}

/** @throws SpillwayError if the file does not hold a key. */
export function readSigningKey(folder: string): Uint8Array {
  const path = signingKeyFile(folder);
  const key = new Uint8Array(readFileSync(path));
  if (key.length !== KEY_BYTES) {
    throw new SpillwayError(
      'SPILLWAY_BAD_OPTION',
      `Expected ${path} to hold ${KEY_BYTES} bytes, got ${key.length}. Remove it to get a new key; everybody logs in again then.`,
    );
  }
  return key;
}

/** The key of the option `signingKey`; null where that is not set. */
export const signingKeyFrom = (text: string | null): Uint8Array | null => (text === null ? null : new Uint8Array(createHash('sha256').update(text).digest()));

/** Puts another key into the data folder, in one step. */
export function replaceSigningKey(folder: string, key: Uint8Array): void {
  guarded(folder, () => {
    const path = signingKeyFile(folder);
    const draft = `${path}.${randomBytes(6).toString('hex')}`;
    writeFileSync(draft, key, { mode: 0o600, flag: 'wx' });
    renameSync(draft, path);
  });
}

/** The key of the admin API. Made at the first start, readable by its owner only; a text, so that it can be pasted.
 *  @throws SpillwayError if the file does not hold one. */
export function ensureAdminKey(folder: string): string {
  return guarded(folder, () => {
    const path = adminKeyFile(folder);
    if (!existsSync(path)) createOnce(path, `${makeAdminKey()}\n`);
    const key = readFileSync(path, 'utf8').trim();
    if (isAdminKey(key)) return key;
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected ${path} to hold ${ADMIN_KEY_RULE}. Remove it to get a new key.`);
  });
}

export const makeAdminKey = (): string => spellCredential(randomBytes(KEY_BYTES));

/** The accounts of `auth.mode: dev`; the demo accounts are written at the first start. */
export async function ensureAccounts(folder: string): Promise<readonly Account[]> {
  // Loaded on use: commands that ask a gateway need no passwords.
  const { ensureUsersFile, readUsersFile } = await import('../auth/users-file.ts');
  await ensureUsersFile(usersFile(folder));
  return readUsersFile(usersFile(folder));
}

/** The demo accounts without a data folder. */
export async function demoAccounts(): Promise<readonly Account[]> {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-'));
  try {
    return await ensureAccounts(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Two processes that start together agree on one content. */
function createOnce(path: string, content: Uint8Array | string): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, content, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(draft, path);
  } catch (error) {
    // The other process was faster: its content is as good as ours.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
}

function guarded<T>(folder: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (SpillwayError.is(error)) throw error;
    throw new SpillwayError(
      'SPILLWAY_STORE_UNAVAILABLE',
      `Expected to be able to write in the data folder ${folder}: ${(error as Error).message}. Give this user the right to, or set \`data\` to another folder.`,
      {
        cause: error,
      },
    );
  }
}

import { randomBytes } from 'node:crypto';
import type { Account } from '../auth/users-file.ts';
import type { ServerOptions } from '../core/options.ts';
import type { Store } from '../ports/store.ts';
import { SpillwayError } from '../protocol/errors.ts';
import { memoryStore } from '../stores/memory.ts';
import { adminKeyFile, demoAccounts, ensureAccounts, ensureAdminKey, ensureSigningKey, makeAdminKey, openDataFolder } from './data-folder.ts';

/** What has to be there before a gateway can be. */
export interface Ground {
  /** Signs resume tokens and, with `auth.mode: dev`, access tokens. */
  readonly signingKey: Uint8Array;
  /** Of `auth.mode: dev`; null in other modes. */
  readonly accounts: readonly Account[] | null;
  readonly adminKey: AdminKey;
}

/** The key of the admin API, and who knows it: the operator who set it, whoever may read the file, or so far nobody. */
export type AdminKey = { readonly key: string } & (
  | { readonly from: 'option' }
  | { readonly from: 'file'; readonly file: string }
  | { readonly from: 'nowhere' }
);

/** Value of `data` that keeps nothing. */
const NOTHING = 'memory';

/** Makes and reads the data folder. @throws SpillwayError if it cannot be used. */
export async function openGround({ data, auth, admin }: ServerOptions): Promise<Ground> {
  const given = admin.token === null ? null : ({ key: admin.token, from: 'option' } as const);
  if (data === NOTHING) {
    const adminKey = given ?? { key: makeAdminKey(), from: 'nowhere' };
    return { signingKey: randomBytes(32), adminKey, accounts: auth.mode === 'dev' ? await demoAccounts() : null };
  }
  openDataFolder(data);
  const adminKey = given ?? { key: ensureAdminKey(data), from: 'file', file: adminKeyFile(data) };
  return { signingKey: ensureSigningKey(data), adminKey, accounts: auth.mode === 'dev' ? await ensureAccounts(data) : null };
}

/** Opens the configured store; the driver is loaded only here. @throws SpillwayError if it cannot be used now. */
export async function openStore(store: string): Promise<Store> {
  if (store === 'memory') return memoryStore();
  const { sqliteStore } = await import('../stores/sqlite/store.ts');
  return sqliteStore({ file: store.slice('sqlite:'.length) });
}

/** How long until a store that cannot be used now is tried again. */
export const RETRY_MS = 3_000;

/** Opens the store as soon as that is possible. `waiting` is told each time it is not. Null when `signal` came first.
 *  @throws SpillwayError if waiting cannot help. */
export async function openStoreWhenPossible(store: string, waiting: (reason: string) => void, signal: AbortSignal): Promise<Store | null> {
  while (!signal.aborted) {
    try {
      return await openStore(store);
    } catch (error) {
      if (!SpillwayError.is(error) || error.retry === 'never') throw error;
      waiting(error.message);
    }
    await pause(RETRY_MS, signal);
  }
  return null;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

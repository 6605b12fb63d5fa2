import { randomBytes } from 'node:crypto';
import type { Account } from '../auth/users-file.ts';
import type { ServerOptions } from '../core/options.ts';
import type { Store } from '../ports/store.ts';
import { SpillwayError } from '../protocol/errors.ts';
import { memoryStore } from '../stores/memory.ts';
import {
  adminKeyFile,
  demoAccounts,
  ensureAccounts,
  ensureAdminKey,
  ensureSigningKey,
  makeAdminKey,
  openDataFolder,
  replaceSigningKey,
  signingKeyFrom,
} from './data-folder.ts';
import { STORE_FORMS, storeAddress } from './store-address.ts';

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
export async function openGround({ data, auth, admin, signingKey }: ServerOptions): Promise<Ground> {
  const given = admin.token === null ? null : ({ key: admin.token, from: 'option' } as const);
  if (data === NOTHING) {
    const adminKey = given ?? { key: makeAdminKey(), from: 'nowhere' };
    return { signingKey: signingKeyFrom(signingKey) ?? randomBytes(32), adminKey, accounts: auth.mode === 'dev' ? await demoAccounts() : null };
  }
  openDataFolder(data);
  const adminKey = given ?? { key: ensureAdminKey(data), from: 'file', file: adminKeyFile(data) };
  return { signingKey: signingKeyFrom(signingKey) ?? ensureSigningKey(data), adminKey, accounts: auth.mode === 'dev' ? await ensureAccounts(data) : null };
}

/** The same ground with the signing key that all gateways of a shared store have: the option's, else the one that they agreed on there,
 *  which this data folder keeps from now on. Rejects while the store cannot be asked. */
export async function sharedGround(ground: Ground, { data, signingKey }: ServerOptions, store: Store): Promise<Ground> {
  if (store.cluster === null || signingKey !== null) return ground;
  const own = Buffer.from(ground.signingKey).toString('base64url');
  const agreed = await store.cluster.agree(SIGNING_KEY, own);
  if (agreed === own) return ground;
  const key = new Uint8Array(Buffer.from(agreed, 'base64url'));
  if (data !== NOTHING) replaceSigningKey(data, key);
  return { ...ground, signingKey: key };
}

/** Puts the key back where a store has lost all it had. False: there is another one by now. Rejects while the store cannot be asked. */
export async function keepAgreed(ground: Ground, { signingKey }: Pick<ServerOptions, 'signingKey'>, store: Pick<Store, 'cluster'>): Promise<boolean> {
  if (store.cluster === null || signingKey !== null) return true;
  const own = Buffer.from(ground.signingKey).toString('base64url');
  return (await store.cluster.agree(SIGNING_KEY, own)) === own;
}

/** Name of what is agreed on. */
const SIGNING_KEY = 'signing-key';

/** What says where the store is. */
export type StoreOptions = Pick<ServerOptions, 'store' | 'redis'>;

/** Opens the configured store; the driver is loaded only here. @throws SpillwayError if it cannot be used now. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const address = storeAddress(options);
  switch (address?.is) {
    case undefined:
      throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`store\` to be ${STORE_FORMS}.`);
    case 'memory':
      return memoryStore();
    case 'sqlite': {
      const { sqliteStore } = await import('../stores/sqlite/store.ts');
      return sqliteStore({ file: address.file });
    }
    case 'redis': {
      const { redisStore } = await import('../stores/redis/store.ts');
      return redisStore(address.options);
    }
  }
}

/** How long until a store that cannot be used now is tried again. */
export const RETRY_MS = 3_000;

/** Opens the store as soon as that is possible. `waiting` is told each time it is not. Null when `signal` came first.
 *  @throws SpillwayError if waiting cannot help. */
export async function openStoreWhenPossible(store: StoreOptions, waiting: (reason: string) => void, signal: AbortSignal): Promise<Store | null> {
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

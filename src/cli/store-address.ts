import type { ServerOptions } from '../core/options.ts';

/** Where a gateway keeps what must last, as the option `store` says it. */
export type StoreAddress =
  | { readonly is: 'memory' }
  | { readonly is: 'sqlite'; readonly file: string }
  /** Shared by all processes that name it. */
  | { readonly is: 'redis'; readonly options: RedisAddress };

/** As `redisStore` takes it. */
export interface RedisAddress {
  readonly url?: string;
  readonly nodes?: readonly string[];
  readonly sentinels?: readonly string[];
  readonly sentinelName?: string;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: boolean;
  readonly database?: number;
  readonly prefix: string;
}

/** What `store` may be, for errors. */
export const STORE_FORMS =
  '`memory`, `sqlite:FILE`, `redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]`, `redis+cluster://[USER[:PASSWORD]@]HOST[:PORT],HOST[:PORT]…` or `redis+sentinel://[USER[:PASSWORD]@]HOST[:PORT],HOST[:PORT]…/NAME[/DATABASE]`; `rediss` instead of `redis` for TLS';

/** Reads `store`, with what `redis.*` adds to it. Null for a text of no such form. */
export function storeAddress({ store, redis }: Pick<ServerOptions, 'store' | 'redis'>): StoreAddress | null {
  if (store === 'memory') return { is: 'memory' };
  const sqlite = /^sqlite:(.+)$/s.exec(store);
  if (sqlite !== null) return { is: 'sqlite', file: sqlite[1] as string };
  const match = /^(redis|valkey)(s?)(?:\+(cluster|sentinel))?:\/\/(?:([^@/\s]*)@)?([^@/\s]+)((?:\/[^/\s]*)*)$/.exec(store);
  if (match === null) return null;
  const [, , secure, layout, credentials = '', hosts = '', path = ''] = match;
  const common = { prefix: redis.prefix, ...(redis.password === null ? {} : { password: redis.password }) };
  if (layout === undefined) return hosts.includes(',') || !/^(\/\d{0,5})?$/.test(path) ? null : { is: 'redis', options: { url: store, ...common } };
  const addresses = hosts.split(',');
  if (!addresses.every((address) => /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(:\d{1,5})?$/.test(address))) return null;
  const who = { ...common, ...loginOf(credentials), ...(secure === 's' ? { tls: true } : {}) };
  if (layout === 'cluster') return /^\/?$/.test(path) ? { is: 'redis', options: { nodes: addresses, ...who } } : null;
  const [, name = '', database = '0', ...rest] = path.split('/');
  if (name === '' || rest.length > 0 || !/^\d{1,5}$/.test(database)) return null;
  return { is: 'redis', options: { sentinels: addresses, sentinelName: decodeURIComponent(name), database: Number(database), ...who } };
}

function loginOf(credentials: string): { readonly username?: string; readonly password?: string } {
  const at = credentials.indexOf(':');
  const [username, password] = at < 0 ? [credentials, ''] : [credentials.slice(0, at), credentials.slice(at + 1)];
  return { ...(username === '' ? {} : { username: decodeURIComponent(username) }), ...(password === '' ? {} : { password: decodeURIComponent(password) }) };
}

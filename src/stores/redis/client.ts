import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { systemRandom } from '../../ports/random.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import type { RedisStoreOptions } from './options.ts';

/** A connection of ioredis, to one server or to a cluster of them. */
export type Client = Redis | Cluster;

/** What this connection is for: commands are refused while there is none, or wait for it. */
export type ClientUse = 'commands' | 'blocking' | 'subscriptions';

const DEFAULT_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26379;
const CONNECT_WITHIN_MS = 2_000;
/** A connection on which nothing comes back this long is given up for another: after a cut that nobody told of, the old one would come
 *  back only with TCP's own patience. */
const SILENCE_MS = 3_000;
/** Above the time that a blocking read waits. */
const BLOCKING_SILENCE_MS = 6_000;
const BACKOFF_FIRST_MS = 50;
const BACKOFF_MOST_MS = 1_000;

/** 50 ms, doubling to 1 s, a quarter of it at random: nodes that lost their server at one moment do not come back at one. */
export const backoffMs = (times: number): number =>
  Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(times - 1, 10)) * (0.75 + systemRandom.share() / 4);

interface Address {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number | undefined;
  readonly isSecure: boolean;
}

/** Makes a connection; it connects when it is told to, or with its first command. Throws SPILLWAY_BAD_OPTION for options that say
 *  nothing or too much. */
export function createClient(o: RedisStoreOptions, use: ClientUse): Client {
  const ways = [o.url, o.nodes, o.sentinels].filter((way) => way !== undefined).length;
  if (ways !== 1) throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected exactly one of url, nodes and sentinels for the Redis store, got ${ways}.`);
  if (o.nodes !== undefined) return createCluster(o, o.nodes, use);
  if (o.sentinels !== undefined) return new Redis(sentinelOptions(o, o.sentinels, use));
  const address = addressOf(o.url as string, DEFAULT_PORT);
  return new Redis({ ...shared(o, address, use), ...waiting(use), host: address.host, port: address.port, db: address.database ?? o.database ?? 0 });
}

function createCluster(o: RedisStoreOptions, nodes: readonly string[], use: ClientUse): Cluster {
  const addresses = nodes.map((node) => addressOf(node, DEFAULT_PORT));
  const [first] = addresses;
  if (first === undefined) throw new SpillwayError('SPILLWAY_BAD_OPTION', 'Expected at least one address in nodes, got none.');
  if ((o.database ?? 0) !== 0)
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected no database with nodes, got ${o.database}: a Redis Cluster has only 0.`);
  return new Cluster(
    addresses.map(({ host, port }) => ({ host, port })),
    {
      lazyConnect: true,
      ...waiting(use),
      redisOptions: shared(o, first, use),
      clusterRetryStrategy: backoffMs,
      clusterNodeRetryStrategy: backoffMs,
      // Names resolve anew on each connection, and certificates carry names.
      dnsLookup: (host, callback) => callback(null, host),
    },
  );
}

function sentinelOptions(o: RedisStoreOptions, sentinels: readonly string[], use: ClientUse): Omit<RedisOptions, 'replyMapping'> {
  const addresses = sentinels.map((sentinel) => addressOf(sentinel, DEFAULT_SENTINEL_PORT));
  const [first] = addresses;
  if (first === undefined) throw new SpillwayError('SPILLWAY_BAD_OPTION', 'Expected at least one address in sentinels, got none.');
  const tls = tlsOf(o, first.isSecure);
  return {
    ...shared(o, { ...first, username: undefined, password: undefined }, use),
    ...waiting(use),
    sentinels: addresses.map(({ host, port }) => ({ host, port })),
    name: o.sentinelName ?? 'spillway',
    db: o.database ?? 0,
    sentinelRetryStrategy: backoffMs,
    sentinelUsername: o.sentinelUsername ?? first.username,
    sentinelPassword: o.sentinelPassword ?? first.password,
    sentinelCommandTimeout: CONNECT_WITHIN_MS,
    enableTLSForSentinelMode: tls !== undefined,
    sentinelTLS: tls,
  };
}

/** Commands are refused while there is no connection: their callers have a deadline. A subscription waits for one. */
const waiting = (use: ClientUse) => ({ enableOfflineQueue: use === 'subscriptions' });

function shared(o: RedisStoreOptions, address: Address, use: ClientUse) {
  return {
    lazyConnect: true,
    username: address.username ?? o.username,
    password: address.password ?? o.password,
    tls: tlsOf(o, address.isSecure),
    // The older protocol is spoken by every proxy and version, and needs no right of its own.
    protocol: 2 as const,
    disableClientInfo: true,
    connectTimeout: CONNECT_WITHIN_MS,
    socketTimeout: use === 'blocking' ? BLOCKING_SILENCE_MS : SILENCE_MS,
    maxRetriesPerRequest: use === 'subscriptions' ? null : 0,
    autoResendUnfulfilledCommands: use === 'subscriptions',
    retryStrategy: backoffMs,
    // A former primary that became a replica takes no writes: ask again who it is.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
}

function tlsOf(o: RedisStoreOptions, isSecure: boolean): TlsOptions | undefined {
  if (typeof o.tls === 'object') return o.tls;
  return o.tls === true || isSecure ? {} : undefined;
}

function addressOf(text: string, defaultPort: number): Address {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `redis://${text}`);
  // A URL may hold a password: it is not repeated.
  const fail = (what: string): never => {
    throw new SpillwayError(
      'SPILLWAY_BAD_OPTION',
      `Expected the address of a Redis server as redis://HOST:PORT, rediss://HOST:PORT or HOST:PORT, but ${what}.`,
    );
  };
  if (url === null) return fail('one cannot be read as a URL');
  if (!['redis:', 'rediss:', 'valkey:', 'valkeys:'].includes(url.protocol)) return fail(`one begins with ${url.protocol}//`);
  if (url.hostname === '') return fail('one names no host');
  const path = url.pathname.replace(/^\//, '');
  if (path !== '' && !/^\d+$/.test(path)) return fail('one ends with something that is no number of a database');
  const decoded = (part: string): string | undefined => {
    try {
      return part === '' ? undefined : decodeURIComponent(part);
    } catch {
      return fail('one has a % in its user or password that encodes nothing: write %25');
    }
  };
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? defaultPort : Number(url.port),
    username: decoded(url.username),
    password: decoded(url.password),
    database: path === '' ? undefined : Number(path),
    isSecure: url.protocol === 'rediss:' || url.protocol === 'valkeys:',
  };
}

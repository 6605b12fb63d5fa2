import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { Random } from '../../ports/random.ts';

/** Where the Redis or Valkey is (7.0 or newer), and how to reach it. Exactly one of `url`, `nodes` and `sentinels`. */
export interface RedisStoreOptions {
  /** A single server: `redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]`, `rediss://…` for TLS. */
  readonly url?: string;
  /** A Redis Cluster: some of its nodes, each `HOST:PORT` or a URL as above; one that answers is enough. */
  readonly nodes?: readonly string[];
  /** Sentinels, each `HOST:PORT`; the primary is asked of them, again after each failover. */
  readonly sentinels?: readonly string[];
  /** What the Sentinels call the primary. Default `spillway`. */
  readonly sentinelName?: string;
  /** User and password of the Sentinels, where they have their own. */
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** The server's user and password; those of a URL come first. */
  readonly username?: string;
  readonly password?: string;
  /** TLS as Node takes it, `{ ca, cert, key, servername }`; `true` for the system's authorities. `rediss://` alone is `true`. */
  readonly tls?: TlsOptions | boolean;
  /** Number of the database on a single server or behind Sentinels. Default 0. */
  readonly database?: number;
  /** Stands before every key: several gateways can share a server, each with its own. Default `sp`. */
  readonly prefix?: string;
  /** After how many milliseconds a question about seats is given up. Default 150. Reads and writes of the log have 10 times as long. */
  readonly deadlineMs?: number;
  /** How long a start may take. Default 5,000. */
  readonly startWithinMs?: number;
  readonly random?: Random;
}

export const DEFAULT_PREFIX = 'sp';
export const DEFAULT_DEADLINE_MS = 150;
export const DEFAULT_START_WITHIN_MS = 5_000;

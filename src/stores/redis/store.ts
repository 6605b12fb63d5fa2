import { systemRandom } from '../../ports/random.ts';
import type { Store, StoreHealth } from '../../ports/store.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { checkRedis, probe, refuseWrong } from './check.ts';
import { Connection } from './connection.ts';
import { createRedisCredentials } from './credentials.ts';
import { messageOf } from './errors.ts';
import { isKeyPrefix } from './keys.ts';
import { createRedisLog } from './log.ts';
import { createRedisNodes } from './nodes.ts';
import type { RedisStoreOptions } from './options.ts';
import { createRedisSeats } from './seats.ts';
import { createRedisThreads } from './threads.ts';

export type { RedisStoreOptions } from './options.ts';

/** A store in Redis 7 or Valkey that any number of gateway processes share: a single server, one behind Sentinels, or a Redis Cluster.
 *  Rejects when it cannot be used: SPILLWAY_BAD_OPTION, SPILLWAY_STORE_UNAVAILABLE (it does not answer), SPILLWAY_STORE_BROKEN (wrong
 *  version or settings, missing rights). Later trouble rejects the calls that meet it, within their deadline, and is over when its cause
 *  is. */
export async function redisStore(options: RedisStoreOptions): Promise<Store> {
  if (options.prefix !== undefined && !isKeyPrefix(options.prefix)) {
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected a prefix of 1 to 64 letters, digits and _.-, got ${JSON.stringify(options.prefix)}.`);
  }
  const random = options.random ?? systemRandom;
  const connection = new Connection(options);
  try {
    await connection.open();
    refuseWrong(await checkRedis(connection));
  } catch (error) {
    await connection[Symbol.asyncDispose]();
    throw error;
  }
  return {
    kind: 'redis',
    cluster: createRedisNodes(connection, random),
    seats: createRedisSeats(connection, random),
    log: createRedisLog(connection, random),
    threads: createRedisThreads(connection),
    credentials: createRedisCredentials(connection),
    health: () => health(connection),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

async function health(connection: Connection): Promise<StoreHealth> {
  const started = performance.now();
  try {
    await probe(connection);
    return { ok: true, detail: `Redis: a write took ${(performance.now() - started).toFixed(1)} ms.` };
  } catch (error) {
    return { ok: false, detail: messageOf(error) };
  }
}

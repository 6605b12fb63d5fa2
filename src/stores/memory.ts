import { type Clock, systemClock } from '../ports/clock.ts';
import { type Random, systemRandom } from '../ports/random.ts';
import type { Store } from '../ports/store.ts';
import { MemoryCluster } from './memory/cluster.ts';
import { MemoryCredentials } from './memory/credentials.ts';
import { MemoryLog } from './memory/log.ts';
import { Streams } from './memory/streams.ts';
import { MemoryThreads } from './memory/threads.ts';
import { createSeatBook } from './seats.ts';
import { createStoreClock } from './store-clock.ts';

/** A store that lives and ends with its process: the reference of what every store does, and the default of the library. Its
 *  calls never fail for want of ground. With `cluster` several factories of this process may share it, each of them a node. */
export function memoryStore(options: { readonly clock?: Clock; readonly random?: Random; readonly cluster?: boolean } = {}): Store {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const now = createStoreClock(clock);
  const streams = new Streams(random);
  return {
    kind: 'memory',
    cluster: options.cluster === true ? new MemoryCluster(clock, random) : null,
    seats: createSeatBook(clock, random),
    log: new MemoryLog(streams, now, options.cluster === true ? clock : null),
    threads: new MemoryThreads(streams),
    credentials: new MemoryCredentials(now),
    health: async () => ({ ok: true, detail: 'Memory: nothing is kept over a restart.' }),
    [Symbol.asyncDispose]: async () => {},
  };
}

import { type StoreMs, storeMs } from '../core/clocks.ts';
import type { Clock } from '../ports/clock.ts';

/** Makes a store's own clock: wall time at this instant, then monotonic. A later jump of the wall clock moves no retention and
 *  no expiry. It starts no lower than `atLeast`, the largest instant that the store holds, so that a wall clock set back between
 *  two lives of the store makes nothing younger than it was. */
export function createStoreClock(clock: Clock, atLeast = 0): () => StoreMs {
  const started = clock.mono();
  const base = Math.max(clock.wall(), atLeast);
  return () => storeMs(Math.floor(base + clock.mono() - started));
}

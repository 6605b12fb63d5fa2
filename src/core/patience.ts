import type { Evidence } from './evidence.ts';
import type { Options } from './options.ts';

/** How long a manager may take to answer a probe, from the flush: its measured round trip (RFC 6298: 1 s before the first
 *  sample), more if we ourselves are slow (`score`), and the time a slow reader needs for the bytes before the probe. Infinite
 *  for a reader of unknown speed with bytes before it; whoever waits bounds it (`health.confirmMaxMs`, `suspectMaxMs`). */
export function patienceMs(e: Evidence, score: number, o: Options): number {
  const bytesAhead = e.probe?.bytesAhead ?? 0;
  const readingMs = bytesAhead === 0 ? 0 : (bytesAhead / e.ackBytesPerS) * 1_000;
  return Math.max(o.health.probeFloorMs, e.srttMs + 4 * e.rttvarMs) * (score + 1) + readingMs;
}

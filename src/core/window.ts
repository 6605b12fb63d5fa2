import type { Options } from './options.ts';

/** Time of acknowledged data that may be under way; twice that is sent ahead. */
const WINDOW_S = 0.1;

/** Bytes that may be sent and unacknowledged to a client that acknowledges `ackBytesPerS`: what it takes in 0.2 s, within
 *  16…256 KiB. The rest waits in the log, where it can be counted, and not in the kernel, where it hides: with no bound a
 *  working 200 kB/s reader answered a probe after 2.7 to 12 s, with 64 KiB after 0.24 to 0.56 s (measured). */
export function ackWindow(ackBytesPerS: number, o: Options): number {
  return Math.min(o.window.maxBytes, Math.max(o.window.minBytes, 2 * ackBytesPerS * WINDOW_S));
}

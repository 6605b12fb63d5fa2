/** How long to wait before the next attempt. Pure: `random` is a number from 0 up to 1, drawn by the caller. */

export interface RetryTimes {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  readonly factor: number;
}

/** Fixed delays herd and giving up needs a reload, so: full jitter below a bound that doubles, for ever. */
export const RETRY_TIMES: RetryTimes = { minDelayMs: 250, maxDelayMs: 15_000, factor: 2 };

/** Live for this long, a transport has proved itself and the next loss starts from the shortest delay. */
export const STABLE_AFTER_MS = 5_000;

/** The delay after `failures` (from 0) attempts in a row that did not last. */
export function retryDelay(failures: number, times: RetryTimes, random: number): number {
  const bound = Math.min(times.maxDelayMs, times.minDelayMs * times.factor ** failures);
  return Math.floor(bound * random);
}

/** The delay when the gateway named a time: never earlier, up to a tenth later so that those who got the same time come apart. */
export function namedDelay(retryAfterMs: number, random: number): number {
  return Math.ceil(retryAfterMs * (1 + random / 10));
}

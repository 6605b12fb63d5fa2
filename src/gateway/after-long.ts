import type { Clock } from '../ports/clock.ts';

/** Timers of the platform end at 2³¹ ms, and one that is longer rings at once. */
const LONGEST_TIMER_MS = 2_000_000_000;

/** As `clock.after`, however long it is: tokens of some issuers live for months. */
export function afterLong(clock: Clock, delayMs: number, callback: () => void): () => void {
  let cancel = (): void => {};
  const wait = (leftMs: number): void => {
    cancel = leftMs <= LONGEST_TIMER_MS ? clock.after(leftMs, callback) : clock.after(LONGEST_TIMER_MS, () => wait(leftMs - LONGEST_TIMER_MS));
  };
  wait(delayMs);
  return () => cancel();
}

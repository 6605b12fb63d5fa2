/** One monotonic clock for all processes of a test: milliseconds of CLOCK_MONOTONIC, which starts with the machine and never steps. */
export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** A time in which a process could not run. */
export interface Stall {
  readonly from: number;
  readonly to: number;
}

/** Gaps from this length on count as stalls; what the loop owes itself between two looks is no gap. */
const GAP_MS = 25;
const LOOK_EVERY_MS = 5;

/** Watches this process for stalls, until disposed of. */
export function watchStalls(onStall: (stall: Stall) => void): Disposable {
  let lookedAt = nowMs();
  const timer = setInterval(() => {
    const now = nowMs();
    if (now - lookedAt > GAP_MS) onStall({ from: lookedAt + LOOK_EVERY_MS, to: now });
    lookedAt = now;
  }, LOOK_EVERY_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Milliseconds between two instants in which no process of `stalls` was held up: overlapping stalls count once. */
export function attentiveMs(from: number, to: number, stalls: readonly Stall[]): number {
  let lost = 0;
  let seenTo = from;
  for (const stall of stalls.filter((s) => s.to > from && s.from < to).sort((a, b) => a.from - b.from)) {
    const begin = Math.max(stall.from, seenTo);
    const end = Math.min(stall.to, to);
    if (end <= begin) continue;
    lost += end - begin;
    seenTo = end;
  }
  return to - from - lost;
}

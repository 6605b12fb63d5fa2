import { nowMs, type Stall } from '../../support/lab/time.ts';

const TICK_MS = 20;
/** Shorter ones are every program's daily life. */
const WORTH_TELLING_MS = 100;

/** Tells of every time in which this process could not run. */
export function tellStalls(tell: (stall: Stall) => void): void {
  let expected = nowMs() + TICK_MS;
  setInterval(() => {
    const now = nowMs();
    if (now - expected > WORTH_TELLING_MS) tell({ from: expected, to: now });
    expected = now + TICK_MS;
  }, TICK_MS).unref();
}

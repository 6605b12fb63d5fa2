import { monitorEventLoopDelay } from 'node:perf_hooks';
import { onTestFinished } from 'vitest';
import { TooLate } from './too-late.ts';

/** Longest time for which gateway and test may be kept from running, for lateness to count against the gateway; for shorter bounds half
 *  of the bound. */
const HARNESS_DELAY_MS = 200;
const RESOLUTION_MS = 10;

/** Checks a time that a person waits. */
export function expectWithin(what: string, tookMs: number, boundMs: number): void {
  if (!(tookMs <= boundMs)) throw new TooLate(`Expected ${what} within ${boundMs} ms, took ${Math.round(tookMs)} ms.`, boundMs);
}

/** A scenario under the load gate: lateness while this process itself was held up is void, which is skipped with its reason. Whatever
 *  else fails, fails. */
export function gated(scenario: () => Promise<void>): (context: { readonly skip: (note?: string) => never }) => Promise<void> {
  return async ({ skip }) => {
    const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delay.enable();
    onTestFinished(() => {
      delay.disable();
    });
    try {
      await scenario();
    } catch (error) {
      const heldUpMs = Math.round(delay.max / 1e6);
      if (error instanceof TooLate && heldUpMs > Math.min(HARNESS_DELAY_MS, error.boundMs / 2))
        skip(`void: this process was held up for ${heldUpMs} ms. ${error.message}`);
      throw error;
    }
  };
}

import type { Clock } from '../../ports/clock.ts';

/** Calls back two turns of the event loop from now: what had arrived by now has been read by then. */
export function afterReads(clock: Clock, act: () => void): void {
  clock.soon(() => clock.soon(act));
}

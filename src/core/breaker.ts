/** A breaker guards a dependency (store, token issuer, remote node), never a cleanup, Force or the end of a transport. In the incident
 *  a skipped cleanup counted as a failure, so attempts kept the one breaker open for everybody: 0 cleanups in the 24 h after
 *  the cause was gone. Here a skipped call is no event at all, and time alone half-opens. */

import type { Mono } from './clocks.ts';

export type Breaker =
  /** Calls pass. `failures`: those of the last 10 s. */
  | { readonly is: 'closed'; readonly failures: readonly Mono[] }
  /** Calls are skipped: the next cheaper path is taken, nobody is refused. */
  | { readonly is: 'open'; readonly until: Mono; readonly backoffMs: number }
  /** One call may try. */
  | { readonly is: 'half-open'; readonly backoffMs: number };

export const CLOSED: Breaker = { is: 'closed', failures: [] };

const FAILURES = 5;
const WINDOW_MS = 10_000;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 30_000;

/** The breaker after the result of a real call, or after a `tick` of the clock. */
export function stepBreaker(b: Breaker, e: 'success' | 'failure' | 'tick', now: Mono): Breaker {
  switch (b.is) {
    case 'closed': {
      if (e !== 'failure') return b;
      const failures = [...b.failures.filter((at) => now - at < WINDOW_MS), now];
      return failures.length >= FAILURES ? open(FIRST_BACKOFF_MS, now) : { is: 'closed', failures };
    }
    case 'open':
      // Answers of calls that were under way when it opened say nothing new.
      return e === 'tick' && now >= b.until ? { is: 'half-open', backoffMs: b.backoffMs } : b;
    case 'half-open':
      if (e === 'tick') return b;
      return e === 'success' ? CLOSED : open(Math.min(LONGEST_BACKOFF_MS, b.backoffMs * 2), now);
  }
}

const open = (backoffMs: number, now: Mono): Breaker => ({ is: 'open', until: (now + backoffMs) as Mono, backoffMs });

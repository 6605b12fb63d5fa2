/** A lease on seats above the soft limit, and its repayment. Instants are the caller's clock: `Mono` here, the store's in its scripts. */

import type { Mono } from './clocks.ts';
import type { Options } from './options.ts';

/** Where a user's burst stands. */
export type Burst =
  /** May start one. */
  | { readonly in: 'none' }
  /** Seats up to `limits.burst.perUser`. */
  | { readonly in: 'active'; readonly until: Mono }
  /** The lease ended with seats above the limit. `cap` only falls, so what is given back is never refilled. */
  | { readonly in: 'debt'; readonly since: Mono; readonly cap: number }
  /** Repaid; no other lease until then. */
  | { readonly in: 'cooldown'; readonly until: Mono };

/** The options a burst reads. `Options` is one. */
export interface BurstRules {
  readonly limits: Pick<Options['limits'], 'perUser' | 'burst'>;
}

export interface BurstStep {
  readonly burst: Burst;
  /** Seats the user may hold now. */
  readonly cap: number;
  /** Whether this step started a lease. */
  readonly granted: boolean;
  /** Seats to give back now: idle managers first, everybody in victim order (`all`) once `debtMaxMs` is over. */
  readonly repay: { readonly count: number; readonly all: boolean } | null;
}

/** The burst at `now`, with `f.seats` held. `f.want`: a person's admission is short after `aggressive`; `f.mayStart`: nothing speaks
 *  against a lease (heap, store). Two leases start at least `forMs` + `coolDownMs` apart, in debt the cap never rises. Step it before
 *  and after each change of seats, so that a repayment is dated when it happened; between changes it may sleep. */
export function stepBurst(b: Burst, f: { readonly seats: number; readonly want: boolean; readonly mayStart: boolean }, o: BurstRules, now: Mono): BurstStep {
  const soft = o.limits.perUser;
  const hard = Math.max(soft, o.limits.burst.perUser);
  const burst = settle(b, f.seats, soft, o, now);
  switch (burst.in) {
    case 'none': {
      if (!f.want || !f.mayStart || hard === soft) return { burst, cap: soft, granted: false, repay: null };
      return { burst: { in: 'active', until: (now + o.limits.burst.forMs) as Mono }, cap: hard, granted: true, repay: null };
    }
    case 'active':
      return { burst, cap: hard, granted: false, repay: null };
    case 'debt':
      return { burst, cap: burst.cap, granted: false, repay: { count: f.seats - soft, all: now - burst.since >= o.limits.burst.debtMaxMs } };
    case 'cooldown':
      return { burst, cap: soft, granted: false, repay: null };
  }
}

/** What time alone and the number of seats have made of it. */
function settle(b: Burst, seats: number, soft: number, o: BurstRules, now: Mono): Burst {
  const coolFrom = (repaidAt: number): Burst => {
    const until = (repaidAt + o.limits.burst.coolDownMs) as Mono;
    return now >= until ? { in: 'none' } : { in: 'cooldown', until };
  };
  switch (b.in) {
    case 'none':
      return b;
    case 'active':
      if (now < b.until) return b;
      return seats <= soft ? coolFrom(b.until) : { in: 'debt', since: b.until, cap: seats };
    case 'debt':
      return seats <= soft ? coolFrom(now) : { in: 'debt', since: b.since, cap: Math.min(b.cap, seats) };
    case 'cooldown':
      return now >= b.until ? { in: 'none' } : b;
  }
}

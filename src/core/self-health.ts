/** Are we the sick one? A gateway that cannot listen must not accuse. The idea is that of memberlist's `awareness`. */

import type { UserId } from '../protocol/ids.ts';

/** The worst score of our own health. */
export const WORST_SCORE = 8;
/** A gap of the ticker this long counts double. */
const LONG_GAP_MS = 1_000;

export interface SelfHealth {
  /** `L` = 0 (well) … 8. From `health.sickScore` on, findings against peers are void; below it, patience grows with it. */
  readonly score: number;
  /** Many peers of many users fell silent at once, the judged user's own aside: the network or we failed, not that peer. */
  readonly correlated: boolean;
}

export const WELL: SelfHealth = { score: 0, correlated: false };

/** What one second of ours looked like. */
export interface HealthSample {
  /** Longest gap between two ticks of the attention ticker. */
  readonly gapMs: number;
  /** 99th percentile of the event loop's delay. */
  readonly loopDelayP99Ms: number;
  /** Whether a probe round of this second was voided. */
  readonly voided: boolean;
  /** `health.stallGapMs`. */
  readonly stallGapMs: number;
}

/** Our health after one more second: a stall costs 1, a gap of a second or more 2, a voided round 1; a clean second heals 1. */
export function stepSelfHealth(s: SelfHealth, second: HealthSample): SelfHealth {
  const stalled = second.gapMs > second.stallGapMs || second.loopDelayP99Ms > second.stallGapMs;
  const cost = (second.gapMs >= LONG_GAP_MS ? 2 : stalled ? 1 : 0) + (second.voided ? 1 : 0);
  return { ...s, score: Math.min(WORST_SCORE, Math.max(0, s.score + (cost > 0 ? cost : -1))) };
}

/** How far back a correlated failure looks. */
export const CORRELATION_WINDOW_MS = 2_000;
const CORRELATED_MANAGERS = 5;
const CORRELATED_USERS = 3;
const CORRELATED_SHARE = 0.3;

/** One probe of the last `CORRELATION_WINDOW_MS`. */
export interface ProbeResult {
  readonly userId: UserId;
  readonly answered: boolean;
  /** Whether this manager answered the probe before this one: only who was well can fall silent. */
  readonly answeredBefore: boolean;
}

/** A window of probe results, summed up once for all who are judged by it. */
export interface Silence {
  readonly probed: number;
  readonly silent: number;
  /** Users with somebody silent. */
  readonly users: number;
  readonly byUser: ReadonlyMap<UserId, { readonly probed: number; readonly silent: number }>;
}

/** Only who answered before can fall silent. */
export function sumUp(window: Iterable<ProbeResult>): Silence {
  const byUser = new Map<UserId, { probed: number; silent: number }>();
  let probed = 0;
  let silent = 0;
  let users = 0;
  for (const { userId, answered, answeredBefore } of window) {
    const own = byUser.get(userId) ?? { probed: 0, silent: 0 };
    byUser.set(userId, own);
    own.probed++;
    probed++;
    if (answered || !answeredBefore) continue;
    if (own.silent++ === 0) users++;
    silent++;
  }
  return { probed, silent, users, byUser };
}

/** Whether within the window, `judged`'s own managers aside, at least 5 managers of at least 3 users and 30 % of all probed
 *  fell silent together. One user with many frozen tabs is no correlation. */
export function isCorrelatedIn(s: Silence, judged: UserId): boolean {
  const own = s.byUser.get(judged) ?? { probed: 0, silent: 0 };
  const silent = s.silent - own.silent;
  const users = s.users - (own.silent > 0 ? 1 : 0);
  return silent >= CORRELATED_MANAGERS && users >= CORRELATED_USERS && silent >= CORRELATED_SHARE * (s.probed - own.probed);
}

export const isCorrelated = (window: readonly ProbeResult[], judged: UserId): boolean => isCorrelatedIn(sumUp(window), judged);

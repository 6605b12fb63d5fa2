import type { Bound, Times } from './row.ts';

/** What a preset of the gateway makes of the catalogue's times. */
export const timesOf = (timing: 'default' | 'fast'): Times => (timing === 'fast' ? { divisor: 10, slackMs: 500 } : { divisor: 1, slackMs: 0 });

/** A time of the catalogue under this preset. */
export const scaled = (times: Times, ms: number): number => ms / times.divisor;

const BOUND_MS: Readonly<Record<Bound, number>> = { K2: 2_000, T30: 30_000, A80: 80_000, H15: 15_000 };
/** What an application's freeze may take at the limit; it falls linearly from 70 % of the limit on. */
const A80_FULL_MS = 25_000;
const FALLS_FROM = 0.7;

/** Within how long a fault must be noticed, its user's seats being this share of the limit. */
export function boundMs(times: Times, bound: Bound, share = 0): number {
  const full = BOUND_MS[bound];
  const ms = bound === 'A80' ? full - (full - A80_FULL_MS) * Math.min(1, Math.max(0, (share - FALLS_FROM) / (1 - FALLS_FROM))) : full;
  return scaled(times, ms) + times.slackMs;
}

/** How long a row is looked at, and then healed. */
export const WINDOW_MS = 130_000;
export const HEALED_MS = 50_000;
/** Faults of one row are spread over this, so that they meet the gateway's timers in every phase. */
export const HEARTBEAT_MS = 15_000;
/** A transport that is dead has lost socket and seat this soon after it was noticed. */
export const RELEASE_MS = 1_000;
/** A zombie's socket goes with the next background pass at the latest. */
export const PASS_MS = 5_000;

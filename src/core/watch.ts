import type { Mono } from './clocks.ts';
import { type CleanupLevel, LEVELS } from './levels.ts';
import type { Options } from './options.ts';

/** How hard a user's dead are looked for before the limit. */
export interface Watch {
  /** Level of the background pass; null below the first share of `cleanup.proactiveAt`. */
  readonly level: CleanupLevel | null;
  /** Since when the load has been too low for the level. */
  readonly lowSince: Mono | null;
  /** Everybody's evidence is kept fresh. */
  readonly probing: boolean;
  readonly probingLowSince: Mono | null;
}

export const CALM: Watch = { level: null, lowSince: null, probing: false, probingLowSince: null };

/** A level is left this far below the share at which it is entered. */
const LEAVE_BELOW = 0.1;

/** The watch after a look at `seats`. Entered at once, left only after the load was low for `cleanup.watchHoldMs`, so that a
 *  load at the edge does not flicker. `level` is what the background pass may run at: null while there is room, and always with
 *  `cleanup.proactive: false`. The pass never takes the living. */
export function stepWatch(w: Watch, seats: number, soft: number, o: Options, now: Mono): { watch: Watch; level: CleanupLevel | null; probing: boolean } {
  const share = seats / soft;
  const entered = rankAt(share, o);
  const kept = rankAt(share + LEAVE_BELOW, o);
  const rank = w.level === null ? 0 : LEVELS.indexOf(w.level) + 1;
  const level = entered > rank ? { rank: entered, lowSince: null } : fall(rank, Math.min(rank, kept), w.lowSince, o, now);

  const probing = share >= o.cleanup.watchOn ? { on: true, lowSince: null } : quieten(w, share < o.cleanup.watchOff, o, now);
  const watch: Watch = { level: LEVELS[level.rank - 1] ?? null, lowSince: level.lowSince, probing: probing.on, probingLowSince: probing.lowSince };
  return { watch, level: o.cleanup.proactive ? watch.level : null, probing: watch.probing };
}

/** How many shares of `cleanup.proactiveAt` are reached; the sum with `LEAVE_BELOW` must not miss one by a rounding error. */
const rankAt = (share: number, o: Options): number => o.cleanup.proactiveAt.filter((at) => share >= at - 1e-9).length;

function fall(rank: number, to: number, lowSince: Mono | null, o: Options, now: Mono): { rank: number; lowSince: Mono | null } {
  if (to >= rank) return { rank, lowSince: null };
  const since = lowSince ?? now;
  return now - since >= o.cleanup.watchHoldMs ? { rank: to, lowSince: null } : { rank, lowSince: since };
}

function quieten(w: Watch, isLow: boolean, o: Options, now: Mono): { on: boolean; lowSince: Mono | null } {
  if (!w.probing || !isLow) return { on: w.probing, lowSince: null };
  const since = w.probingLowSince ?? now;
  return now - since >= o.cleanup.watchHoldMs ? { on: false, lowSince: null } : { on: true, lowSince: since };
}

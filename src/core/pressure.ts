import type { Options } from './options.ts';

/** Seats of the user / soft limit, or seats of the node / `limits.perNode`, whichever is larger. Taken once a pass. */
export function pressure(user: { readonly seats: number; readonly soft: number }, node: { readonly seats: number; readonly perNode: number }): number {
  return Math.max(user.seats / user.soft, node.seats / node.perNode);
}

/** `appDead(p)` is flat up to here. */
const APP_DEAD_FALLS_FROM = 0.7;
/** `idle(p)` is flat up to here. */
const IDLE_FALLS_FROM = 0.8;

function between(p: number, from: number, calm: number, full: number): number {
  const share = Math.min(1, Math.max(0, (p - from) / (1 - from)));
  return calm + share * (full - calm);
}

/** Silence in milliseconds after which an application counts as dead at pressure `p`: 75 s up to 0.7, falling linearly to 20 s
 *  at 1. Never below `freshMs`: who was heard that recently is not asked, so it cannot be dead. */
export const appDeadMs = (p: number, o: Options): number =>
  Math.max(o.health.freshMs, between(p, APP_DEAD_FALLS_FROM, o.health.appDeadMs, o.health.appDeadFullMs));

/** Quiet time in milliseconds after which an idle manager may go at pressure `p`: 300 s up to 0.8, falling linearly to 60 s at 1. */
export const idleMs = (p: number, o: Options): number => between(p, IDLE_FALLS_FROM, o.cleanup.idleMs, o.cleanup.idleFullMs);

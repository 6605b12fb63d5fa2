/** A full node (A2). Its limit is as soft as a user's: the dead of any user go first, protected tiers may use a reserve, the others
 *  wait their turn at the gate. Never does a living manager of another user pay. */

import type { AdmissionFacts, AdmissionStep } from './admission-facts.ts';
import type { Mono } from './clocks.ts';
import type { Options } from './options.ts';

const LEAST_RESERVE = 2;

/** Seats above `limits.perNode` that only protected tiers may use. */
export const reserve = (o: Options): number => Math.max(LEAST_RESERVE, Math.ceil(o.limits.perNode * o.limits.reserveShare));

const isProtected = (f: AdmissionFacts, o: Options): boolean => Object.hasOwn(o.tiers, f.request.tier) && o.tiers[f.request.tier]?.protected === true;

/** Whether this node has no seat for it. While others wait at the gate, a free seat is theirs; the reserve is not. */
export function isNodeFull(f: AdmissionFacts, o: Options): boolean {
  if (f.node.turn || f.paid > 0) return false;
  if (isProtected(f, o) && f.node.seats < o.limits.perNode + reserve(o)) return false;
  return f.node.seats >= o.limits.perNode || f.node.gate > 0;
}

/** What an admission does at a full node. */
export function passGate(f: AdmissionFacts, o: Options, now: Mono): AdmissionStep {
  if (f.done.node === 'no') return { do: 'clean', of: 'node', level: 'moderate', liveMax: 0, need: 1 };
  if (f.ticket?.at === 'gate') {
    if (now < f.ticket.deadline) return { do: 'wait' };
    // Who holds seats here can be seated without one more on this node.
    if (f.ticket.class === 'user' && f.seats > 0 && f.done.force === 'no') return { do: 'force' };
    return overloaded(f);
  }
  return f.node.gate < o.queue.gatePlaces ? { do: 'enqueue', at: 'gate', class: f.request.intent, pushOut: null } : overloaded(f);
}

const overloaded = (f: AdmissionFacts): AdmissionStep => ({ do: 'retry-later', reason: 'node-overloaded', afterMs: f.node.gateAfterMs, promise: null });

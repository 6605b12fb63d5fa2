/** A full node (A2). Its limit is as soft as a user's: the dead of any user go first, protected tiers may use a reserve, the others
 *  wait their turn at the gate. Never does a living manager of another user pay. */

import type { AdmissionFacts, AdmissionStep } from './admission-facts.ts';
import type { Mono } from './clocks.ts';
import type { Options } from './options.ts';
import type { QueueClass } from './queue.ts';

const LEAST_RESERVE = 2;

/** Seats above `limits.perNode` that only protected tiers may use. */
export const reserve = (o: Options): number => Math.max(LEAST_RESERVE, Math.ceil(o.limits.perNode * o.limits.reserveShare));

const isProtected = (f: AdmissionFacts, o: Options): boolean => Object.hasOwn(o.tiers, f.request.tier) && o.tiers[f.request.tier]?.protected === true;

/** Whether this node has no seat for it. While others wait at the gate, a free seat is theirs. */
export function isNodeFull(f: AdmissionFacts, o: Options): boolean {
  if (f.node.turn || f.paid > 0) return false;
  return f.node.seats >= o.limits.perNode || f.node.gate > 0;
}

/** Whether a seat of the reserve is left for it. Those who wait at the gate have no claim to it. */
export const mayUseReserve = (f: AdmissionFacts, o: Options): boolean => isProtected(f, o) && f.node.seats < o.limits.perNode + reserve(o);

/** What an admission of class `wanted` does at a node that is full, also without its dead. */
export function passGate(f: AdmissionFacts, wanted: QueueClass, o: Options, now: Mono): AdmissionStep {
  if (f.ticket?.at !== 'gate') return f.node.gate < o.queue.gatePlaces ? { do: 'enqueue', at: 'gate', class: wanted, pushOut: null } : overloaded(f);
  if (now < f.ticket.deadline) return { do: 'wait' };
  // Who holds seats here can be seated without one more on this node.
  if (f.ticket.class === 'user' && f.node.own > 0) {
    if (f.done.force === 'no') return { do: 'force' };
    // Every seat it could name is promised to another admission, which ends in bounded time in a manager or a free seat: then it is named.
    if (f.done.force === 'promised' || now < f.ticket.deadline + o.cleanup.seatPromiseMs) return { do: 'wait' };
  }
  return overloaded(f);
}

/** Spread over half as long again, so that those who were sent away together do not come back together. */
const overloaded = (f: AdmissionFacts): AdmissionStep => ({
  do: 'retry-later',
  reason: 'node-overloaded',
  afterMs: f.node.gateAfterMs * (1 + f.jitter / 2),
  promise: null,
});

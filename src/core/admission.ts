/** The next step of an admission. Rows A1…A12: the first that holds wins; after each step the caller reads the facts again and asks
 *  again. It sends a person away only where the queue is full or the whole node is, and then with a time that works. */

import type { AdmissionFacts, AdmissionStep } from './admission-facts.ts';
import type { Mono } from './clocks.ts';
import type { CleanupLevel } from './levels.ts';
import { isNodeFull, mayUseReserve, passGate } from './node-room.ts';
import type { Options } from './options.ts';
import { enqueue } from './queue.ts';
import { room } from './seats.ts';

/** No new lease while more of the heap is used: seats cost memory. */
const BURST_HEAP_SHARE = 0.85;
/** An automatic reconnect that waited in vain comes back after 5 to 10 s, doubling to 60 s. */
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 60_000;

export function decideAdmission(f: AdmissionFacts, o: Options, now: Mono): AdmissionStep {
  // A1
  if (f.request.resumes) return { do: 'reattach' };
  const ticket = f.ticket?.at === 'queue' ? f.ticket : null;
  // A2
  if (isNodeFull(f, o)) {
    const hasReserve = mayUseReserve(f, o);
    // Who stands in the user's own queue takes a seat of its own user in the end, and needs none of the node's.
    if (ticket !== null && f.node.own > 0 && !hasReserve) return freeOwnDead(f) ?? waitOn(ticket, f, o, now);
    if (f.done.node === 'no') return { do: 'clean', of: 'node', level: 'moderate', liveMax: 0, need: f.joined };
    if (!hasReserve) return passGate(f, isPersons(f, o) ? 'user' : 'auto', o, now);
  }
  // A3
  if (f.paid > 0 || room(f) > f.ahead) return { do: 'seat', how: howSeated(f, o) };
  // A4
  const dead = freeOwnDead(f);
  if (dead !== null) return dead;
  // A12
  if (ticket !== null) return waitOn(ticket, f, o, now);
  // A5
  return isPersons(f, o) ? relieve(f, o, now) : waitInLine(f, o, now);
}

/** The dead of the user go before anything else is said. */
function freeOwnDead(f: AdmissionFacts): AdmissionStep | null {
  if (f.done.conservative === 'no') return clean('conservative', 0, f);
  return f.done['moderate-dead'] === 'no' ? clean('moderate', 0, f) : null;
}

/** Whether it may cost a living manager its seat, start a lease and end with Force. */
const isPersons = (f: AdmissionFacts, o: Options): boolean => f.request.intent === 'user' && f.forcesLastMinute < o.displacement.perMinute;

/** A6…A9: what a person may ask of the living. */
function relieve(f: AdmissionFacts, o: Options, now: Mono): AdmissionStep {
  const elapsedMs = now - f.startedAt;
  if (mayProbe(f, elapsedMs, o)) return { do: 'probe', managers: f.ambiguous, deadlineMs: o.cleanup.probeRoundMs };
  if (elapsedMs < o.cleanup.cutOverMs) {
    if (f.done.moderate === 'no') return clean('moderate', o.cleanup.liveMaxModerate, f);
    if (f.done.aggressive === 'no') return clean('aggressive', o.cleanup.liveMaxAggressive, f);
  }
  if (o.limits.overflowPolicy === 'force-first' && f.done.force === 'no') return { do: 'force' };
  if (isLeaseGrantable(f, o, now)) return { do: 'start-burst' };
  return waitInLine(f, o, now);
}

function mayProbe(f: AdmissionFacts, elapsedMs: number, o: Options): boolean {
  if (f.done.probe !== 'no' || f.ambiguous.length === 0) return false;
  if (f.node.score >= o.health.sickScore || f.node.stalled || !f.node.probeBudget) return false;
  return elapsedMs + o.cleanup.probeRoundMs < o.cleanup.cutOverMs;
}

function isLeaseGrantable(f: AdmissionFacts, o: Options, now: Mono): boolean {
  if (f.done.burst !== 'no' || f.store === 'cut-off' || f.node.heapShare > BURST_HEAP_SHARE) return false;
  if (o.limits.burst.perUser <= o.limits.perUser) return false;
  return f.burst.in === 'none' || (f.burst.in === 'cooldown' && now >= f.burst.until);
}

/** A10, A11. Whether there is a place is settled where the place is given, in the store's one step. */
function waitInLine(f: AdmissionFacts, o: Options, now: Mono): AdmissionStep {
  if (f.refusal !== null) return { do: 'retry-later', reason: 'queue-full', afterMs: Math.max(0, f.refusal.promiseAt - now), promise: f.refusal.promise };
  const wanted = isPersons(f, o) ? 'user' : 'auto';
  const outlook = enqueue(f.queue, { id: f.request.managerId, class: wanted, waitMs: null, promise: null, fresh: '' }, o, now);
  return { do: 'enqueue', at: 'queue', class: wanted, pushOut: outlook.is === 'queued' ? (outlook.pushedOut?.id ?? null) : null };
}

/** A12. A person's waiting ends with Force, whatever else has happened; an automatic reconnect costs nobody a seat. */
function waitOn(ticket: NonNullable<AdmissionFacts['ticket']>, f: AdmissionFacts, o: Options, now: Mono): AdmissionStep {
  if (now < ticket.deadline) return { do: 'wait' };
  if (ticket.class === 'user') {
    if (f.done.force === 'no') return { do: 'force' };
    // Every seat it could name is promised to another admission, which ends in bounded time in a manager or a free seat: then it is named.
    if (f.done.force === 'promised' || now < ticket.deadline + o.cleanup.seatPromiseMs) return { do: 'wait' };
  }
  const afterMs = FIRST_RETRY_MS * (1 + f.jitter) * 2 ** Math.min(f.request.refusals, 10);
  return { do: 'retry-later', reason: 'no-seat-yet', afterMs: Math.min(LONGEST_RETRY_MS, afterMs), promise: null };
}

/** Seats missing for the admissions of this pass; only a person's may cost the living. Seats above the cap are repaid elsewhere and
 *  are nobody's need here. */
function clean(level: CleanupLevel, liveMax: number, f: AdmissionFacts): AdmissionStep {
  const served = liveMax > 0 ? f.persons : f.joined;
  const need = Math.max(1, served + f.ahead - Math.max(0, room(f)));
  return { do: 'clean', of: 'user', level, liveMax: Math.min(liveMax, served), need };
}

function howSeated(f: AdmissionFacts, o: Options): Extract<AdmissionStep, { do: 'seat' }>['how'] {
  if (f.done.force === 'enough') return 'force';
  if (f.ticket !== null) return 'after-queue';
  if (f.seats >= o.limits.perUser) return 'burst';
  const cleaned = [f.done.conservative, f.done['moderate-dead'], f.done.moderate, f.done.aggressive];
  return cleaned.includes('enough') ? 'after-cleanup' : 'direct';
}

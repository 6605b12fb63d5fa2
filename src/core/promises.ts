/** Places kept for those who found a queue full. A retry time is only worth telling if it works. */

import type { Mono } from './clocks.ts';
import type { QueueClass, QueueRules, Ticket } from './queue.ts';

/** From `at`, for `queue.promiseMs`, a place is kept for whoever was told to come back then. */
export interface Promised {
  readonly at: Mono;
  /** Class of the attempt that was refused; its return queues in it at least: also an automatic one counts as the person's. */
  readonly class: QueueClass;
  /** What the returning client shows. */
  readonly name: string;
  /** It has served an arrival that did not show it. Whoever shows it is served all the same, above the places. */
  readonly lent?: true;
}

/** What holds a place of a queue, now or later. */
export interface Claims {
  readonly tickets: readonly Ticket[];
  readonly promises: readonly Promised[];
}

/** Open promises a user can have, in multiples of the places. Whoever is refused beyond them is told the last one's time and takes
 *  its chance there. */
const PROMISES_PER_PLACE = 10;
/** Promises that are kept for one user. Whoever is refused beyond them is told the last one's time too, and stands there like anybody: one
 *  who asks for ever more of them costs everybody else no more than this. */
export const PROMISES_KEPT = 1_000;

/** Promises that can still be kept. */
export const withoutLapsed = (promises: readonly Promised[], o: QueueRules, now: Mono): readonly Promised[] =>
  promises.some((p) => p.at + o.queue.promiseMs < now) ? promises.filter((p) => p.at + o.queue.promiseMs >= now) : promises;

export const findPromise = (promises: readonly Promised[], name: string | null): Promised | null =>
  name === null ? null : (promises.find((p) => p.name === name) ?? null);

/** What somebody of `wanted` has to heed: a person only persons, because it may push out automatic reconnects; those heed all. */
function heeded(c: Claims, wanted: QueueClass): Claims {
  // The place of a promise that was lent is held by the ticket of whoever it served.
  const promises = c.promises.filter((p) => p.lent !== true);
  return wanted === 'auto'
    ? { ...c, promises }
    : { tickets: c.tickets.filter((t) => t.class === 'user'), promises: promises.filter((p) => p.class === 'user') };
}

/** Whether there is a place in `from`…`to` for one more of `wanted`, without taking one that somebody was promised. */
export function hasRoom(c: Claims, wanted: QueueClass, from: Mono, to: number, o: QueueRules): boolean {
  const rivals = heeded(c, wanted);
  const isFreeAt = (at: Mono) => occupied(rivals, at, o) < o.queue.places;
  return isFreeAt(from) && rivals.promises.every((p) => p.at <= from || p.at >= to || isFreeAt(p.at));
}

/** Places taken at `at` if nobody were seated before its deadline and every promise were used. The place of a promise is taken from
 *  the promised instant until `waitMs` after it. */
function occupied(c: Claims, at: Mono, o: QueueRules): number {
  let count = 0;
  for (const t of c.tickets) if (t.deadline > at) count += 1;
  for (const p of c.promises) if (p.at <= at && p.at + o.queue.waitMs > at) count += 1;
  return count;
}

/** When the next refused attempt is to come back: the first instant at which a place is certain. With nothing but tickets the k-th
 *  refusal gets the deadline of the k-th ticket, and `waitMs` later for each further round of places. */
export function nextPromiseAt(c: Claims, wanted: QueueClass, o: QueueRules, now: Mono): Mono {
  const last = c.promises.at(-1);
  if (last !== undefined && c.promises.length >= PROMISES_PER_PLACE * o.queue.places) return last.at;
  const changes = [now, ...c.tickets.map((t) => t.deadline), ...c.promises.map((p) => (p.at + o.queue.waitMs) as Mono)];
  const instants = changes.filter((at) => at >= now).sort((a, b) => a - b);
  return instants.find((at) => hasRoom(c, wanted, at, at + o.queue.waitMs, o)) ?? (instants.at(-1) as Mono);
}

/** A user's waiting line: persons before automatic reconnects, each class in the order of arrival. Immutable. */

import type { ManagerId } from '../protocol/ids.ts';
import type { Mono } from './clocks.ts';
import type { Options } from './options.ts';
import { findPromise, hasRoom, nextPromiseAt, PROMISES_KEPT, type Promised, withoutLapsed } from './promises.ts';

export type QueueClass = 'user' | 'auto';

/** A place in a user's queue. */
export interface Ticket {
  readonly id: ManagerId;
  readonly class: QueueClass;
  readonly issuedAt: Mono;
  /** When waiting ends: with Force for a person, with a retry time for an automatic reconnect. */
  readonly deadline: Mono;
}

export interface Queue {
  /** In order of arrival within a class. */
  readonly tickets: readonly Ticket[];
  /** Places kept for those who found the queue full, earliest first. */
  readonly promises: readonly Promised[];
  /** How long those waited who were served in the last second. */
  readonly lastWaits: readonly { readonly at: Mono; readonly waitedMs: number }[];
  /** When seats of this user became free lately, oldest first, those of one moment as one. */
  readonly lastReleases: readonly Mono[];
}

export const EMPTY_QUEUE: Queue = { tickets: [], promises: [], lastWaits: [], lastReleases: [] };

/** The options a queue reads. `Options` is one. */
export interface QueueRules {
  readonly queue: Pick<Options['queue'], 'places' | 'waitMs' | 'promiseMs'>;
}

export interface TicketRequest {
  readonly id: ManagerId;
  readonly class: QueueClass;
  /** What the client is ready to wait; `queue.waitMs` bounds it. */
  readonly waitMs: number | null;
  /** The name of the promise it holds, if any. */
  readonly promise: string | null;
  /** The name for a new promise, should it be refused. The queue has no randomness of its own. */
  readonly fresh: string;
}

export type Enqueued =
  | {
      readonly is: 'queued';
      readonly queue: Queue;
      readonly ticket: Ticket;
      /** From 1. For a person it never gets worse. */
      readonly position: number;
      readonly etaMs: number;
      /** The `auto` ticket that lost its place to this person's. */
      readonly pushedOut: Ticket | null;
    }
  /** Come back at `promiseAt` with the promise `promise`: a place is kept from then for `queue.promiseMs`. */
  | { readonly is: 'full'; readonly queue: Queue; readonly promiseAt: Mono; readonly promise: string };

/** Window in which waits are looked at, and the wait from which on the queue is a standing one. */
const STANDING_WINDOW_MS = 1_000;
const STANDING_WAIT_MS = 100;
/** Releases remembered for the expected wait. */
const RELEASES_KEPT = 8;
/** Releases this close to each other are one. */
const SAME_MOMENT_MS = 100;

/** The tickets in the order in which they are served: persons by arrival; then automatic ones by arrival, but newest first while
 *  the queue stands (nobody was served within 100 ms for a second): the latest attempt is the one that still listens. */
export function orderQueue(q: Queue, now: Mono): readonly Ticket[] {
  const auto = q.tickets.filter((t) => t.class === 'auto');
  if (isStanding(q, auto, now)) auto.reverse();
  return [...q.tickets.filter((t) => t.class === 'user'), ...auto];
}

function isStanding(q: Queue, auto: readonly Ticket[], now: Mono): boolean {
  const waits = q.lastWaits.filter((w) => now - w.at <= STANDING_WINDOW_MS);
  if (waits.length > 0) return waits.every((w) => w.waitedMs >= STANDING_WAIT_MS);
  return auto.some((t) => now - t.issuedAt >= STANDING_WINDOW_MS);
}

/** Gives a place, or a promise of one. A second attempt of the same manager takes over its ticket and place. A person may push out
 *  the last automatic ticket. A holder of a promise that is due gets its place, at least in the class of the attempt that was refused. */
export function enqueue(q: Queue, r: TicketRequest, o: QueueRules, now: Mono): Enqueued {
  const queue = { ...q, promises: withoutLapsed(q.promises, o, now) };
  const own = queue.tickets.find((t) => t.id === r.id);
  if (own !== undefined) return takeOver(queue, own, r.class, now);

  const held = findPromise(queue.promises, r.promise);
  // A promise may raise an automatic return to the rank of the person who was refused; it never lowers a person.
  const wanted = r.class === 'user' ? 'user' : (held?.class ?? 'auto');
  const ticket = newTicket(r, wanted, held, o, now);
  const others = queue.promises.filter((p) => p !== held);
  const isDue = held !== null && held.at <= now;
  if (isDue || hasRoom({ tickets: queue.tickets, promises: others }, wanted, now, ticket.deadline, o)) {
    return enter({ ...queue, promises: others }, ticket, o, now);
  }
  // It came too early: that costs it nothing, its promise stands.
  if (held !== null) return { is: 'full', queue, promiseAt: held.at, promise: held.name };
  // An automatic return's place is none for a person: persons were told their positions without it.
  const due = queue.promises.find((p) => p.at <= now && p.lent !== true && (p.class === 'user' || r.class === 'auto'));
  return due === undefined ? refuse(queue, r, o, now) : lend(queue, due, r, o, now);
}

/** Serves an arrival without a promise by one that is due: perhaps it is its holder, who has lost it. If not, the holder may come yet. */
function lend(q: Queue, due: Promised, r: TicketRequest, o: QueueRules, now: Mono): Enqueued {
  const served = enqueue(q, { ...r, promise: due.name }, o, now);
  const promises = [...served.queue.promises, { ...due, lent: true } as const].sort((a, b) => a.at - b.at);
  return { ...served, queue: { ...served.queue, promises } };
}

/** Takes a place; a person may take that of the last automatic reconnect. */
function enter(q: Queue, ticket: Ticket, o: QueueRules, now: Mono): Enqueued {
  // A ticket whose waiting is over holds no place: taking it away would make no room.
  const isFull = q.tickets.filter((t) => t.deadline > now).length >= o.queue.places;
  const last = orderQueue(q, now).findLast((t) => t.class === 'auto' && t.deadline > now) ?? null;
  const pushedOut = isFull && ticket.class === 'user' ? last : null;
  return queued({ ...q, tickets: q.tickets.filter((t) => t !== pushedOut) }, ticket, pushedOut, now);
}

function newTicket(r: TicketRequest, wanted: QueueClass, held: Promised | null, o: QueueRules, now: Mono): Ticket {
  // Who comes back late with a promise has waited since the promised instant: so the place is free again when the next one was told.
  const issuedAt = Math.min(now, held?.at ?? now) as Mono;
  return { id: r.id, class: wanted, issuedAt, deadline: (issuedAt + Math.min(r.waitMs ?? o.queue.waitMs, o.queue.waitMs)) as Mono };
}

function takeOver(q: Queue, own: Ticket, wanted: QueueClass, now: Mono): Enqueued {
  if (own.class === 'user' || wanted === 'auto') return queued({ ...q, tickets: q.tickets.filter((t) => t !== own) }, own, null, now, q.tickets.indexOf(own));
  // A person stands behind the persons already told their positions.
  return queued({ ...q, tickets: q.tickets.filter((t) => t !== own) }, { ...own, class: 'user' }, null, now);
}

function queued(q: Queue, ticket: Ticket, pushedOut: Ticket | null, now: Mono, index = q.tickets.length): Enqueued {
  const queue = { ...q, tickets: q.tickets.toSpliced(index, 0, ticket) };
  const position = positionOf(queue, ticket.id, now) ?? queue.tickets.length;
  return { is: 'queued', queue, ticket, position, etaMs: etaMs(queue, ticket, position, now), pushedOut };
}

function refuse(q: Queue, r: TicketRequest, o: QueueRules, now: Mono): Enqueued {
  const at = nextPromiseAt(q, r.class, o, now);
  const promised: Promised = { at, class: r.class, name: r.fresh };
  const promises = q.promises.length >= PROMISES_KEPT ? q.promises : [...q.promises, promised].sort((a, b) => a.at - b.at);
  return { is: 'full', queue: { ...q, promises }, promiseAt: at, promise: promised.name };
}

/** Place of a ticket, from 1; null if it has none. */
export function positionOf(q: Queue, id: ManagerId, now: Mono): number | null {
  const index = orderQueue(q, now).findIndex((t) => t.id === id);
  return index < 0 ? null : index + 1;
}

/** Expected wait: position × mean gap between this user's recent releases, or the time since the last one where that is longer; never
 *  beyond the own deadline, where waiting ends. */
export function etaMs(q: Pick<Queue, 'lastReleases'>, ticket: Ticket, position: number, now: Mono): number {
  const left = Math.max(0, ticket.deadline - now);
  const gapMs = meanGapMs(q.lastReleases, now);
  return gapMs === null ? left : Math.min(left, position * gapMs);
}

/** Mean gap between instants, the one that lasts until `now` counting where it is longer; null while nothing can be said. */
export function meanGapMs(instants: readonly Mono[], now: Mono): number | null {
  const first = instants[0];
  const last = instants.at(-1);
  if (first === undefined || last === undefined || instants.length < 2) return null;
  return Math.max((last - first) / (instants.length - 1), now - last);
}

/** Tickets ranked ahead of an admission: those before its own ticket, or else all of its class and better. */
export function ahead(q: Queue, id: ManagerId, wanted: QueueClass, now: Mono): number {
  const position = positionOf(q, id, now);
  if (position !== null) return position - 1;
  return wanted === 'auto' ? q.tickets.length : q.tickets.filter((t) => t.class === 'user').length;
}

/** Whoever held this ticket has gone. */
export function cancel(q: Queue, id: ManagerId): Queue {
  return q.tickets.some((t) => t.id === id) ? { ...q, tickets: q.tickets.filter((t) => t.id !== id) } : q;
}

/** The holder of this ticket got its seat. */
export function serve(q: Queue, id: ManagerId, now: Mono): Queue {
  const ticket = q.tickets.find((t) => t.id === id);
  if (ticket === undefined) return q;
  const lastWaits = q.lastWaits.filter((w) => now - w.at <= STANDING_WINDOW_MS);
  return { ...cancel(q, id), lastWaits: [...lastWaits, { at: now, waitedMs: now - ticket.issuedAt }] };
}

/** A seat of this user became free. What one cleanup frees at once was asked for by somebody and tells nothing of when the next will. */
export function onSeatFreed(q: Queue, now: Mono): Queue {
  const last = q.lastReleases.at(-1);
  if (last !== undefined && now - last < SAME_MOMENT_MS) return q;
  return { ...q, lastReleases: [...q.lastReleases, now].slice(-RELEASES_KEPT) };
}

/** Tickets whose waiting is over, in serving order. */
export const due = (q: Queue, now: Mono): readonly Ticket[] => orderQueue(q, now).filter((t) => t.deadline <= now);

import type { Mono } from '../../core/clocks.ts';
import { etaMs as expectedMs } from '../../core/queue.ts';
import type { SeatFacts } from '../../ports/store.ts';
import type { ManagerId, UserId } from '../../protocol/ids.ts';
import type { Context } from '../context.ts';
import type { QueuedTicket } from '../reports.ts';
import type { QueuePlace } from './admission.ts';
import type { AdmissionRun } from './admission-run.ts';

/** Somebody who waits for a seat. */
export interface Waiting {
  readonly run: AdmissionRun;
  readonly place: QueuePlace | null;
  /** Where it stands now; whoever asked is told if that is news. */
  tell(place: QueuePlace): void;
}

/** A waiting person hears of their place at least this often. */
const LOOK_EVERY_MS = 2_000;
/** Where other nodes give seats back too, whoever waits asks for one this often, should nobody tell. */
const LOOK_EVERY_SHARED_MS = 150;
/** Whoever waits beyond its deadline, because all seats it could name are promised, asks again after this time. */
const ASK_AGAIN_MS = 50;

/** Those who wait in the queues of their users. Each change of a user's seats brings them into a pass, which looks at them in the
 *  order of the queue. */
export class WaitingRoom {
  readonly #context: Context;
  readonly #carryOn: (waiting: Waiting) => void;
  readonly #waiting = new Map<UserId, Map<Waiting, () => void>>();

  constructor(context: Context, carryOn: (waiting: Waiting) => void) {
    this.#context = context;
    this.#carryOn = carryOn;
  }

  get size(): number {
    let size = 0;
    for (const own of this.#waiting.values()) size += own.size;
    return size;
  }

  /** Everybody who waits here. */
  get all(): readonly Waiting[] {
    return [...this.#waiting.values()].flatMap((own) => [...own.keys()]);
  }

  waitingOf(user: UserId): number {
    return this.#waiting.get(user)?.size ?? 0;
  }

  /** As they were told last, user by user. */
  get tickets(): readonly QueuedTicket[] {
    const tickets: QueuedTicket[] = [];
    for (const own of this.#waiting.values()) {
      const first = tickets.length;
      for (const { run, place } of own.keys()) {
        if (place === null || run.ticket === null) continue;
        const { position, etaMs, deadlineMs } = place;
        const { user, manager, tier } = run.applicant;
        tickets.push({ user, tier, manager, at: 'queue', class: run.ticket.class, position, etaMs, deadlineMs });
      }
      tickets.push(...tickets.splice(first).sort((a, b) => a.position - b.position));
    }
    return tickets;
  }

  /** It waits here from now on, or still. */
  hold(waiting: Waiting, facts: SeatFacts): void {
    const { user } = waiting.run.applicant;
    const place = placeOf(waiting.run, facts, this.#context.mono());
    waiting.tell(place);
    const own = this.#waiting.get(user) ?? new Map<Waiting, () => void>();
    this.#waiting.set(user, own);
    own.get(waiting)?.();
    // Nobody behind the first one here is seated before it.
    const isFirst = (): boolean => [...own.keys()].every((other) => other === waiting || other.place === null || other.place.position > place.position);
    const everyMs = this.#context.cluster === null || !isFirst() ? LOOK_EVERY_MS : LOOK_EVERY_SHARED_MS;
    const wakeMs = place.deadlineMs > 0 ? Math.min(place.deadlineMs, everyMs) : ASK_AGAIN_MS;
    own.set(
      waiting,
      this.#context.clock.after(wakeMs, () => this.#carryOn(waiting)),
    );
  }

  /** It waits here no longer. */
  release(waiting: Waiting): void {
    const { user } = waiting.run.applicant;
    const own = this.#waiting.get(user);
    own?.get(waiting)?.();
    own?.delete(waiting);
    if (own?.size === 0) this.#waiting.delete(user);
  }

  /** Whether another attempt of the same client waits under its ticket. */
  isShared(run: AdmissionRun): boolean {
    for (const other of this.#waiting.get(run.applicant.user)?.keys() ?? []) if (other.run !== run && other.run.id === run.id) return true;
    return false;
  }

  /** Whether that manager waits here. */
  holds(user: UserId, manager: ManagerId): boolean {
    for (const { run } of this.#waiting.get(user)?.keys() ?? []) if (run.id === manager) return true;
    return false;
  }

  /** Seats, queue or burst of `user` changed. */
  poke(user: UserId): void {
    for (const waiting of this.#waiting.get(user)?.keys() ?? []) this.#carryOn(waiting);
  }

  stop(): void {
    for (const own of this.#waiting.values()) for (const cancel of own.values()) cancel();
    this.#waiting.clear();
  }
}

function placeOf(run: AdmissionRun, facts: SeatFacts, now: Mono): QueuePlace {
  const index = facts.tickets.findIndex((t) => t.id === run.id);
  const ticket = facts.tickets[index];
  const deadlineMs = Math.max(0, Math.round((run.ticket?.deadline ?? now) - now));
  const position = Math.max(1, index + 1);
  const eta = ticket === undefined ? deadlineMs : Math.round(expectedMs(facts, ticket, position, facts.now as typeof ticket.deadline));
  return { position, of: Math.max(1, facts.tickets.length), etaMs: Math.min(eta, deadlineMs), deadlineMs };
}

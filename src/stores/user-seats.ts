import { type Burst, stepBurst } from '../core/burst.ts';
import type { Mono } from '../core/clocks.ts';
import type { Options } from '../core/options.ts';
import { withoutLapsed } from '../core/promises.ts';
import { ahead, cancel, EMPTY_QUEUE, onSeatFreed, orderQueue, type Queue, serve } from '../core/queue.ts';
import type { AdmitRequest, SeatDigest, SeatFacts, SeatHolder, SeatLimits } from '../ports/store.ts';
import type { ManagerId } from '../protocol/ids.ts';
import type { EvictReason } from '../protocol/reasons.ts';

/** A ticket keeps its rank this long after its deadline: its holder is being seated by Force just then, if we do not stall. It holds
 *  no place any more. */
const TICKET_LINGERS_MS = 5_000;

export interface Seat {
  readonly digest: SeatDigest;
  readonly attach: string;
  readonly leaseEnd: Mono;
  readonly kind: 'soft' | 'burst';
  /** What the admission answered, so that a repeated one answers the same. */
  readonly burstStarted: boolean;
  readonly replaced: ManagerId | null;
  readonly from: SeatHolder | null;
}
/** What is told of a manager that has just come. */
const NEWLY_SEATED = { verdict: 'healthy', quietMs: 0, run: false, pinned: false, critical: false, hidden: false } as const;

interface Tombstone {
  readonly token: number;
  readonly reason: EvictReason;
  readonly until: Mono;
}

/** Limits in the shape that the decisions of `core` read. */
export const rulesOf = (l: SeatLimits) => ({
  limits: {
    perUser: l.soft,
    burst: { perUser: l.hard, forMs: l.burstForMs, coolDownMs: l.coolDownMs, debtMaxMs: l.debtMaxMs } satisfies Options['limits']['burst'],
  },
  queue: { places: l.places, waitMs: l.waitMs, promiseMs: l.promiseMs },
});

/** The seats, tickets and burst of one user. Each method is one atomic step at `now`; `limits` are those of the latest call. */
export class UserSeats {
  readonly #seats = new Map<ManagerId, Seat>();
  readonly #tombstones = new Map<ManagerId, Tombstone>();
  #burst: Burst = { in: 'none' };
  #cap = 0;
  queue: Queue = EMPTY_QUEUE;
  /** Null until a call has brought limits: adopted seats come without. */
  limits: SeatLimits | null = null;

  /** Whether nothing would be lost by forgetting this user. */
  get isEmpty(): boolean {
    const { tickets, promises } = this.queue;
    return this.#seats.size + this.#tombstones.size + tickets.length + promises.length === 0 && this.#burst.in === 'none';
  }

  get count(): number {
    return this.#seats.size;
  }

  seat(manager: ManagerId): Seat | undefined {
    return this.#seats.get(manager);
  }

  tombstone(manager: ManagerId): Tombstone | undefined {
    return this.#tombstones.get(manager);
  }

  /** Drops what has run out. Leases end one by one at their own instants, so that a debt is repaid when it was. */
  settle(now: Mono): void {
    const ended = [...this.#seats].filter(([, seat]) => seat.leaseEnd <= now).sort(([, a], [, b]) => a.leaseEnd - b.leaseEnd);
    for (const [manager, seat] of ended) this.#free(manager, seat.leaseEnd);
    for (const [manager, stone] of this.#tombstones) if (stone.until <= now) this.#tombstones.delete(manager);
    this.stepBurst(false, now);
    if (this.limits === null) return;
    const tickets = this.queue.tickets.filter((t) => t.deadline + TICKET_LINGERS_MS > now);
    this.queue = { ...this.queue, tickets, promises: withoutLapsed(this.queue.promises, rulesOf(this.limits), now) };
  }

  /** Returns whether a lease was started. */
  stepBurst(want: boolean, now: Mono): boolean {
    if (this.limits === null) return false;
    const step = stepBurst(this.#burst, { seats: this.#seats.size, want, mayStart: true }, rulesOf(this.limits), now);
    this.#burst = step.burst;
    this.#cap = step.cap;
    return step.granted;
  }

  /** Whether there is a seat beyond the tickets ranked ahead of this admission. */
  hasRoom(r: Pick<AdmitRequest, 'manager' | 'class'>, now: Mono): boolean {
    return this.#cap - this.#seats.size > ahead(this.queue, r.manager, r.class, now);
  }

  /** Gives a seat; the manager's ticket and tombstone are gone with it. */
  take(r: AdmitRequest, token: number, how: Pick<Seat, 'burstStarted' | 'replaced' | 'from'>, now: Mono): Seat {
    const before = this.#seats.get(r.manager);
    const { manager, node, incarnation } = r;
    const times = { toldAt: now, seatedAt: before?.digest.seatedAt ?? now };
    const digest: SeatDigest = { manager, token, node, incarnation, ...NEWLY_SEATED, ...times };
    const kind = before?.kind ?? this.#kindOfNext();
    const seat: Seat = { digest, attach: r.attach, leaseEnd: (now + r.limits.ttlMs) as Mono, kind, ...how };
    this.#seats.set(r.manager, seat);
    this.#tombstones.delete(r.manager);
    this.queue = serve(this.queue, r.manager, now);
    this.stepBurst(false, now);
    return seat;
  }

  /** Puts back, or renews, a seat that its node holds. */
  put(digest: SeatDigest, ttlMs: number, now: Mono): void {
    const before = this.#seats.get(digest.manager);
    const kind = before?.kind ?? this.#kindOfNext();
    const how = {
      attach: before?.attach ?? '',
      kind,
      burstStarted: before?.burstStarted ?? false,
      replaced: before?.replaced ?? null,
      from: before?.from ?? null,
    };
    const told: SeatDigest = { ...digest, toldAt: now, seatedAt: before?.digest.seatedAt ?? now };
    this.#seats.set(digest.manager, { digest: told, leaseEnd: (now + ttlMs) as Mono, ...how });
    if (before !== undefined) return;
    this.queue = cancel(this.queue, digest.manager);
    this.stepBurst(false, now);
  }

  /** Frees a seat. With a reason it is remembered, so that its holder learns of it. */
  free(manager: ManagerId, reason: EvictReason | null, now: Mono): void {
    const seat = this.#seats.get(manager);
    if (seat === undefined) return;
    this.#free(manager, now);
    if (reason !== null) this.#bury(manager, seat.digest.token, reason, now);
  }

  /** Takes a seat from its holder for a newcomer who takes it in the same step: it is never free, the count cannot rise. */
  seize(manager: ManagerId, reason: EvictReason, now: Mono): void {
    const seat = this.#seats.get(manager);
    if (seat === undefined) return;
    this.#seats.delete(manager);
    this.#bury(manager, seat.digest.token, reason, now);
  }

  cancel(manager: ManagerId): void {
    this.queue = cancel(this.queue, manager);
  }

  facts(now: Mono): SeatFacts {
    return {
      now,
      seats: [...this.#seats.values()].map((seat) => seat.digest),
      burst: this.#burst,
      cap: this.#cap,
      tickets: orderQueue(this.queue, now),
      promises: this.queue.promises,
      lastReleases: this.queue.lastReleases,
    };
  }

  #kindOfNext(): Seat['kind'] {
    return this.limits === null || this.#seats.size < this.limits.soft ? 'soft' : 'burst';
  }

  #free(manager: ManagerId, at: Mono): void {
    this.stepBurst(false, at);
    this.#seats.delete(manager);
    this.stepBurst(false, at);
    this.queue = onSeatFreed(this.queue, at);
  }

  #bury(manager: ManagerId, token: number, reason: EvictReason, now: Mono): void {
    this.#tombstones.set(manager, { token, reason, until: (now + (this.limits?.tombstoneMs ?? 0)) as Mono });
  }
}

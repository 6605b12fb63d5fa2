import { EMPTY_GATE, enterGate, type Gate, type GateTicket, gateEstimateMs, leaveGate, nextFromGate, orderGate, retier } from '../../core/gate.ts';
import type { QueueClass } from '../../core/queue.ts';
import type { ManagerId, Tier, UserId } from '../../protocol/ids.ts';
import type { Context } from '../context.ts';
import type { QueuedTicket } from '../reports.ts';
import type { QueuePlace } from './admission.ts';
import type { AdmissionRun } from './admission-run.ts';
import { type KeptSeat, NodeSeats } from './node-seats.ts';
import type { NodeSweep } from './node-sweep.ts';
import type { Waiting } from './waiting-room.ts';

/** Places are told at most this often, and later by this for each who waits: a thousand people need not hear every step of everybody. */
const TELL_APART_MS = 100;
const TELL_APART_EACH_MS = 1;
/** A waiting person hears of their place at least this often. */
const TELL_EVERY_MS = 2_000;
/** Whoever waits beyond its deadline, because all seats it could name are promised, asks again after this time. */
const ASK_AGAIN_MS = 50;
/** While somebody waits, the dead of all users are looked for this often. */
const SWEEP_EVERY_MS = 1_000;

/** Those who wait because this node is full. Each seat that becomes free goes to one of them, in the order of `core/gate.ts`; nobody
 *  living is taken for them, and no user's lane is held meanwhile. */
export class GateRoom {
  readonly seats: NodeSeats;
  readonly #context: Context;
  readonly #sweep: NodeSweep;
  readonly #carryOn: (waiting: Waiting) => void;
  readonly #waiting = new Map<ManagerId, Waiting[]>();
  readonly #cancels = new Map<Waiting, () => void>();
  readonly #promised = new Map<UserId, KeptSeat[]>();
  #gate: Gate = EMPTY_GATE;
  /** Seats that are refilled while somebody waits: the limit, and what the reserve has given above it. */
  #ceiling: number;
  #isOffering = false;
  #telling: { readonly at: number; readonly cancel: () => void } | null = null;
  #toldAt = Number.NEGATIVE_INFINITY;
  #sweeping: (() => void) | null = null;

  /** `carryOn` brings somebody who waits here into a pass of their user. */
  constructor(context: Context, sweep: NodeSweep, carryOn: (waiting: Waiting) => void) {
    this.#context = context;
    this.#sweep = sweep;
    this.#carryOn = carryOn;
    this.#ceiling = context.options.limits.perNode;
    this.seats = new NodeSeats(context.registry, () => this.freed());
  }

  get size(): number {
    return this.#gate.tickets.length;
  }

  /** Everybody who waits here. */
  get all(): readonly Waiting[] {
    return [...this.#cancels.keys()];
  }

  /** In how long a place is worth trying again. */
  get estimateMs(): number {
    return gateEstimateMs(this.#gate, this.size + 1, this.#context.options, this.#context.mono());
  }

  get isFull(): boolean {
    return this.size >= this.#context.options.queue.gatePlaces;
  }

  /** In the order in which they will be served. */
  get tickets(): readonly QueuedTicket[] {
    return orderGate(this.#gate, this.#context.options, this.#context.mono()).map((ticket, index) => {
      const { position, etaMs, deadlineMs } = this.#placeAt(ticket, index);
      return { user: ticket.userId, tier: ticket.tier, manager: ticket.id, at: 'gate', class: ticket.class, position, etaMs, deadlineMs };
    });
  }

  waits(user: UserId): boolean {
    return this.#gate.tickets.some((t) => t.userId === user);
  }

  // ---- coming and going

  /** Takes a place for `run`, until `waitMs` from now at the latest. */
  enter(run: AdmissionRun, wanted: QueueClass, waitMs: number): GateTicket | 'full' {
    const { options } = this.#context;
    const now = this.#context.mono();
    const { manager: id, user: userId, tier } = run.applicant;
    const deadline = (now + Math.min(waitMs, options.queue.waitMs)) as GateTicket['deadline'];
    const entered = enterGate(this.#gate, { id, userId, tier, class: wanted, issuedAt: now, deadline }, options);
    if (entered === 'full') return 'full';
    if (this.size === 0) this.#ceiling = Math.max(options.limits.perNode, this.seats.taken);
    this.#gate = entered;
    this.#keepSweeping();
    this.freed();
    return entered.tickets.find((t) => t.id === id) as GateTicket;
  }

  /** Who waits of this user counts in another tier from now on. */
  retier(user: UserId, tier: Tier): void {
    if (!this.waits(user)) return;
    this.#gate = retier(this.#gate, user, tier);
    this.#tellSoon();
  }

  /** It waits here from now on, or still. */
  hold(waiting: Waiting): void {
    const { id } = waiting.run;
    const others = this.#waiting.get(id) ?? [];
    if (!others.includes(waiting)) this.#waiting.set(id, [...others, waiting]);
    const order = orderGate(this.#gate, this.#context.options, this.#context.mono());
    const index = order.findIndex((t) => t.id === id);
    if (index >= 0) waiting.tell(this.#placeAt(order[index] as GateTicket, index));
    this.#cancels.get(waiting)?.();
    const leftMs = (waiting.run.ticket?.deadline ?? 0) - this.#context.mono();
    this.#cancels.set(
      waiting,
      this.#context.clock.after(leftMs > 0 ? leftMs : ASK_AGAIN_MS, () => this.#carryOn(waiting)),
    );
    this.#tellSoon();
  }

  /** It waits here no longer, whatever became of it. */
  release(waiting: Waiting): void {
    this.#cancels.get(waiting)?.();
    this.#cancels.delete(waiting);
    const { id } = waiting.run;
    const others = (this.#waiting.get(id) ?? []).filter((w) => w !== waiting);
    if (others.length > 0) this.#waiting.set(id, others);
    else this.#waiting.delete(id);
    // Another attempt of the same client keeps the place.
    if (others.length === 0) this.#leave(id);
  }

  #leave(id: ManagerId): void {
    const left = leaveGate(this.#gate, id);
    if (left === this.#gate) return;
    this.#gate = left;
    this.#tellSoon();
  }

  // ---- seats

  /** A seat may have become free. Looked at in a later turn, so that whoever is being seated has it by then. */
  freed(): void {
    if (this.size === 0 || this.#isOffering) return;
    this.#isOffering = true;
    this.#context.clock.soon(() => {
      this.#isOffering = false;
      this.#offer();
    });
  }

  /** Somebody was seated; above the limit only the reserve does that. What it gave is refilled from the gate too. */
  seated(): void {
    if (this.size > 0) this.#ceiling = Math.max(this.#ceiling, this.seats.taken);
  }

  #offer(): void {
    const { options } = this.#context;
    while (this.seats.taken < this.#ceiling) {
      const next = nextFromGate(this.#gate, options, this.#context.mono());
      if (next === null) break;
      this.#gate = next.gate;
      const [first, ...others] = this.#waiting.get(next.ticket.id) ?? [];
      if (first === undefined) continue;
      first.run.turn = this.seats.keep();
      // Others are later attempts of the same client: they take its seat over.
      for (const waiting of [first, ...others]) this.#carryOn(waiting);
    }
    if (this.size === 0) this.#ceiling = options.limits.perNode;
    this.#tellSoon();
  }

  /** The person freed a seat of their own: it is theirs, whoever waits at the gate, for a bounded time. */
  promise(user: UserId): void {
    if (this.size === 0) return;
    const own = this.#gate.tickets.find((t) => t.userId === user);
    const seat = this.seats.keep();
    this.#promised.set(user, [...(this.#promised.get(user) ?? []), seat]);
    this.#context.clock.after(this.#context.options.cleanup.seatPromiseMs, () => {
      const left = (this.#promised.get(user) ?? []).filter((s) => s !== seat);
      if (left.length > 0) this.#promised.set(user, left);
      else this.#promised.delete(user);
      seat.release();
    });
    for (const waiting of own ? (this.#waiting.get(own.id) ?? []) : []) this.#carryOn(waiting);
  }

  /** Takes one of the seats promised to `user`. */
  takePromised(user: UserId): KeptSeat | null {
    const seats = this.#promised.get(user) ?? [];
    const [first, ...rest] = seats;
    if (rest.length > 0) this.#promised.set(user, rest);
    else this.#promised.delete(user);
    return first ?? null;
  }

  hasPromised(user: UserId): boolean {
    return this.#promised.has(user);
  }

  /** The dead of anybody, for as long as somebody waits: nobody else would notice a proof that comes by time alone. */
  #keepSweeping(): void {
    if (this.#sweeping !== null) return;
    this.#sweeping = this.#context.clock.after(SWEEP_EVERY_MS, () => {
      this.#sweeping = null;
      if (this.size === 0) return;
      void this.#sweep.free(this.size, []);
      this.#keepSweeping();
    });
  }

  // ---- places

  #placeAt(ticket: GateTicket, index: number): QueuePlace {
    const now = this.#context.mono();
    const deadlineMs = Math.max(0, Math.round(ticket.deadline - now));
    const etaMs = Math.min(deadlineMs, Math.round(gateEstimateMs(this.#gate, index + 1, this.#context.options, now)));
    return { position: index + 1, of: this.size, etaMs, deadlineMs };
  }

  #tellSoon(): void {
    if (this.size > 0) this.#tellAt(this.#toldAt + Math.min(TELL_APART_MS + this.size * TELL_APART_EACH_MS, TELL_EVERY_MS));
  }

  #tellAt(at: number): void {
    if (this.#telling !== null && this.#telling.at <= at) return;
    this.#telling?.cancel();
    const cancel = this.#context.clock.after(Math.max(0, at - this.#context.mono()), () => {
      this.#telling = null;
      this.#tellAll();
    });
    this.#telling = { at, cancel };
  }

  #tellAll(): void {
    const now = this.#context.mono();
    this.#toldAt = now;
    for (const [index, ticket] of orderGate(this.#gate, this.#context.options, now).entries()) {
      const place = this.#placeAt(ticket, index);
      for (const waiting of this.#waiting.get(ticket.id) ?? []) waiting.tell(place);
    }
    if (this.size > 0) this.#tellAt(now + TELL_EVERY_MS);
  }

  stop(): void {
    this.#telling?.cancel();
    this.#sweeping?.();
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }
}

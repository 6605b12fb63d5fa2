import type { SeatFacts } from '../ports/store.ts';
import type { UserId } from '../protocol/ids.ts';
import type { QueuePlace } from './admission.ts';
import type { AdmissionRun, StepOutcome } from './admit.ts';
import type { Context } from './context.ts';

type End = Exclude<StepOutcome, { is: 'queued' }>;

interface Waiter {
  readonly run: AdmissionRun;
  readonly settle: (end: End) => void;
  readonly fail: (error: unknown) => void;
  place: QueuePlace;
  toldAt: number;
  listener: ((place: QueuePlace) => void) | null;
  cancelTimer: () => void;
}

/** A waiting person hears of their place at least this often. */
const TELL_EVERY_MS = 2_000;

/** Those who wait for a seat. Each change of their user's seats gives them another look, in the order of the queue. */
export class WaitingRoom {
  readonly #context: Context;
  readonly #waiters = new Map<UserId, Set<Waiter>>();
  readonly #poked = new Set<UserId>();

  constructor(context: Context) {
    this.#context = context;
  }

  get size(): number {
    let size = 0;
    for (const set of this.#waiters.values()) size += set.size;
    return size;
  }

  waitingOf(user: UserId): number {
    return this.#waiters.get(user)?.size ?? 0;
  }

  /** Waits for `run` to come to its end; `conclude` makes of it what the waiting one is told, in the user's lane. */
  enter<T>(
    run: AdmissionRun,
    facts: SeatFacts,
    conclude: (end: End) => T,
  ): {
    readonly place: QueuePlace;
    readonly outcome: Promise<T>;
    onPlace(listener: (place: QueuePlace) => void): void;
    leave(): void;
  } {
    let waiter: Waiter | null = null;
    const outcome = new Promise<T>((resolve, reject) => {
      waiter = {
        run,
        settle: (end) => resolve(conclude(end)),
        fail: reject,
        place: this.#placeOf(run, facts),
        toldAt: this.#context.mono(),
        listener: null,
        cancelTimer: () => {},
      };
    });
    const entered = waiter as unknown as Waiter;
    const user = run.applicant.user;
    const set = this.#waiters.get(user) ?? new Set();
    this.#waiters.set(user, set);
    set.add(entered);
    this.#arm(entered);
    return {
      place: entered.place,
      outcome,
      onPlace: (listener) => {
        entered.listener = listener;
      },
      leave: () => this.#leave(entered),
    };
  }

  #placeOf(run: AdmissionRun, facts: SeatFacts): QueuePlace {
    const index = facts.tickets.findIndex((t) => t.id === run.applicant.manager);
    const deadlineMs = Math.max(0, Math.round((run.ticket?.deadline ?? facts.now) - facts.now));
    return { position: Math.max(1, index + 1), of: Math.max(1, facts.tickets.length), etaMs: deadlineMs, deadlineMs };
  }

  /** Wakes it at its deadline, and often enough to tell its place before that. */
  #arm(waiter: Waiter): void {
    waiter.cancelTimer();
    const leftMs = waiter.place.deadlineMs;
    waiter.cancelTimer = this.#context.clock.after(Math.min(Math.max(leftMs, 1), TELL_EVERY_MS), () => this.poke(waiter.run.applicant.user));
  }

  /** Seats, queue or burst of `user` changed. Looks of one turn are one. */
  poke(user: UserId): void {
    if (!this.#waiters.has(user) || this.#poked.has(user)) return;
    this.#poked.add(user);
    void this.#context.lanes.run(user, async () => {
      this.#poked.delete(user);
      const waiters = [...(this.#waiters.get(user) ?? [])].sort((a, b) => a.place.position - b.place.position);
      for (const waiter of waiters) if (this.#waiters.get(user)?.has(waiter)) await this.#look(waiter);
    });
  }

  /** Never rejects. */
  async #look(waiter: Waiter): Promise<void> {
    try {
      const outcome = await waiter.run.advance();
      if (outcome.is === 'queued') {
        this.#stay(waiter, outcome.facts);
        return;
      }
      const isHere = this.#remove(waiter);
      // A ticket whose waiting ended without a seat would rank ahead of others for a while.
      if (outcome.is === 'retry') await this.#giveBack(waiter);
      // It left while it was being seated; whoever concludes gives the seat back.
      if (isHere || outcome.is === 'seated') waiter.settle(outcome);
    } catch (error) {
      this.#remove(waiter);
      await this.#giveBack(waiter);
      waiter.fail(error);
    }
  }

  #stay(waiter: Waiter, facts: SeatFacts): void {
    if (!this.#waiters.get(waiter.run.applicant.user)?.has(waiter)) return;
    const place = this.#placeOf(waiter.run, facts);
    const changed = place.position !== waiter.place.position || place.of !== waiter.place.of;
    // A position told to a person never gets worse.
    waiter.place = { ...place, position: Math.min(place.position, waiter.place.position) };
    this.#arm(waiter);
    const now = this.#context.mono();
    if (!changed && now - waiter.toldAt < TELL_EVERY_MS) return;
    waiter.toldAt = now;
    waiter.listener?.(waiter.place);
  }

  async #giveBack(waiter: Waiter): Promise<void> {
    const { user, manager } = waiter.run.applicant;
    try {
      await this.#context.store.seats.cancel(user, manager, this.#context.seatLimits);
    } catch {
      // The store forgets tickets at their deadline by itself.
    }
  }

  /** False: it was gone already. */
  #remove(waiter: Waiter): boolean {
    waiter.cancelTimer();
    const user = waiter.run.applicant.user;
    const set = this.#waiters.get(user);
    const wasHere = set?.delete(waiter) ?? false;
    if (set?.size === 0) this.#waiters.delete(user);
    return wasHere;
  }

  #leave(waiter: Waiter): void {
    if (!this.#remove(waiter)) return;
    const { user } = waiter.run.applicant;
    void this.#context.lanes.run(user, () => this.#giveBack(waiter)).then(() => this.#context.changed(user));
  }
}

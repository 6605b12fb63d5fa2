import type { SeatFacts } from '../ports/store.ts';
import type { UserId } from '../protocol/ids.ts';
import type { QueuePlace } from './admission.ts';
import type { AdmissionRun, StepOutcome } from './admit.ts';
import type { Context } from './context.ts';

interface Waiter {
  readonly run: AdmissionRun;
  readonly settle: (outcome: Exclude<StepOutcome, { is: 'queued' }>) => void;
  readonly fail: (error: unknown) => void;
  place: QueuePlace;
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

  /** Waits for `run` to come to its end. */
  enter(
    run: AdmissionRun,
    facts: SeatFacts,
  ): {
    readonly place: QueuePlace;
    readonly outcome: Promise<Exclude<StepOutcome, { is: 'queued' }>>;
    onPlace(listener: (place: QueuePlace) => void): void;
    leave(): void;
  } {
    let waiter: Waiter | null = null;
    const outcome = new Promise<Exclude<StepOutcome, { is: 'queued' }>>((resolve, reject) => {
      waiter = { run, settle: resolve, fail: reject, place: this.#placeOf(run, facts), listener: null, cancelTimer: () => {} };
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
    waiter.cancelTimer = this.#context.clock.after(Math.min(Math.max(leftMs, 1), TELL_EVERY_MS), () => this.poke(waiter.run.applicant.user, true));
  }

  /** Seats, queue or burst of `user` changed. Looks of one turn are one. */
  poke(user: UserId, isTimer = false): void {
    if (!this.#waiters.has(user) || this.#poked.has(user)) return;
    this.#poked.add(user);
    void this.#context.lanes.run(user, async () => {
      this.#poked.delete(user);
      const waiters = [...(this.#waiters.get(user) ?? [])].sort((a, b) => a.place.position - b.place.position);
      for (const waiter of waiters) if (this.#waiters.get(user)?.has(waiter)) await this.#look(waiter, isTimer);
    });
  }

  async #look(waiter: Waiter, isTimer: boolean): Promise<void> {
    let outcome: StepOutcome;
    try {
      outcome = await waiter.run.advance();
    } catch (error) {
      this.#remove(waiter);
      waiter.fail(error);
      return;
    }
    if (outcome.is !== 'queued') {
      this.#remove(waiter);
      waiter.settle(outcome);
      return;
    }
    const place = this.#placeOf(waiter.run, outcome.facts);
    const changed = place.position !== waiter.place.position || place.of !== waiter.place.of;
    // A position told to a person never gets worse.
    waiter.place = { ...place, position: Math.min(place.position, waiter.place.position) };
    if (changed || isTimer) waiter.listener?.(waiter.place);
    this.#arm(waiter);
  }

  #remove(waiter: Waiter): void {
    waiter.cancelTimer();
    const user = waiter.run.applicant.user;
    const set = this.#waiters.get(user);
    set?.delete(waiter);
    if (set?.size === 0) this.#waiters.delete(user);
  }

  #leave(waiter: Waiter): void {
    const { user, manager } = waiter.run.applicant;
    if (!this.#waiters.get(user)?.has(waiter)) return;
    this.#remove(waiter);
    void this.#context.lanes
      .run(user, () => this.#context.store.seats.cancel(user, manager, this.#context.seatLimits))
      .then(
        () => this.#context.changed(user),
        // The store forgets tickets at their deadline by itself.
        () => {},
      );
  }
}

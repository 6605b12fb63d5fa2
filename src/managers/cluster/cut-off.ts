import { localCap } from '../../core/lease.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { AdmitRequest, SeatDigest, SeatLimits, SeatStore } from '../../ports/store.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import type { ManagerId, Tier, UserId } from '../../protocol/ids.ts';
import type { EvictReason } from '../../protocol/reasons.ts';

/** A question is repeated until so much time has gone since it was asked first, at least once: with the store's own deadline of 150 ms
 *  an admission is decided within its 500 ms. */
const GIVE_UP_AFTER_MS = 200;
/** Between a refusal and the next try. */
const PAUSE_MS = 20;
/** Seats of the local book end only when they are given back. */
const NEVER_MS = 1e12;
/** What is remembered for the store at most; what was forgotten ends by its lease. */
const MOST_REMEMBERED = 10_000;
/** Users whose tier is remembered. */
const MOST_TIERS = 10_000;

/** What became of a seat meanwhile. */
type Ended = { readonly user: UserId; readonly token: number; readonly limits: SeatLimits } & (
  | { readonly is: 'evicted'; readonly reason: EvictReason }
  | { readonly is: 'released' }
);

interface CutOffDeps {
  /** The shared store's. */
  readonly seats: SeatStore;
  readonly clock: Clock;
  readonly random: Random;
  /** An empty book in memory, as the store's cluster gives it. */
  seatBook(clock: Clock, random: Random): SeatStore;
  /** The seats that this node holds now. */
  held(): Iterable<{ readonly user: UserId; readonly digest: SeatDigest }>;
  /** Tier of a user who is here. */
  tierOf(user: UserId): Tier | null;
  /** How many nodes live, as far as it is known. */
  living(): number;
  /** The shared store's clock, as far as it is known. */
  storeNow(): number | null;
  /** Renews all seats of this node at the shared store, and puts back what it has forgotten. */
  renewAll(): Promise<void>;
  /** From now on this node decides alone. */
  began(detail: string): void;
  /** The store is asked again. */
  ended(): void;
}

/** Seats while the shared store cannot be asked: this node goes on serving by a book of its own, which begins with the seats that it holds
 *  and keeps to a cap of this node. There are no bursts and nobody of another node is displaced; nobody loses a seat because the cap is
 *  lower than what is held. Once cut off, no question waits for the store: `comeBack` is what asks it again. */
export class CutOff {
  /** Asks the shared store, or the book. */
  readonly seats: SeatStore;
  readonly #deps: CutOffDeps;
  #book: SeatStore | null = null;
  readonly #ended = new Map<ManagerId, Ended>();
  readonly #tiers = new Map<UserId, Tier>();
  /** Who holds a seat that this node gave alone. */
  readonly #seatedAlone = new Set<ManagerId>();
  /** Seats that each user had here when it began. */
  readonly #heldThen = new Map<UserId, number>();

  constructor(deps: CutOffDeps) {
    this.#deps = deps;
    this.seats = this.#served();
  }

  get isCutOff(): boolean {
    return this.#book !== null;
  }

  /** Whether this node gave it its seat without the store, which has not been told of it yet. */
  wasSeatedAlone(manager: ManagerId): boolean {
    return this.#seatedAlone.has(manager);
  }

  /** For what the store alone can tell or do.
   *  @throws SpillwayError SPILLWAY_STORE_UNAVAILABLE while it is not asked. */
  needStore(): void {
    if (this.#book === null) return;
    const message = 'Expected the store to be there, which alone knows what other nodes hold; this node is cut off from it. Try again when it is back.';
    throw new SpillwayError('SPILLWAY_STORE_UNAVAILABLE', message, { retry: 'later' });
  }

  /** Somebody of that tier asks for a seat. */
  comes(user: UserId, tier: Tier): void {
    this.#tiers.delete(user);
    this.#tiers.set(user, tier);
    for (const oldest of this.#tiers.keys()) {
      if (this.#tiers.size <= MOST_TIERS) break;
      this.#tiers.delete(oldest);
    }
  }

  // ---- asking

  async #ask<T>(remote: () => Promise<T>, local: (book: SeatStore) => Promise<T>, late: (book: SeatStore, answer: T) => void = () => {}): Promise<T> {
    const { clock } = this.#deps;
    const startedAt = clock.mono();
    for (let tries = 1; this.#book === null; tries++) {
      try {
        const answer = await remote();
        // Others have given the store up meanwhile: what it has done is done all the same.
        if (this.#book !== null) late(this.#book, answer);
        return answer;
      } catch (error) {
        if (!SpillwayError.is(error) || error.code !== 'SPILLWAY_STORE_UNAVAILABLE') throw error;
        if (tries > 1 && clock.mono() - startedAt >= GIVE_UP_AFTER_MS) this.begin(error.message);
        else await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve));
      }
    }
    return await local(this.#book);
  }

  #served(): SeatStore {
    const { seats } = this.#deps;
    const here = <R extends AdmitRequest>(r: R): R => ({ ...r, mayBurst: false, limits: this.#limits(r.user, r.limits) });
    return {
      facts: (user, limits) =>
        this.#ask(
          () => seats.facts(user, limits),
          (book) => book.facts(user, this.#limits(user, limits)),
        ),
      admit: (r) =>
        this.#ask(
          () => seats.admit(r),
          async (book) => {
            const answer = await book.admit(here(r));
            if (answer.is === 'ok') this.#seatedAlone.add(r.manager);
            return answer;
          },
          (book, answer) => answer.is === 'ok' && this.#put(book, r, answer.token),
        ),
      replace: (r) =>
        this.#ask(
          () => seats.replace(r),
          async (book) => {
            const answer = await book.replace(here(r));
            if (answer.is === 'ok') this.#seatedAlone.add(r.manager);
            const lost = answer.is === 'ok' ? r.victims.find((v) => v.manager === answer.victim) : undefined;
            if (lost !== undefined) {
              this.#remember(lost.manager, { is: 'evicted', user: r.user, token: lost.token, reason: r.reason, limits: r.limits });
              this.#seatedAlone.delete(lost.manager);
            }
            return answer;
          },
          (book, answer) => {
            if (answer.is !== 'ok') return;
            for (const v of r.victims) if (v.manager === answer.victim) void book.release(r.user, v.manager, v.token, this.#limits(r.user, r.limits));
            this.#put(book, r, answer.token);
          },
        ),
      evict: (user, manager, token, reason, limits) =>
        this.#ask(
          () => seats.evict(user, manager, token, reason, limits),
          async (book) => {
            const answer = await book.evict(user, manager, token, reason, this.#limits(user, limits));
            // Of a seat that another node holds nobody knows whether it may still be taken then.
            if (answer.is === 'ok') {
              this.#remember(manager, { is: 'evicted', user, token, reason, limits });
              this.#seatedAlone.delete(manager);
            }
            return answer;
          },
          (book) => void book.release(user, manager, token, this.#limits(user, limits)),
        ),
      release: (user, manager, token, limits) =>
        this.#ask(
          () => seats.release(user, manager, token, limits),
          async (book) => {
            this.#remember(manager, { is: 'released', user, token, limits });
            const answer = await book.release(user, manager, token, this.#limits(user, limits));
            if (answer.is === 'ok') this.#seatedAlone.delete(manager);
            return answer;
          },
          (book) => void book.release(user, manager, token, this.#limits(user, limits)),
        ),
      enqueue: (r) =>
        this.#ask(
          () => seats.enqueue(r),
          (book) => book.enqueue({ ...r, limits: this.#limits(r.user, r.limits) }),
        ),
      cancel: (user, manager, limits) =>
        this.#ask(
          () => seats.cancel(user, manager, limits),
          (book) => book.cancel(user, manager, this.#limits(user, limits)),
        ),
      // Seats of the book need no renewal, and nobody else has any there.
      renew: (...a) => seats.renew(...a),
      adopt: (...a) => seats.adopt(...a),
    };
  }

  /** What a user may hold here: a share of the limit, or what they had here when it began, so that a newcomer finds what any other would,
   *  one for one, and nobody living goes only because the share is smaller. */
  #limits(user: UserId, limits: SeatLimits): SeatLimits {
    const tier = this.#deps.tierOf(user) ?? this.#tiers.get(user) ?? '';
    const cap = Math.min(limits.soft, Math.max(localCap(tier, limits.soft, this.#deps.living()), this.#heldThen.get(user) ?? 0));
    return { ...limits, soft: cap, hard: cap, ttlMs: NEVER_MS };
  }

  #put(book: SeatStore, { user, manager, node, incarnation }: AdmitRequest, token: number): void {
    const told = { verdict: 'healthy', quietMs: 0, run: false, pinned: false, critical: false, hidden: false, toldAt: 0, seatedAt: 0 } as const;
    void book.adopt(user, { manager, token, node, incarnation, ...told }, NEVER_MS);
  }

  #remember(manager: ManagerId, ended: Ended): void {
    this.#ended.delete(manager);
    this.#ended.set(manager, ended);
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= MOST_REMEMBERED) break;
      this.#ended.delete(oldest);
    }
  }

  // ---- away and back

  /** Gives the store up until it is there again. */
  begin(detail: string): void {
    if (this.#book !== null) return;
    const { clock, random, seatBook, held, began, storeNow } = this.#deps;
    // Tokens of the book stand among those of the store by time, so that of two seats of one manager the later one counts.
    const wall = (): number => storeNow() ?? clock.wall();
    const book = seatBook(
      { mono: () => clock.mono(), wall, after: (ms, callback) => clock.after(ms, callback), soon: (callback) => clock.soon(callback) },
      random,
    );
    this.#book = book;
    // Each call of the book is done when it returns.
    for (const { user, digest } of held()) {
      void book.adopt(user, digest, NEVER_MS);
      this.#heldThen.set(user, (this.#heldThen.get(user) ?? 0) + 1);
    }
    began(detail);
  }

  /** The store answers again: it is told what ended here and gets all seats that are held here; then it is asked again. Rejects, and
   *  leaves all as it is, if it does not answer after all. Nobody live loses a seat by it. */
  async comeBack(): Promise<void> {
    if (this.#book === null) return;
    await this.#deps.renewAll();
    await this.#tellEnded();
    this.#seatedAlone.clear();
    this.#heldThen.clear();
    this.#book = null;
    // And what the book gave meanwhile; what fails now is put back by the next renewal.
    await this.#deps.renewAll().catch(() => {});
    if (!this.isCutOff) this.#deps.ended();
  }

  async #tellEnded(): Promise<void> {
    const { seats } = this.#deps;
    for (const [manager, ended] of this.#ended) {
      const { user, token, limits } = ended;
      try {
        if (ended.is === 'evicted') await seats.evict(user, manager, token, ended.reason, limits);
        else await seats.release(user, manager, token, limits);
      } catch (error) {
        // What the store keeps of it is broken, and stays so: it ends by its lease, and keeps nobody else away from the store.
        if (!SpillwayError.is(error) || error.code !== 'SPILLWAY_STORE_BROKEN') throw error;
      }
      if (this.#ended.get(manager) === ended) this.#ended.delete(manager);
    }
  }
}

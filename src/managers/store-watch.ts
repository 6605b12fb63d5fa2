import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { FactoryEmitter } from './events.ts';

/** How often a store that could not be asked is tried. */
const TRY_EVERY_MS = 500;

type Part = 'seats' | 'log' | 'threads' | 'credentials';
type Method = (...args: never[]) => Promise<unknown>;

/** Tells of every question to the store, and of the times in which it cannot be asked. Those begin with a question about seats or the log
 *  that found it unavailable, and end when none fails any more and it says that it would take a write. Where nodes share the store, who
 *  asks it for seats says when it has given that up, and takes it up again before the time ends. */
export class StoreWatch {
  /** The same store, watched. Whoever asks it is to ask here. */
  readonly store: Store;
  readonly #asked: Store;
  readonly #clock: Clock;
  readonly #events: FactoryEmitter;
  readonly #returning: () => Promise<void>;
  readonly #lost = new Set<Part>();
  #lostAt = 0;
  /** A question failed since it was tried last. */
  #hasFailed = false;
  #cancel: () => void = () => {};
  #isStopped = false;

  /** `returning` is run when a store that nodes share would be asked for seats again; if it rejects, that is tried later. */
  constructor(store: Store, clock: Clock, events: FactoryEmitter, returning: () => Promise<void> = async () => {}) {
    this.#asked = store;
    this.#returning = returning;
    this.#clock = clock;
    this.#events = events;
    this.store = {
      kind: store.kind,
      cluster: store.cluster,
      seats: this.#watched('seats', store.seats),
      log: this.#watched('log', store.log),
      threads: this.#watched('threads', store.threads),
      credentials: this.#watched('credentials', store.credentials),
      health: () => store.health(),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  }

  /** Whether seats cannot be asked for now. */
  get isSeatsLost(): boolean {
    return this.#lost.has('seats');
  }

  #watched<T extends object>(part: Part, port: T): T {
    const known = new Map<PropertyKey, unknown>();
    return new Proxy(port, {
      get: (target, name) => {
        if (known.has(name)) return known.get(name);
        const method = Reflect.get(target, name) as unknown;
        if (typeof method !== 'function') return method;
        // Listening asks nothing.
        const watched = name === 'watch' ? method.bind(target) : this.#watchedMethod(part, `${part}.${String(name)}`, (method as Method).bind(target));
        known.set(name, watched);
        return watched;
      },
    });
  }

  #watchedMethod(part: Part, op: string, method: Method): Method {
    return (...args) => {
      const startedAt = this.#clock.mono();
      const answer = method(...args);
      answer.then(
        () => this.#told(op, startedAt, false),
        (error: unknown) => {
          this.#told(op, startedAt, true);
          const isItsOwn = part !== 'seats' || this.#asked.cluster === null;
          if (isItsOwn && SpillwayError.is(error) && error.code === 'SPILLWAY_STORE_UNAVAILABLE') this.#lose(part, error.message);
        },
      );
      return answer;
    };
  }

  #told(op: string, startedAt: number, failed: boolean): void {
    if (this.#events.hears('store-asked')) this.#events.emit('store-asked', { op, durationMs: this.#clock.mono() - startedAt, failed });
  }

  /** Seats of a store that nodes share are not asked for any more. */
  loseSeats(detail: string): void {
    this.#lose('seats', detail);
  }

  #lose(part: Part, detail: string): void {
    // Whoever reads a conversation or logs in is told so by itself; nobody waits for a seat because of it.
    if ((part !== 'seats' && part !== 'log') || this.#isStopped) return;
    this.#hasFailed = true;
    const isNews = this.#lost.size === 0;
    this.#lost.add(part);
    if (!isNews) return;
    this.#lostAt = this.#clock.mono();
    this.#events.emit('store-lost', { detail });
    this.#tryLater();
  }

  #tryLater(): void {
    if (this.#isStopped) return;
    this.#hasFailed = false;
    this.#cancel = this.#clock.after(TRY_EVERY_MS, () => {
      // What others are refused is not there, whatever it says of itself.
      if (this.#hasFailed) {
        this.#tryLater();
        return;
      }
      this.#ask().then(
        // Meanwhile it may have been given up again.
        (isBack) => (isBack && !this.#hasFailed ? this.#found() : this.#tryLater()),
        () => this.#tryLater(),
      );
    });
  }

  async #ask(): Promise<boolean> {
    const { ok } = await this.#asked.health();
    if (ok && this.#lost.has('seats') && this.#asked.cluster !== null) await this.#returning();
    return ok;
  }

  #found(): void {
    if (this.#isStopped) return;
    this.#lost.clear();
    this.#events.emit('store-back', { awayMs: Math.round(this.#clock.mono() - this.#lostAt) });
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }
}

import type { AppendRequest, SeatDigest, SeatLimits, SeatStore, Store, StreamKey } from '../../src/ports/store.ts';
import { SpillwayError } from '../../src/protocol/errors.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { createSeatBook } from '../../src/stores/seats.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** How well the store does, part by part; changed while the world runs. */
export interface StoreHealth {
  /** Milliseconds a call takes at most, drawn half before and half after its effect. */
  delayMs: number;
  /** Share of calls that fail and do nothing. */
  failing: number;
  /** Share of calls that are done and whose answer is lost. */
  losing: number;
}

export const WELL: StoreHealth = { delayMs: 0, failing: 0, losing: 0 };

const nameOf = (key: StreamKey): string => `${key.user} ${key.thread}`;

/** The production store in memory behind a connection that can be slow, broken or cut. It outlives the processes that use it, and
 *  remembers what it confirmed, with which clients are compared. */
export class VirtualStore {
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  #seats: SeatStore;
  readonly #rest: Store;
  health: { seats: StoreHealth; log: StoreHealth } = { seats: WELL, log: WELL };
  /** Data of what was logged, by stream and offset. */
  readonly logged = new Map<string, Map<number, string>>();
  /** The latest instant at which a call on seats failed. */
  seatsFailedAt = Number.NEGATIVE_INFINITY;
  /** As the latest call of each user brought them. */
  readonly #limits = new Map<UserId, SeatLimits>();
  #life = 0;

  constructor(clock: VirtualClock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
    this.#rest = memoryStore({ clock, random: random.fork() });
    this.#seats = createSeatBook(clock, random.fork());
  }

  /** As the process that lives now sees it. After `cut` its calls never return. */
  connect(): Store {
    const life = this.#life;
    return {
      kind: 'memory',
      cluster: null,
      seats: this.#part('seats', () => this.#seats, life),
      log: this.#part('log', () => this.#rest.log, life),
      threads: this.#rest.threads,
      credentials: this.#rest.credentials,
      health: () => this.#rest.health(),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  /** The process that used it has died; what it had asked for may still happen. */
  cut(): void {
    this.#life++;
  }

  /** All seats are forgotten, as by a store that was restarted empty. */
  forgetSeats(): void {
    this.#seats = createSeatBook(this.#clock, this.#random.fork());
  }

  /** Who holds seats of a user, past all faults. */
  async peek(user: UserId): Promise<readonly SeatDigest[]> {
    const limits = this.#limits.get(user);
    return limits === undefined ? [] : (await this.#seats.facts(user, limits)).seats;
  }

  loggedIn(key: StreamKey): Map<number, string> {
    const name = nameOf(key);
    const entries = this.logged.get(name) ?? new Map<number, string>();
    this.logged.set(name, entries);
    return entries;
  }

  #part<T extends object>(part: 'seats' | 'log', target: () => T, life: number): T {
    return new Proxy(target(), {
      get: (_, name) => {
        const method = Reflect.get(target(), name) as unknown;
        if (typeof method !== 'function') return method;
        if (name === 'watch') return method.bind(target());
        return (...args: unknown[]) => this.#call(part, String(name), args, target, life);
      },
    });
  }

  async #call(part: 'seats' | 'log', name: string, args: unknown[], target: () => object, life: number): Promise<unknown> {
    if (name === 'facts') this.#limits.set(args[0] as UserId, args[1] as SeatLimits);
    const { delayMs, failing, losing } = this.health[part];
    if (delayMs > 0) await this.#wait(delayMs / 2);
    if (failing > 0 && this.#random.chance(failing)) this.#fail(part, name);
    const method = Reflect.get(target(), name) as (...a: unknown[]) => Promise<unknown>;
    const answer = await method.apply(target(), args);
    if (name === 'append') this.#remember(args[0] as readonly AppendRequest[], answer as readonly { is: string }[]);
    if (delayMs > 0) await this.#wait(delayMs / 2);
    if (losing > 0 && this.#random.chance(losing)) this.#fail(part, name);
    if (life !== this.#life) return await new Promise(() => {});
    return answer;
  }

  #wait(maxMs: number): Promise<void> {
    return new Promise((resolve) => this.#clock.arrive(this.#clock.now + this.#random.share() * maxMs, resolve));
  }

  #fail(part: 'seats' | 'log', name: string): never {
    if (part === 'seats') this.seatsFailedAt = this.#clock.now;
    throw new SpillwayError('SPILLWAY_STORE_UNAVAILABLE', `The store does not answer ${part}.${name}.`, { retry: 'later' });
  }

  #remember(requests: readonly AppendRequest[], answers: readonly { is: string }[]): void {
    for (const [i, request] of requests.entries()) {
      if (answers[i]?.is !== 'ok') continue;
      const entries = this.loggedIn(request.key);
      for (const entry of request.entries) entries.set(entry.offset, entry.data);
    }
  }
}

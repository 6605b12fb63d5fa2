import type { Clock } from '../../src/ports/clock.ts';
import type { ClusterStore, Letter } from '../../src/ports/cluster.ts';
import type { Random } from '../../src/ports/random.ts';
import type { SeatStore, Store } from '../../src/ports/store.ts';
import { SpillwayError } from '../../src/protocol/errors.ts';
import type { NodeId } from '../../src/protocol/ids.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What a client of the store waits for an answer. */
export const DEADLINE_MS = 150;
/** By how much a letter that is late is behind. */
const LATE_MS = 700;

/** One node's way to the store. `cut`: nothing gets through. `frozen`: what is asked is taken, carried out when it thaws, and answered too
 *  late. `deaf`: all is carried out at once, and every answer is lost. */
export class VirtualRoad {
  readonly store: Store;
  /** What becomes of letters on their way here. */
  letters: 'come' | 'lost' | 'doubled' | 'late' = 'come';
  readonly #clock: VirtualClock;
  #is: 'open' | 'cut' | 'frozen' | 'deaf' = 'open';
  readonly #held: (() => Promise<unknown>)[] = [];

  constructor(store: Store, clock: VirtualClock) {
    this.#clock = clock;
    this.store = {
      kind: store.kind,
      cluster: store.cluster && this.#cluster(store.cluster),
      seats: this.#part(store.seats),
      log: this.#part(store.log),
      threads: this.#part(store.threads),
      credentials: this.#part(store.credentials),
      health: () => this.#call(() => store.health()),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  get isOpen(): boolean {
    return this.#is === 'open';
  }

  turn(is: 'cut' | 'frozen' | 'deaf'): void {
    if (this.#is === 'open') this.#is = is;
  }

  open(): void {
    this.#is = 'open';
    this.#clock.touch();
    for (const act of this.#held.splice(0)) act().catch(() => {});
  }

  #part<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as unknown;
        if (typeof method !== 'function') return method;
        if (name === 'watch') return method.bind(target);
        return (...args: unknown[]) => this.#call(() => method.apply(target, args) as Promise<unknown>);
      },
    });
  }

  #cluster(cluster: ClusterStore): ClusterStore {
    const asked = this.#part(cluster);
    const receive = (node: NodeId, read: (letter: Letter) => void) => cluster.receive(node, (letter) => this.#bring(letter, read));
    return {
      seatBook: (...a) => cluster.seatBook(...a),
      beat: (...a) => asked.beat(...a),
      leave: (...a) => asked.leave(...a),
      post: (...a) => asked.post(...a),
      agree: (...a) => asked.agree(...a),
      receive,
    };
  }

  #bring(letter: Letter, read: (letter: Letter) => void): void {
    if (this.#is === 'cut' || this.letters === 'lost') return;
    if (this.letters !== 'late') read(letter);
    if (this.letters !== 'come') this.#clock.arrive(this.#clock.now + LATE_MS, () => read(letter));
  }

  async #call<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#is === 'open') return await ask();
    if (this.#is === 'frozen') this.#held.push(ask);
    if (this.#is === 'deaf') await ask();
    await new Promise<void>((resolve) => this.#clock.arrive(this.#clock.now + DEADLINE_MS, resolve));
    throw new SpillwayError('SPILLWAY_STORE_UNAVAILABLE', 'The store does not answer.', { retry: 'later' });
  }
}

/** A store in memory that nodes share, which can lose all it knows and whose clock can be set. */
export class ForgetfulStore {
  readonly store: Store;
  readonly #clock: Clock;
  readonly #random: Random;
  #aheadMs = 0;
  #now: Store;
  readonly #readers = new Set<{ readonly node: NodeId; readonly read: (letter: Letter) => void; undo: () => void }>();

  constructor(clock: Clock, random: Random) {
    this.#random = random;
    const wall = (): number => clock.wall() + this.#aheadMs;
    this.#clock = { mono: () => clock.mono() + this.#aheadMs, wall, after: (...a) => clock.after(...a), soon: (...a) => clock.soon(...a) };
    this.#now = this.#fresh();
    const rest = memoryStore({ clock, random, cluster: true });
    const seats = new Proxy({} as SeatStore, {
      get:
        (_, name) =>
        (...args: unknown[]) =>
          (Reflect.get(this.#now.seats, name) as (...a: unknown[]) => unknown).apply(this.#now.seats, args),
    });
    this.store = { ...rest, seats, cluster: this.#cluster() };
  }

  #fresh(): Store {
    return memoryStore({ clock: this.#clock, random: this.#random, cluster: true });
  }

  #cluster(): ClusterStore {
    const now = (): ClusterStore => this.#now.cluster as ClusterStore;
    return {
      seatBook: (...a) => now().seatBook(...a),
      beat: (...a) => now().beat(...a),
      leave: (...a) => now().leave(...a),
      post: (...a) => now().post(...a),
      agree: (...a) => now().agree(...a),
      receive: (node, read) => {
        const reader = { node, read, undo: now().receive(node, read) };
        this.#readers.add(reader);
        return () => {
          this.#readers.delete(reader);
          reader.undo();
        };
      },
    };
  }

  /** Seats, nodes and the name of its data set are gone. */
  forget(): void {
    this.#now = this.#fresh();
    for (const reader of this.#readers) {
      reader.undo();
      reader.undo = (this.#now.cluster as ClusterStore).receive(reader.node, reader.read);
    }
  }

  /** Its clock is set, to and fro. */
  setClock(aheadMs: number): void {
    this.#aheadMs = aheadMs;
  }
}

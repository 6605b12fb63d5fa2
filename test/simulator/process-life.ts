import type { Clock } from '../../src/ports/clock.ts';
import type { ClusterStore } from '../../src/ports/cluster.ts';
import type { Store } from '../../src/ports/store.ts';

/** What one of several processes sees of time and of the store that they share. When it has ended, none of its timers rings, none of its
 *  questions is answered, and no letter is read. */
export class ProcessLife {
  readonly clock: Clock;
  readonly store: Store;
  /** False: it beats, and reads no letters. */
  hears = true;
  #isOver = false;
  readonly #ends: (() => void)[] = [];

  constructor(clock: Clock, store: Store) {
    const whileAlive = (act: () => void) => () => {
      if (!this.#isOver) act();
    };
    this.clock = {
      mono: () => clock.mono(),
      wall: () => clock.wall(),
      after: (delayMs, callback) => clock.after(delayMs, whileAlive(callback)),
      soon: (callback) => clock.soon(whileAlive(callback)),
    };
    this.store = {
      kind: store.kind,
      cluster: store.cluster && this.#cluster(store.cluster),
      seats: this.#answering(store.seats),
      log: this.#answering(store.log),
      threads: this.#answering(store.threads),
      credentials: this.#answering(store.credentials),
      health: () => store.health(),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  end(): void {
    this.#isOver = true;
    for (const end of this.#ends) end();
  }

  #cluster(cluster: ClusterStore): ClusterStore {
    const receive: ClusterStore['receive'] = (node, read) => {
      const undo = cluster.receive(node, (letter) => {
        if (this.hears) read(letter);
      });
      this.#ends.push(undo);
      return undo;
    };
    const seatBook: ClusterStore['seatBook'] = (...a) => cluster.seatBook(...a);
    const own = new Map<PropertyKey, unknown>([
      ['receive', receive],
      ['seatBook', seatBook],
    ]);
    const answering = this.#answering(cluster);
    return new Proxy(cluster, { get: (_, name) => own.get(name) ?? (Reflect.get(answering, name) as unknown) });
  }

  #answering<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as unknown;
        if (typeof method !== 'function') return method;
        if (name === 'watch') return method.bind(target);
        return async (...args: unknown[]) => {
          const answer: unknown = await method.apply(target, args);
          return this.#isOver ? await new Promise(() => {}) : answer;
        };
      },
    });
  }
}

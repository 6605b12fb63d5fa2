import type { Store } from '../../src/ports/store.ts';

type Part = 'seats' | 'log' | 'threads' | 'credentials';

export interface Tap {
  /** Before a call has any effect; what it returns is waited for. It may throw in the call's stead. */
  before?(part: Part, call: string, args: readonly unknown[]): Promise<void> | undefined;
  /** When it had its effect; what it returns is waited for before the answer goes on. */
  after?(part: Part, call: string, args: readonly unknown[], answer: unknown): Promise<void> | undefined;
}

/** A real store, watched. Calls that wait for something outside of virtual time, as a file, are counted. */
export class TappedStore implements Store {
  readonly kind: string;
  readonly cluster: Store['cluster'];
  readonly seats: Store['seats'];
  readonly log: Store['log'];
  readonly threads: Store['threads'];
  readonly credentials: Store['credentials'];
  tap: Tap = {};
  readonly #store: Store;
  #outside = 0;

  constructor(store: Store) {
    this.#store = store;
    this.kind = store.kind;
    this.cluster = store.cluster;
    this.seats = this.#wrap('seats', store.seats);
    this.log = this.#wrap('log', store.log);
    this.threads = this.#wrap('threads', store.threads);
    this.credentials = this.#wrap('credentials', store.credentials);
  }

  get outside(): number {
    return this.#outside;
  }

  health(): ReturnType<Store['health']> {
    return this.#store.health();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  #wrap<T extends object>(part: Part, port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as unknown;
        if (typeof method !== 'function') return method;
        if (name === 'watch') return method.bind(target);
        return async (...args: unknown[]) => {
          const call = String(name);
          const gate = this.tap.before?.(part, call, args);
          if (gate !== undefined) await gate;
          this.#outside++;
          let answer: unknown;
          try {
            answer = await method.apply(target, args);
          } finally {
            this.#outside--;
          }
          const exit = this.tap.after?.(part, call, args, answer);
          if (exit !== undefined) await exit;
          return answer;
        };
      },
    });
  }
}

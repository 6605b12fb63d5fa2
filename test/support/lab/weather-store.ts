import type { Store } from '../../../src/ports/store.ts';
import { SpillwayError } from '../../../src/protocol/errors.ts';
import { memoryStore } from '../../../src/stores/memory.ts';
import { type Seeded, seeded } from './seeded.ts';

/** What a store does to the calls that reach it. */
export interface Weather {
  /** Share of calls that fail, 0…1: half of them before they had their effect, half by losing the answer. */
  readonly failing: number;
  /** Each call takes up to this long more. */
  readonly slowMs: number;
  /** Only calls of this user; left out: of everybody. */
  readonly user?: string;
}

const FAIR: Weather = { failing: 0, slowMs: 0 };
const READS = new Set(['facts', 'state', 'read', 'list', 'snapshot', 'findSend', 'findRun', 'openRuns']);

/** A real store in changing weather, seeded. It keeps the contract of its port: a call that fails says so, and none hangs. */
export class WeatherStore implements Store {
  readonly kind: string;
  readonly cluster: Store['cluster'];
  readonly seats: Store['seats'];
  readonly log: Store['log'];
  readonly threads: Store['threads'];
  readonly credentials: Store['credentials'];
  readonly #store: Store;
  readonly #random: Seeded;
  #weather: Weather = FAIR;
  #failing: { readonly user: string; left: number; readonly failed: string[] } | null = null;

  constructor(seed: number, store: Store = memoryStore()) {
    this.#store = store;
    this.#random = seeded(seed);
    this.kind = store.kind;
    this.cluster = store.cluster;
    this.seats = this.#wrap('seats', store.seats);
    this.log = this.#wrap('log', store.log);
    this.threads = this.#wrap('threads', store.threads);
    this.credentials = store.credentials;
  }

  become(weather: Weather): void {
    this.#weather = weather;
  }

  /** The next `times` writes of `user`'s seats fail in a row, and have no effect. Answers the list that names them as they fail. */
  failWrites(user: string, times: number): readonly string[] {
    this.#failing = { user, left: times, failed: [] };
    return this.#failing.failed;
  }

  health(): ReturnType<Store['health']> {
    return this.#store.health();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  #wrap<T extends object>(part: string, port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as unknown;
        if (typeof method !== 'function') return method;
        if (name === 'watch') return method.bind(target);
        return async (...args: unknown[]) => {
          const call = `${part}.${String(name)}`;
          const user = userOf(args);
          if (part === 'seats' && !READS.has(String(name))) this.#failWrite(call, user);
          const { failing, slowMs, user: only } = this.#weather;
          const isHit = only === undefined || only === user;
          if (isHit && slowMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#random() * slowMs));
          const fails = isHit && this.#random() < failing;
          if (fails && this.#random() < 0.5) throw unavailable(call);
          const answer: unknown = await method.apply(target, args);
          if (fails) throw unavailable(call);
          return answer;
        };
      },
    });
  }

  #failWrite(call: string, user: string | null): void {
    const failing = this.#failing;
    if (failing === null || failing.left <= 0 || user !== failing.user) return;
    failing.left--;
    failing.failed.push(call);
    throw unavailable(call);
  }
}

const unavailable = (call: string): SpillwayError => new SpillwayError('SPILLWAY_STORE_UNAVAILABLE', `The store does not answer ${call}.`, { retry: 'later' });

function userOf(args: readonly unknown[]): string | null {
  const first = args[0];
  if (typeof first === 'string') return first;
  if (typeof first === 'object' && first !== null && 'user' in first && typeof first.user === 'string') return first.user;
  return null;
}

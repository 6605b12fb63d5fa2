import type { ClusterStore } from '../../src/ports/cluster.ts';
import type { Store } from '../../src/ports/store.ts';
import { SpillwayError } from '../../src/protocol/errors.ts';
import { memoryStore } from '../../src/stores/memory.ts';

type CallsOf<P extends 'seats' | 'log' | 'threads' | 'credentials'> = `${P}.${Extract<keyof Store[P], string>}`;
/** A call of the store, as `log.append`. */
export type StoreCall = CallsOf<'seats'> | CallsOf<'log'> | CallsOf<'threads'> | CallsOf<'credentials'>;

interface Held {
  /** Calls that wait. */
  readonly waiting: number;
  /** Resolves when a call waits. */
  readonly reached: Promise<void>;
  /** Lets them go on, and those that come later. */
  release(): void;
}

const unavailable = (call: string): SpillwayError => new SpillwayError('SPILLWAY_STORE_UNAVAILABLE', `The store does not answer ${call}.`, { retry: 'later' });

/** A real store whose calls a test can fail, delay, or rob of their answer, or that is away altogether. */
export class FaultyStore implements Store {
  readonly kind: string;
  readonly cluster: Store['cluster'];
  readonly seats: Store['seats'];
  readonly log: Store['log'];
  readonly threads: Store['threads'];
  readonly credentials: Store['credentials'];
  readonly #store: Store;
  #away: { readonly deadlineMs: number } | null = null;
  #refused = 0;
  readonly #late: (() => Promise<void>)[] = [];
  readonly #before = new Map<string, () => Promise<void>>();
  readonly #after = new Map<string, () => Promise<void>>();
  readonly #belated = new Set<string>();
  readonly #watchers = new Map<string, (args: readonly unknown[]) => void>();

  constructor(store: Store = memoryStore()) {
    this.#store = store;
    this.kind = store.kind;
    this.cluster = store.cluster === null ? null : this.#wrapCluster(store.cluster);
    this.seats = this.#wrap('seats', store.seats);
    this.log = this.#wrap('log', store.log);
    this.threads = this.#wrap('threads', store.threads);
    this.credentials = this.#wrap('credentials', store.credentials);
  }

  async health(): ReturnType<Store['health']> {
    await this.#reach('health');
    return await this.#store.health();
  }

  // ---- away altogether

  /** From now on no call reaches the store: each rejects after `deadlineMs`, as a client's deadline ends it. Other users of the same
   *  store notice nothing. */
  away(deadlineMs = 0): void {
    this.#away = { deadlineMs };
  }

  /** Calls reach it again. */
  back(): void {
    this.#away = null;
  }

  /** Calls that it refused while it was away. */
  get refused(): number {
    return this.#refused;
  }

  async #reach(call: string): Promise<void> {
    if (this.#away === null) return;
    this.#refused++;
    const { deadlineMs } = this.#away;
    if (deadlineMs > 0) await new Promise((resolve) => setTimeout(resolve, deadlineMs));
    throw unavailable(call);
  }

  #wrapCluster(cluster: ClusterStore): ClusterStore {
    const asked = async <T>(call: string, ask: () => Promise<T>): Promise<T> => {
      await this.#reach(call);
      return await ask();
    };
    return {
      seatBook: cluster.seatBook,
      beat: (card, ttlMs) => asked('cluster.beat', () => cluster.beat(card, ttlMs)),
      agree: (...a) => asked('cluster.agree', () => cluster.agree(...a)),
      leave: (life) => asked('cluster.leave', () => cluster.leave(life)),
      post: (to, letter) => asked('cluster.post', () => cluster.post(to, letter)),
      receive: (node, read) => cluster.receive(node, (letter) => (this.#away === null ? read(letter) : undefined)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  /** From now on this call rejects and has no effect; `times` of them, or all until `heal`. */
  fail(call: StoreCall, times = Number.POSITIVE_INFINITY): void {
    let left = times;
    this.#before.set(call, async () => {
      if (left-- > 0) throw unavailable(call);
    });
  }

  /** The next `times` calls have their effect, and their answer is lost. */
  loseAnswers(call: StoreCall, times = 1): void {
    let left = times;
    this.#after.set(call, async () => {
      if (left-- > 0) throw unavailable(call);
    });
  }

  /** From now on this call rejects, and has its effect only when `land` is called: what a frozen server does with what was sent to it. */
  belate(call: StoreCall): void {
    this.#belated.add(call);
  }

  /** Carries out, in order, what was belated. */
  async land(): Promise<void> {
    this.#belated.clear();
    for (const effect of this.#late.splice(0)) await effect();
  }

  /** This call waits, before it has any effect, until it is released. */
  hold(call: StoreCall): Held {
    let release = (): void => {};
    let reach = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const reached = new Promise<void>((resolve) => {
      reach = resolve;
    });
    const held = { waiting: 0, reached, release: () => release() };
    this.#before.set(call, async () => {
      held.waiting++;
      reach();
      await gate;
      held.waiting--;
    });
    return held;
  }

  /** From now on this call takes `ms` longer, as over a network. */
  slow(call: StoreCall, ms: number): void {
    this.#before.set(call, () => new Promise((resolve) => setTimeout(resolve, ms)));
  }

  /** Calls back with the arguments of each such call, before it has any effect. */
  watch(call: StoreCall, listener: (args: readonly unknown[]) => void): void {
    this.#watchers.set(call, listener);
  }

  /** The call works again. */
  heal(call: StoreCall): void {
    this.#before.delete(call);
    this.#after.delete(call);
  }

  #wrap<T extends object>(part: string, port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as unknown;
        if (typeof method !== 'function') return method;
        if (name === 'watch') return method.bind(target);
        return async (...args: unknown[]) => {
          const call = `${part}.${String(name)}`;
          this.#watchers.get(call)?.(args);
          await this.#reach(call);
          await this.#before.get(call)?.();
          if (this.#belated.has(call)) {
            this.#late.push(async () => void (await method.apply(target, args)));
            throw unavailable(call);
          }
          const answer: unknown = await method.apply(target, args);
          await this.#after.get(call)?.();
          return answer;
        };
      },
    });
  }
}

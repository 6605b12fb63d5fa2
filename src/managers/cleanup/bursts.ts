import { type Burst, stepBurst } from '../../core/burst.ts';
import { type Mono, mono } from '../../core/clocks.ts';
import type { Options } from '../../core/options.ts';
import type { SeatFacts, SeatStore, Store } from '../../ports/store.ts';
import type { UserId } from '../../protocol/ids.ts';

interface Seen {
  readonly burst: Burst;
  /** How far the store's clock is ahead of ours. */
  readonly aheadMs: number;
}

/** Which users hold or repay a burst lease, as the store's answers told last. Between two answers time passes by our own clock. */
export class Bursts {
  readonly #options: Options;
  readonly #now: () => Mono;
  readonly #seatsOf: (user: UserId) => number;
  readonly #seen = new Map<UserId, Seen>();

  constructor(options: Options, now: () => Mono, seatsOf: (user: UserId) => number) {
    this.#options = options;
    this.#now = now;
    this.#seatsOf = seatsOf;
  }

  note(user: UserId, facts: SeatFacts): void {
    this.#seen.delete(user);
    if (!isHeld(facts.burst)) return;
    this.#seen.set(user, { burst: facts.burst, aheadMs: facts.now - this.#now() });
    // Whoever left for good is asked about no more: the longest unheard of stand first, and are forgotten here.
    for (const [other, seen] of this.#seen) {
      if (isHeld(this.#stateOf(other, seen))) return;
      this.#seen.delete(other);
    }
  }

  #stateOf(user: UserId, { burst, aheadMs }: Seen): Burst {
    return stepBurst(burst, { seats: this.#seatsOf(user), want: false, mayStart: false }, this.#options, mono(this.#now() + aheadMs)).burst;
  }

  /** Users above their limit in a running lease, and users that still repay one. */
  get count(): { readonly active: number; readonly debt: number } {
    const soft = this.#options.limits.perUser;
    let active = 0;
    let debt = 0;
    for (const [user, seen] of this.#seen) {
      const now = this.#stateOf(user, seen);
      if (now.in === 'active') active += this.#seatsOf(user) > soft ? 1 : 0;
      else if (now.in === 'debt') debt++;
      else this.#seen.delete(user);
    }
    return { active, debt };
  }

  /** The same store, whose answers about seats are noted on their way. */
  observe(store: Store): Store {
    const told = async <T>(user: UserId, asked: Promise<T>, factsOf: (answer: T) => SeatFacts): Promise<T> => {
      const answer = await asked;
      this.note(user, factsOf(answer));
      return answer;
    };
    const { seats } = store;
    const observed: SeatStore = {
      facts: (user, limits) => told(user, seats.facts(user, limits), (facts) => facts),
      admit: (r) => told(r.user, seats.admit(r), ({ facts }) => facts),
      replace: (r) => told(r.user, seats.replace(r), ({ facts }) => facts),
      enqueue: (r) => told(r.user, seats.enqueue(r), ({ facts }) => facts),
      evict: (user, ...rest) => told(user, seats.evict(user, ...rest), ({ facts }) => facts),
      release: (user, ...rest) => told(user, seats.release(user, ...rest), ({ facts }) => facts),
      cancel: (user, ...rest) => told(user, seats.cancel(user, ...rest), (facts) => facts),
      renew: (...a) => seats.renew(...a),
      adopt: (...a) => seats.adopt(...a),
    };
    return {
      kind: store.kind,
      seats: observed,
      log: store.log,
      threads: store.threads,
      credentials: store.credentials,
      health: () => store.health(),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  }
}

const isHeld = ({ in: state }: Burst): boolean => state === 'active' || state === 'debt';

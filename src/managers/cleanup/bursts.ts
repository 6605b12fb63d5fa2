import { type Burst, stepBurst } from '../../core/burst.ts';
import { type Mono, mono } from '../../core/clocks.ts';
import type { Options } from '../../core/options.ts';
import type { SeatFacts } from '../../ports/store.ts';
import type { UserId } from '../../protocol/ids.ts';

/** What stands of a user above the limit. */
interface Held {
  burst: Burst;
  /** How far the store's clock is ahead of ours. */
  aheadMs: number;
  /** What was told of it last; null before the first time. */
  told: 'active' | 'debt' | null;
  /** Whether it counts as active: a lease that nobody uses does not. */
  counts: boolean;
  /** Ends the wait for the end of the lease. */
  cancel: () => void;
}

interface BurstsDeps {
  now(): Mono;
  /** Seats that a user holds, here and elsewhere, as far as it is known. */
  seatsOf(user: UserId): number;
  after(delayMs: number, callback: () => void): () => void;
  /** A lease began, became a debt, or is over. */
  changed(user: UserId, to: 'none' | 'active' | 'debt'): void;
}

/** Which users hold or repay a burst lease: as the store's answers told last, as time ends leases and as seats are given back since. */
export class Bursts {
  readonly #options: Options;
  readonly #deps: BurstsDeps;
  readonly #held = new Map<UserId, Held>();
  #active = 0;
  #debt = 0;

  constructor(options: Options, deps: BurstsDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Users above their limit in a running lease, and users that still repay one. */
  get count(): { readonly active: number; readonly debt: number } {
    return { active: this.#active, debt: this.#debt };
  }

  note(user: UserId, { burst, now }: SeatFacts): void {
    const held = this.#held.get(user);
    if (!isHeld(burst)) {
      if (held !== undefined) this.#end(user, held);
      return;
    }
    // An answer that was on its way when that very lease ended.
    if (held?.told === 'debt' && held.burst.in === 'active' && burst.in === 'active' && burst.until === held.burst.until) return;
    const aheadMs = now - this.#deps.now();
    if (held === undefined) {
      const begun: Held = { burst, aheadMs, told: null, counts: false, cancel: () => {} };
      this.#held.set(user, begun);
      this.#settle(user, begun);
      return;
    }
    held.burst = burst;
    held.aheadMs = aheadMs;
    this.#settle(user, held);
  }

  /** The user holds more or fewer seats. */
  seatsChanged(user: UserId): void {
    const held = this.#held.get(user);
    if (held !== undefined) this.#settle(user, held);
  }

  /** What time and seats have made of it by now. */
  #settle(user: UserId, held: Held): void {
    const { now, seatsOf, after, changed } = this.#deps;
    const seats = seatsOf(user);
    const { burst } = stepBurst(held.burst, { seats, want: false, mayStart: false }, this.#options, mono(now() + held.aheadMs));
    if (burst.in !== 'active' && burst.in !== 'debt') {
      this.#end(user, held);
      return;
    }
    held.cancel();
    held.cancel = () => {};
    if (burst.in === 'active') {
      const leftMs = burst.until - held.aheadMs - now();
      held.cancel = after(Math.max(1, Math.ceil(leftMs)), () => this.#settle(user, held));
    }
    this.#uncount(held);
    held.counts = burst.in === 'debt' || seats > this.#options.limits.perUser;
    const isNews = held.told !== burst.in;
    held.told = burst.in;
    if (held.counts) this.#move(burst.in, 1);
    if (isNews) changed(user, burst.in);
  }

  #end(user: UserId, held: Held): void {
    held.cancel();
    this.#held.delete(user);
    this.#uncount(held);
    if (held.told !== null) this.#deps.changed(user, 'none');
  }

  #uncount(held: Held): void {
    if (held.counts && held.told !== null) this.#move(held.told, -1);
    held.counts = false;
  }

  #move(to: 'active' | 'debt', by: 1 | -1): void {
    if (to === 'active') this.#active += by;
    else this.#debt += by;
  }

  /** Nothing is waited for any more. */
  stop(): void {
    for (const { cancel } of this.#held.values()) cancel();
  }
}

const isHeld = ({ in: state }: Burst): boolean => state === 'active' || state === 'debt';

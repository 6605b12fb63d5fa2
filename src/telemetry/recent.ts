import type { Clock } from '../ports/clock.ts';
import { Spread } from './spread.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** More instants than this are not kept apart: whoever has so many does not count them. */
const MOST_INSTANTS = 10_000;

interface Slot {
  minute: number;
  readonly spread: Spread;
}

/** How values of the last `minutes` spread, to the minute. */
export class RecentSpread {
  readonly #clock: Clock;
  readonly #slots: Slot[];

  constructor(clock: Clock, minutes: number) {
    this.#clock = clock;
    this.#slots = Array.from({ length: minutes }, () => ({ minute: Number.NaN, spread: new Spread() }));
  }

  add(value: number): void {
    const minute = this.#minute();
    const slot = this.#slots[minute % this.#slots.length] as Slot;
    if (slot.minute !== minute) {
      slot.minute = minute;
      slot.spread.clear();
    }
    slot.spread.add(value);
  }

  percentile(share: number): number | null {
    const oldest = this.#minute() - this.#slots.length;
    const sum = new Spread();
    for (const { minute, spread } of this.#slots) if (minute > oldest) sum.merge(spread);
    return sum.percentile(share);
  }

  #minute(): number {
    return Math.floor(this.#clock.mono() / MINUTE_MS);
  }
}

/** How often something happened within the last 24 hours. */
export class LastDay {
  readonly #clock: Clock;
  #instants: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  happened(): void {
    this.#instants.push(this.#clock.mono());
    if (this.#instants.length > MOST_INSTANTS) this.#instants.shift();
  }

  get count(): number {
    const since = this.#clock.mono() - DAY_MS;
    this.#instants = this.#instants.filter((at) => at > since);
    return this.#instants.length;
  }
}

import { type Attention, startAttention, tickAttention } from '../core/attention.ts';
import { type Attentive, type Mono, mono } from '../core/clocks.ts';
import type { Options } from '../core/options.ts';
import { type SelfHealth, stepSelfHealth, WELL } from '../core/self-health.ts';
import type { Clock } from '../ports/clock.ts';

const TICK_MS = 10;
const SECOND_MS = 1_000;

/** This process observing itself: the attentive clock, and how well it could listen lately. */
export class SelfWatch {
  readonly #clock: Clock;
  readonly #options: Options;
  readonly #onGap: (gapMs: number) => void;
  #attention: Attention;
  #health: SelfHealth = WELL;
  #worstGapMs = 0;
  #secondAt: Mono;
  #lastStallAt: Mono | null = null;
  #cancel: () => void = () => {};
  #stopped = false;

  /** `onGap` hears of every tick that came later than `health.stallGapMs`. */
  constructor(clock: Clock, options: Options, onGap: (gapMs: number) => void) {
    this.#clock = clock;
    this.#options = options;
    this.#onGap = onGap;
    this.#attention = startAttention(mono(clock.mono()));
    this.#secondAt = mono(clock.mono());
    this.#arm();
  }

  get now(): Attentive {
    return this.#attention.at;
  }
  get health(): SelfHealth {
    return this.#health;
  }

  stalledSince(at: Mono): boolean {
    return this.#lastStallAt !== null && this.#lastStallAt >= at;
  }

  #arm(): void {
    if (!this.#stopped) this.#cancel = this.#clock.after(TICK_MS, this.#tick);
  }

  readonly #tick = (): void => {
    const now = mono(this.#clock.mono());
    this.#attention = tickAttention(this.#attention, now);
    const { gapMs } = this.#attention;
    this.#worstGapMs = Math.max(this.#worstGapMs, gapMs);
    if (gapMs > this.#options.health.stallGapMs) {
      this.#lastStallAt = now;
      this.#onGap(gapMs);
    }
    if (now - this.#secondAt >= SECOND_MS) {
      this.#health = stepSelfHealth(this.#health, { gapMs: this.#worstGapMs, loopDelayP99Ms: 0, voided: false, stallGapMs: this.#options.health.stallGapMs });
      this.#worstGapMs = 0;
      this.#secondAt = now;
    }
    this.#arm();
  };

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }
}

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Attention, startAttention, tickAttention } from '../../core/attention.ts';
import { type Attentive, type Mono, mono } from '../../core/clocks.ts';
import type { Options } from '../../core/options.ts';
import { type SelfHealth, stepSelfHealth, WELL } from '../../core/self-health.ts';
import { type Clock, systemClock } from '../../ports/clock.ts';

const TICK_MS = 10;
const SECOND_MS = 1_000;
const NS_PER_MS = 1e6;

/** How late the event loop of this process turns. */
export interface LoopDelay {
  /** 99th percentile of the delays since the last call, in milliseconds; 0 where nothing was measured. */
  takeP99Ms(): number;
  stop(): void;
}

/** As the runtime measures it, with a timer of its own. */
export function systemLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: TICK_MS });
  histogram.enable();
  return {
    takeP99Ms() {
      // What is recorded is the whole interval between two timers; only what exceeds it is delay.
      const p99Ms = histogram.count === 0 ? 0 : Math.max(0, histogram.percentile(99) / NS_PER_MS - TICK_MS);
      histogram.reset();
      return p99Ms;
    },
    stop: () => {
      histogram.disable();
    },
  };
}

/** This process observing itself: the attentive clock, and how well it could listen lately. */
export class SelfWatch {
  readonly #clock: Clock;
  readonly #options: Options;
  readonly #onGap: (gapMs: number) => void;
  readonly #loopDelay: LoopDelay | null;
  #attention: Attention;
  #health: SelfHealth = WELL;
  #worstGapMs = 0;
  #voided = false;
  #secondAt: Mono;
  #lastStallAt: Mono | null = null;
  #cancel: () => void = () => {};
  #stopped = false;

  /** `onGap` hears of every tick that came later than `health.stallGapMs`. `loopDelay`: default the runtime's own with the system
   *  clock, none with any other clock, because real delays say nothing about virtual time. */
  constructor(clock: Clock, options: Options, onGap: (gapMs: number) => void, loopDelay = clock === systemClock ? systemLoopDelay() : null) {
    this.#clock = clock;
    this.#options = options;
    this.#onGap = onGap;
    this.#loopDelay = loopDelay;
    this.#attention = startAttention(mono(clock.mono()));
    this.#secondAt = mono(clock.mono());
    this.#arm();
  }

  get now(): Attentive {
    return this.#attention.at;
  }
  /** Without what is said of one user's silence: see `ProbeWindow`. */
  get health(): SelfHealth {
    return this.#health;
  }

  stalledSince(at: Mono): boolean {
    return this.#lastStallAt !== null && this.#lastStallAt >= at;
  }

  /** Many peers fell silent together in this second, so that their silence was not held against them. */
  voided(): void {
    this.#voided = true;
  }

  #arm(): void {
    if (!this.#stopped) this.#cancel = this.#clock.after(TICK_MS, this.#tick);
  }

  readonly #tick = (): void => {
    const now = mono(this.#clock.mono());
    this.#attention = tickAttention(this.#attention, now);
    const { gapMs } = this.#attention;
    this.#worstGapMs = Math.max(this.#worstGapMs, gapMs);
    const { stallGapMs } = this.#options.health;
    if (gapMs > stallGapMs) {
      this.#lastStallAt = now;
      this.#onGap(gapMs);
    }
    if (now - this.#secondAt >= SECOND_MS) {
      const loopDelayP99Ms = this.#loopDelay?.takeP99Ms() ?? 0;
      this.#health = stepSelfHealth(this.#health, { gapMs: this.#worstGapMs, loopDelayP99Ms, voided: this.#voided, stallGapMs });
      this.#worstGapMs = 0;
      this.#voided = false;
      this.#secondAt = now;
    }
    this.#arm();
  };

  stop(): void {
    this.#stopped = true;
    this.#cancel();
    this.#loopDelay?.stop();
  }
}

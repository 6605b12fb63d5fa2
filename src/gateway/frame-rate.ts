import type { Options } from '../core/options.ts';

const WINDOW_MS = 10_000;

/** Counts a connection's frames in windows of ten seconds. Acks and answers to probes are not counted. */
export class FrameRate {
  readonly #options: Options;
  #startedAt: number;
  #count = 0;

  constructor(options: Options, now: number) {
    this.#options = options;
    this.#startedAt = now;
  }

  /** `over`: answered with an error, not processed; `flood`: the connection ends for a while. */
  count(now: number): 'ok' | 'over' | 'flood' {
    if (now - this.#startedAt >= WINDOW_MS) {
      this.#startedAt = now;
      this.#count = 0;
    }
    this.#count++;
    const { framesPer10s, closeFramesPer10s } = this.#options.rate;
    return this.#count > closeFramesPer10s ? 'flood' : this.#count > framesPer10s ? 'over' : 'ok';
  }

  /** Milliseconds until the window ends. */
  leftMs(now: number): number {
    return Math.max(1, Math.ceil(this.#startedAt + WINDOW_MS - now));
  }
}

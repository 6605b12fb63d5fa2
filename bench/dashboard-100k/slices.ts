import { type Clock, systemClock } from '../../src/ports/clock.ts';

/** One stretch of work in one turn of the event loop. */
export interface Slice {
  readonly wallMs: number;
  /** Of the main thread alone: without what other programs took from it. */
  readonly cpuMs: number;
}

const MARK = '/gateway/live/';
/** More than any chain of promises in one slice. */
const HOPS = 100;

/** The system's clock, which can measure what the live topics do in each turn: it knows their calls by the stack. Off, it costs nothing. */
export class SlicingClock implements Clock {
  #slices: Slice[] | null = null;

  mono(): number {
    return systemClock.mono();
  }

  wall(): number {
    return systemClock.wall();
  }

  after(delayMs: number, callback: () => void): () => void {
    return systemClock.after(delayMs, this.#measured(callback));
  }

  soon(callback: () => void): void {
    systemClock.soon(this.#measured(callback));
  }

  begin(): void {
    this.#slices = [];
  }

  end(): readonly Slice[] {
    const slices = this.#slices ?? [];
    this.#slices = null;
    return slices;
  }

  #measured(callback: () => void): () => void {
    const slices = this.#slices;
    if (slices === null || !(new Error().stack ?? '').includes(MARK)) return callback;
    return () => {
      const from = performance.now();
      const cpuFrom = process.threadCpuUsage();
      callback();
      const end = async (): Promise<void> => {
        // Promises that the callback settled go on before this one does.
        for (let hop = 0; hop < HOPS; hop++) await null;
        const { user, system } = process.threadCpuUsage(cpuFrom);
        slices.push({ wallMs: performance.now() - from, cpuMs: (user + system) / 1_000 });
      };
      void end();
    };
  }
}

import type { Clock } from '../../ports/clock.ts';

/** How long one slice may keep the event loop. Less than half of what is promised: garbage collection and neighbours add to it. */
const SLICE_MS = 2;
/** How many are visited between two looks at the clock. */
const BETWEEN_LOOKS = 64;

/** Lets reads and timers that are due go first. */
export const turn = (clock: Clock): Promise<void> => new Promise((resolve) => clock.soon(resolve));

/** Of this thread: what other programs take from it is not ours. Node.js 22 knows only that of the whole process, which is more. */
function cpuMs(): number {
  const newer: Partial<Pick<NodeJS.Process, 'threadCpuUsage'>> = process;
  const { user, system } = newer.threadCpuUsage?.() ?? process.cpuUsage();
  return (user + system) / 1_000;
}

/** Long work, done in slices of a few milliseconds, each in a turn of the event loop of its own. */
export class Slices {
  readonly #clock: Clock;
  readonly #isOver: () => boolean;
  #since: number;
  #cpuSince = cpuMs();
  #spentMs = 0;

  /** `isOver`: nobody wants the outcome any more. */
  constructor(clock: Clock, isOver: () => boolean) {
    this.#clock = clock;
    this.#isOver = isOver;
    this.#since = clock.mono();
  }

  /** CPU time of what was done in the slices so far. */
  get spentMs(): number {
    return this.#spentMs + cpuMs() - this.#cpuSince;
  }

  /** Visits everything. `all` may change meanwhile as a `Map` may: who is new is visited too, who is gone is not. False: nobody wants
   *  the outcome any more, and not everything was visited. */
  async each<T>(all: Iterable<T>, visit: (one: T) => void): Promise<boolean> {
    let visited = 0;
    for (const one of all) {
      visit(one);
      visited++;
      if (visited % BETWEEN_LOOKS === 0 && this.#clock.mono() - this.#since >= SLICE_MS && !(await this.next())) return false;
    }
    return true;
  }

  /** Ends a slice. False: nobody wants the outcome any more. */
  async next(): Promise<boolean> {
    this.#spentMs = this.spentMs;
    await turn(this.#clock);
    this.#cpuSince = cpuMs();
    this.#since = this.#clock.mono();
    return !this.#isOver();
  }
}

/** The same for work that is done once. False: `isOver` said so, and not everything was visited. */
export const inSlices = <T>(clock: Clock, all: Iterable<T>, isOver: () => boolean, visit: (one: T) => void): Promise<boolean> =>
  new Slices(clock, isOver).each(all, visit);

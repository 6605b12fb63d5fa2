import type { Clock } from '../../ports/clock.ts';

/** Transports that are written in one turn of the event loop: a millisecond of work, after which reads and timers have their turn. */
const PER_TURN = 64;

/** The order in which transports are written. Whoever has something due waits for the end of the turn; where that is more than a turn
 *  can take, the rest waits for the next one, first come, first served. So an idle node delays nothing, and on a loaded one what
 *  becomes due meanwhile leaves in the same write. */
export class Flushes {
  readonly #clock: Clock;
  #due: (() => void)[] = [];
  #isArmed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `flush` once, later in this turn or in one of the next. It must not throw. */
  want(flush: () => void): void {
    this.#due.push(flush);
    if (this.#isArmed) return;
    this.#isArmed = true;
    // Behind the log's batch of this turn, which begins in a tick and is answered in promises: what it makes due goes along.
    process.nextTick(() => queueMicrotask(() => process.nextTick(this.#run)));
  }

  readonly #run = (): void => {
    const now = this.#due.length <= PER_TURN ? this.#due : this.#due.slice(0, PER_TURN);
    this.#due = this.#due.length <= PER_TURN ? [] : this.#due.slice(PER_TURN);
    for (const flush of now) flush();
    if (this.#due.length === 0) this.#isArmed = false;
    else this.#clock.soon(this.#run);
  };
}

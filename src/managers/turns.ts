import type { Clock } from '../ports/clock.ts';

/** Frames, or pieces of work of that size, that users in an emergency may cause in one turn of the event loop. */
const PER_TURN = 256;

/** Shares the event loop among users in an emergency: who has used up a turn waits for the next one, in which reads and pongs were
 *  processed, and goes on in the order in which everybody came to wait. So fifty users with twenty dead each go round robin. */
export class Turns {
  readonly #clock: Clock;
  readonly #waiting: { readonly cost: number; readonly go: () => void }[] = [];
  #left = PER_TURN;
  #isArmed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when work worth `cost` frames may be done. */
  async spend(cost: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#left > 0) {
      this.#take(cost);
      return;
    }
    await new Promise<void>((go) => this.#waiting.push({ cost, go }));
  }

  #take(cost: number): void {
    this.#left -= cost;
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#clock.soon(() => {
      this.#isArmed = false;
      this.#left = PER_TURN;
      while (this.#left > 0) {
        const next = this.#waiting.shift();
        if (next === undefined) return;
        this.#take(next.cost);
        next.go();
      }
    });
  }
}

import type { Clock } from '../ports/clock.ts';

export type Pulled<T> = IteratorResult<T> | 'silent' | 'aborted';

/** Pulls what an agent yields, one at a time, and notices when it falls silent. One timer a run, armed anew when it ends: a timer an
 *  event would cost more than the event. */
export class PatientPull<T> {
  readonly #clock: Clock;
  readonly #silentMs: number;
  /** When the pull that is under way began; null while none is, in which nobody can be silent. */
  #since: number | null = null;
  #settle: (pulled: Pulled<T>) => void = () => {};
  #cancel: () => void = () => {};
  #isArmed = false;

  /** An agent is silent if it answers a pull with nothing for `silentMs`. */
  constructor(clock: Clock, silentMs: number) {
    this.#clock = clock;
    this.#silentMs = silentMs;
  }

  /** What the iterator answers. What it answers after it was silent or aborted is nobody's news. */
  next(iterator: AsyncIterator<T>): Promise<Pulled<T>> {
    this.#since = this.#clock.mono();
    if (!this.#isArmed) this.#arm(this.#silentMs);
    return new Promise((resolve, reject) => {
      this.#settle = resolve;
      iterator.next().then(resolve, reject);
    });
  }

  /** The answer was taken: until the next pull nothing is waited for. */
  taken(): void {
    this.#since = null;
  }

  /** Ends the pull that is under way. */
  abort(): void {
    this.#settle('aborted');
  }

  /** No pull comes any more. */
  end(): void {
    this.#since = null;
    this.#isArmed = false;
    this.#cancel();
  }

  #arm(inMs: number): void {
    this.#isArmed = true;
    this.#cancel = this.#clock.after(inMs, () => {
      const leftMs = this.#since === null ? this.#silentMs : this.#since + this.#silentMs - this.#clock.mono();
      if (leftMs <= 0) this.#settle('silent');
      else this.#arm(Math.max(1, leftMs));
    });
  }
}

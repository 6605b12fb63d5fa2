/** Runs that a person wants to stop. */

import { SpillwayError } from '../protocol/errors.ts';
import type { Cancel, ErrorFrame } from '../protocol/frames.ts';
import type { RunId } from '../protocol/ids.ts';
import { type Deferred, deferred, later } from './timers.ts';

/** Asks for each until the gateway has answered, on every transport anew. */
export class Cancels {
  readonly #send: (frame: Cancel) => boolean;
  readonly #waiting = new Map<string, Deferred<void>>();

  constructor(send: (frame: Cancel) => boolean) {
    this.#send = send;
  }

  /** Resolves when the run is being cancelled, or has ended anyway. */
  cancel(run: string): Promise<void> {
    const earlier = this.#waiting.get(run);
    if (earlier !== undefined) return earlier.promise;
    const answer = deferred<void>();
    this.#waiting.set(run, answer);
    this.#ask(run);
    return answer.promise;
  }

  ready(): void {
    for (const run of this.#waiting.keys()) this.#ask(run);
  }

  cancelled(run: string): void {
    this.#waiting.get(run)?.resolve();
    this.#waiting.delete(run);
  }

  /** Returns whether the error was about a run from here. */
  refused(frame: ErrorFrame): boolean {
    const run = frame.ref?.type === 'cancel' ? frame.ref.run : undefined;
    if (run === undefined || !this.#waiting.has(run)) return false;
    if (frame.retryable) later(frame.retryAfterMs ?? 1_000, () => this.#waiting.has(run) && this.#ask(run));
    // A run that exists no longer needs no cancelling.
    else if (frame.code === 'not-found') this.cancelled(run);
    else {
      this.#waiting.get(run)?.reject(new SpillwayError('SPILLWAY_REFUSED', frame.message, { cause: frame }));
      this.#waiting.delete(run);
    }
    return true;
  }

  close(): void {
    for (const answer of this.#waiting.values())
      answer.reject(new SpillwayError('SPILLWAY_CLOSED', 'Expected the run to be cancelled, but close() was called before.'));
    this.#waiting.clear();
  }

  #ask(run: string): void {
    this.#send({ type: 'cancel', run: run as RunId });
  }
}

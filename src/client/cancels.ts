/** Runs that a person wants to stop. */

import type { Cancel, ErrorFrame } from '../protocol/frames.ts';
import type { RunId } from '../protocol/ids.ts';
import { closed, refusal } from './errors.ts';
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
    const answer = this.#waiting.get(run) ?? deferred<void>();
    this.#waiting.set(run, answer);
    this.#ask(run);
    return answer.promise;
  }

  ready(): void {
    for (const run of this.#waiting.keys()) this.#ask(run);
  }

  answered(run: string, error?: unknown): void {
    const answer = this.#waiting.get(run);
    this.#waiting.delete(run);
    if (error) answer?.reject(error);
    else answer?.resolve();
  }

  /** Returns whether the error was about a run from here. */
  refused(frame: ErrorFrame): boolean {
    const run = frame.ref?.type === 'cancel' && frame.ref.run;
    if (!run) return false;
    if (frame.retryable) later(frame.retryAfterMs ?? 1_000, () => this.#ask(run));
    // A run that exists no longer needs no cancelling.
    else this.answered(run, frame.code === 'not-found' ? undefined : refusal(frame));
    return true;
  }

  close(): void {
    for (const run of [...this.#waiting.keys()]) this.answered(run, closed());
  }

  #ask(run: string): void {
    if (this.#waiting.has(run)) this.#send({ type: 'cancel', run: run as RunId });
  }
}

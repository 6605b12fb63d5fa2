/** A `for await` loop over a stream. */

import type { Reader } from './channel.ts';
import { type Deferred, deferred } from './timers.ts';
import type { GapEvent, StreamEvent } from './types.ts';

type Result = IteratorResult<StreamEvent<unknown>, undefined>;

const DONE: Result = { done: true, value: undefined };

/** An event is done with when the next one is asked for, or when the loop is left. */
export class Loop implements Reader, AsyncIterableIterator<StreamEvent<unknown>, undefined> {
  readonly #detach: (loop: Loop) => void;
  readonly #onGap: ((gap: GapEvent) => void) | undefined;
  readonly #asking: Deferred<Result>[] = [];
  #next: { readonly event: StreamEvent<unknown>; done(): void } | null = null;
  #finish = (): void => {};
  #ended: { readonly error?: unknown } | null = null;

  constructor(detach: (loop: Loop) => void, onGap?: (gap: GapEvent) => void) {
    this.#detach = detach;
    this.#onGap = onGap;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  take(event: StreamEvent<unknown>): Promise<void> {
    return new Promise((done) => {
      this.#next = { event, done };
      this.#serve();
    });
  }

  next(): Promise<Result> {
    this.#finish();
    const ask = deferred<Result>();
    this.#asking.push(ask);
    this.#serve();
    return ask.promise;
  }

  async return(): Promise<Result> {
    this.#finish();
    this.end();
    return DONE;
  }

  end(error?: unknown): void {
    if (this.#ended !== null) return;
    this.#ended = { error };
    this.#detach(this);
    this.#serve();
  }

  gap(gap: GapEvent): void {
    this.#onGap?.(gap);
  }

  #serve(): void {
    while (this.#asking.length > 0 && (this.#next || this.#ended)) {
      const ask = this.#asking.shift();
      if (this.#next && !this.#ended) {
        this.#finish = this.#next.done;
        ask?.resolve({ done: false, value: this.#next.event });
        this.#next = null;
      } else {
        if (this.#ended?.error) ask?.reject(this.#ended.error);
        else ask?.resolve(DONE);
        // An error is told once; whoever asks again is at the end.
        this.#ended = {};
      }
    }
  }
}

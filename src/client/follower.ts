/** One reader of a stream: a listener, or a loop. */

import type { Epoch } from '../protocol/ids.ts';
import { judgeRange, type Position } from '../protocol/position.ts';
import type { GapEvent, StreamEvent } from './types.ts';

/** The events of one frame, taken whole or not at all. */
export interface Batch {
  readonly first: number;
  readonly last: number;
  readonly events: readonly StreamEvent<unknown>[];
}

/** Keeps what has arrived for one reader and how far that reader is. Its position does not depend on any transport. */
export abstract class Follower {
  /** Null until it is known where the stream begins for this reader. */
  epoch: Epoch | null = null;
  /** Last offset waiting here or handed over. */
  received = 0;
  /** Last offset handed over: from here the stream goes on after a loss. */
  taken = 0;
  /** Last offset that the reader is done with: up to here it may be acknowledged. */
  done = 0;
  /** Told whenever `done` has moved. */
  onProgress: () => void = () => {};
  protected queue: Batch[] = [];

  get position(): Position | null {
    return this.epoch === null ? null : { epoch: this.epoch, offset: this.taken };
  }

  /** Starts anew at a position. What waited is void. */
  moveTo(position: Position): void {
    this.epoch = position.epoch;
    this.received = this.taken = this.done = position.offset;
    this.queue = [];
  }

  /** Forgets what was not handed over yet: it comes again on the next transport. Without this, a reader that never reads would
   *  gather another window of events with every reconnect. */
  forgetWaiting(): void {
    this.queue = [];
    this.received = this.taken;
  }

  /** False if the batch does not join on to what this reader has. */
  offer(batch: Batch): boolean {
    const verdict = judgeRange(this.received, batch.first, batch.last);
    if (verdict === 'resubscribe') return false;
    if (verdict === 'apply') {
      this.received = batch.last;
      this.queue.push(batch);
      this.pump();
    }
    return true;
  }

  /** Nothing more comes: by choice, or because of an error. */
  abstract end(error?: unknown): void;
  /** Entries are missing; the reader goes on behind the snapshot. */
  abstract gap(gap: GapEvent): void;
  protected abstract pump(): void;
}

export type Listener = (event: StreamEvent<unknown>) => unknown;

/** Hands events to a function, the next when it has returned and its promise has settled. While it is synchronous, all this
 *  happens in the call stack of the message handler. */
export class ListenerFollower extends Follower {
  readonly #listener: Listener;
  readonly #report: (error: unknown) => void;
  #isBusy = false;
  #hasEnded = false;
  /** Raised when the position is set anew, so that a listener that is still busy with an old event moves nothing. */
  #turn = 0;

  constructor(listener: Listener, report: (error: unknown) => void) {
    super();
    this.#listener = listener;
    this.#report = report;
  }

  override moveTo(position: Position): void {
    super.moveTo(position);
    this.#turn += 1;
  }

  end(error?: unknown): void {
    this.#hasEnded = true;
    this.queue = [];
    if (error !== undefined) this.#report(error);
  }

  gap(): void {
    // The client's `gap` event tells listeners.
  }

  protected pump(): void {
    while (!this.#isBusy) {
      const batch = this.queue.shift();
      if (batch === undefined) return;
      this.taken = batch.last;
      this.#hand(batch, 0, this.#turn);
    }
  }

  #hand(batch: Batch, from: number, turn: number): void {
    for (let i = from; i < batch.events.length; i++) {
      if (this.#hasEnded || turn !== this.#turn) return;
      let result: unknown;
      try {
        result = this.#listener(batch.events[i] as StreamEvent<unknown>);
      } catch (error) {
        // Acknowledged all the same: sending it again would not mend the listener.
        this.#report(error);
      }
      if (!isThenable(result)) continue;
      this.#isBusy = true;
      const goOn = (): void => {
        this.#isBusy = false;
        this.#hand(batch, i + 1, turn);
        this.pump();
      };
      Promise.resolve(result).catch(this.#report).then(goOn).catch(this.#report);
      return;
    }
    if (turn !== this.#turn) return;
    this.done = batch.last;
    this.onProgress();
  }
}

/** Hands events to a `for await` loop. An event is done with when the next one is asked for. */
export class LoopFollower extends Follower implements AsyncIterableIterator<StreamEvent<unknown>, undefined> {
  readonly #detach: (follower: LoopFollower) => void;
  #current: Batch | null = null;
  #index = 0;
  #waiting: ((result: IteratorResult<StreamEvent<unknown>, undefined>) => void)[] = [];
  #failing: ((error: unknown) => void)[] = [];
  #ended: { readonly error?: unknown } | null = null;
  readonly #onGap: ((gap: GapEvent) => void) | undefined;

  constructor(detach: (follower: LoopFollower) => void, onGap?: (gap: GapEvent) => void) {
    super();
    this.#detach = detach;
    this.#onGap = onGap;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  override moveTo(position: Position): void {
    super.moveTo(position);
    this.#current = null;
  }

  next(): Promise<IteratorResult<StreamEvent<unknown>, undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      this.#failing.push(reject);
      this.pump();
    });
  }

  return(): Promise<IteratorResult<StreamEvent<unknown>, undefined>> {
    this.#finishCurrent();
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  end(error?: unknown): void {
    if (this.#ended !== null) return;
    this.#ended = error === undefined ? {} : { error };
    this.queue = [];
    this.#detach(this);
    this.pump();
  }

  gap(gap: GapEvent): void {
    this.#onGap?.(gap);
  }

  protected pump(): void {
    while (this.#waiting.length > 0) {
      const event = this.#ended === null ? this.#take() : null;
      if (event === null && this.#ended === null) return;
      const resolve = this.#waiting.shift();
      const reject = this.#failing.shift();
      if (event !== null) resolve?.({ done: false, value: event });
      else if (this.#ended?.error !== undefined) {
        reject?.(this.#ended.error);
        // An error is told once; whoever asks again is at the end.
        this.#ended = {};
      } else resolve?.({ done: true, value: undefined });
    }
    this.#skipEmpty();
  }

  #take(): StreamEvent<unknown> | null {
    if (this.#current !== null && this.#index >= this.#current.events.length) this.#finishCurrent();
    while (this.#current === null) {
      const batch = this.queue.shift();
      if (batch === undefined) return null;
      this.taken = batch.last;
      this.#current = batch;
      this.#index = 0;
      if (batch.events.length === 0) this.#finishCurrent();
    }
    return this.#current.events[this.#index++] as StreamEvent<unknown>;
  }

  /** A frame without events needs nobody to take it, so it must not wait for the next `next()`. */
  #skipEmpty(): void {
    while (this.#current === null && this.queue[0]?.events.length === 0) {
      this.#current = this.queue.shift() as Batch;
      this.taken = this.#current.last;
      this.#finishCurrent();
    }
  }

  #finishCurrent(): void {
    if (this.#current === null) return;
    this.done = this.#current.last;
    this.#current = null;
    this.onProgress();
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

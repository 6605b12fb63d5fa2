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

type Result = IteratorResult<StreamEvent<unknown>, undefined>;

interface Asking {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

const DONE: Result = { done: true, value: undefined };

/** Hands events to a `for await` loop. An event is done with when the next one is asked for. */
export class LoopFollower extends Follower implements AsyncIterableIterator<StreamEvent<unknown>, undefined> {
  readonly #detach: (follower: LoopFollower) => void;
  #current: Batch | null = null;
  #index = 0;
  readonly #asking: Asking[] = [];
  #hasEnded = false;
  #error: unknown;
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

  next(): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#asking.push({ resolve, reject });
      this.pump();
    });
  }

  async return(): Promise<Result> {
    this.#finish();
    this.end();
    return DONE;
  }

  end(error?: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#error = error;
    this.queue = [];
    this.#detach(this);
    this.pump();
  }

  gap(gap: GapEvent): void {
    this.#onGap?.(gap);
  }

  protected pump(): void {
    for (;;) {
      const isAsked = this.#asking.length > 0;
      const event = this.#current?.events[this.#index];
      if (this.#hasEnded) {
        if (!isAsked) return;
        const { resolve, reject } = this.#asking.shift() as Asking;
        if (this.#error === undefined) resolve(DONE);
        else reject(this.#error);
        // An error is told once; whoever asks again is at the end.
        this.#error = undefined;
      } else if (event !== undefined) {
        if (!isAsked) return;
        this.#index += 1;
        this.#asking.shift()?.resolve({ done: false, value: event });
      } else {
        // All of the frame is handed over: the last event is done with when the next is asked for. A frame without events waits for nobody.
        if (this.#current !== null && this.#current.events.length > 0 && !isAsked) return;
        this.#finish();
        const next = this.queue.shift();
        if (next === undefined) return;
        this.taken = next.last;
        this.#current = next;
        this.#index = 0;
      }
    }
  }

  #finish(): void {
    if (this.#current === null) return;
    this.done = this.#current.last;
    this.#current = null;
    this.onProgress();
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

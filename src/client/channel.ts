/** One subscription and those who read it. */

import { type Codec, isTerminal } from '../protocol/agent-events.ts';
import type { EventFrame, From, Subscribed } from '../protocol/frames.ts';
import type { Epoch, ThreadId } from '../protocol/ids.ts';
import { judgeRange, type Position } from '../protocol/position.ts';
import type { GapEvent, StreamEvent } from './types.ts';

/** Somebody who reads events, one after the other. */
export interface Reader {
  /** The next event comes when this has returned and its promise, if it gave one, has settled. */
  take(event: StreamEvent<unknown>): unknown;
  /** Nothing more comes: by choice, or because of an error. */
  end(error?: unknown): void;
  gap(gap: GapEvent): void;
}

/** What a channel tells the inbox. */
export interface ChannelHost {
  /** All readers have taken all of a frame, and its transport is still there. */
  taken(channel: Channel, frame: EventFrame, bytes: number): void;
  error(error: unknown): void;
}

/** Follows one thread in one codec, in order, each event once. Its readers go in step; while they are synchronous, all of it happens
 *  in the call stack of the message handler. */
export class Channel {
  readonly thread: ThreadId;
  readonly codec: Codec;
  /** Where it began, as asked; it counts until a position is known. */
  readonly from: From;
  readonly readers = new Set<Reader>();
  /** Runs that are known to go on. */
  readonly runs = new Set<string>();
  /** Number on the transport; 0 while it is not open on any. */
  sub = 0;
  /** True from a gap until its snapshot is there. */
  isAway = false;
  hasReplayed = false;
  readonly #host: ChannelHost;
  #epoch: Epoch | null = null;
  /** Last offset that waits here or was handed over. */
  #received = 0;
  /** Last offset handed over: from here the stream goes on after a loss. */
  #taken = 0;
  #head = 0;
  #queue: { readonly frame: EventFrame; readonly bytes: number }[] = [];
  #isBusy = false;
  /** Raised whenever what is being handed over counts no more, since the position was set anew. */
  #turn = 0;

  constructor(thread: ThreadId, codec: Codec, from: From, host: ChannelHost) {
    this.thread = thread;
    this.codec = codec;
    this.from = from;
    this.#host = host;
    if (typeof from === 'object') this.moveTo(from);
  }

  /** Where to go on from; null while only the gateway knows. */
  get position(): Position | null {
    return this.#epoch === null ? null : { epoch: this.#epoch, offset: this.#taken };
  }

  /** Whether a reader that asks for `from` misses nothing here and gets nothing it did not ask for. */
  canTake(from: From): boolean {
    if (this.#epoch === null) return from === this.from;
    if (this.isAway || this.#isBusy || this.#queue.length > 0) return false;
    return typeof from === 'object' ? from.epoch === this.#epoch && from.offset === this.#taken : from === 'now' && this.hasReplayed;
  }

  subscribed(frame: Subscribed): void {
    this.#head = frame.head;
    this.runs.clear();
    if (frame.activeRun !== null) this.runs.add(frame.activeRun);
    // Another epoch than ours: a `gap` follows and says so.
    if (this.#epoch === null) this.moveTo(frame);
  }

  /** Takes a frame. False if it does not join on, so that the stream has to be asked for again from `position`. */
  receive(frame: EventFrame, bytes: number): boolean {
    const verdict = judgeRange(this.#received, frame.from ?? frame.offset, frame.offset);
    if (verdict === 'apply') {
      this.#received = frame.offset;
      this.#queue.push({ frame, bytes });
      this.#pump();
    }
    return verdict !== 'resubscribe';
  }

  /** The transport is gone. What was not handed over comes again: without this, a reader that never reads would gather another window
   *  of events with every reconnect. */
  lost(): void {
    this.sub = 0;
    this.hasReplayed = false;
    this.#queue = [];
    this.#received = this.#taken;
  }

  /** All go on from `position`; what waited is void. */
  moveTo({ epoch, offset }: Position): void {
    this.#epoch = epoch;
    this.#received = this.#taken = offset;
    this.#queue = [];
    this.#turn += 1;
  }

  #pump(): void {
    while (!this.#isBusy) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#taken = next.frame.offset;
      this.#hand(next.frame, next.bytes, this.#eventsOf(next.frame), this.sub, this.#turn);
    }
  }

  #hand(frame: EventFrame, bytes: number, events: readonly StreamEvent<unknown>[], sub: number, turn: number): void {
    for (const [i, event] of events.entries()) {
      if (turn !== this.#turn) return;
      const pending: PromiseLike<unknown>[] = [];
      for (const reader of [...this.readers]) {
        try {
          const result = reader.take(event) as PromiseLike<unknown> | undefined;
          if (typeof result?.then === 'function') pending.push(result);
        } catch (error) {
          // Acknowledged all the same: sending it again would not mend the reader.
          this.#host.error(error);
        }
      }
      if (pending.length === 0) continue;
      this.#isBusy = true;
      const goOn = (): void => {
        this.#isBusy = false;
        this.#hand(frame, bytes, events.slice(i + 1), sub, turn);
        this.#pump();
      };
      Promise.all(pending.map((p) => Promise.resolve(p).catch(this.#host.error)))
        .then(goOn)
        .catch(this.#host.error);
      return;
    }
    // What came over an earlier transport must not be acknowledged on this one, which never sent it.
    if (turn === this.#turn && sub === this.sub) this.#host.taken(this, frame, bytes);
  }

  /** A range is taken whole or not at all, so of several events in one frame only the last stands for the whole range; a reader that
   *  stores its position behind an earlier one gets the range again. */
  #eventsOf(frame: EventFrame): readonly StreamEvent<unknown>[] {
    const { from = frame.offset, offset, kind, at } = frame;
    const items: readonly unknown[] = Array.isArray(frame.data) ? frame.data : [frame.data];
    return items.map((data, i) => {
      const { run_id: run, type } = data as { run_id?: string; type?: string };
      if (run && type) this.runs[isTerminal(type) ? 'delete' : 'add'](run);
      const position = { epoch: this.#epoch, offset: i === items.length - 1 ? offset : from - 1 };
      return { position, data, replay: offset <= this.#head, kind, at } as StreamEvent<unknown>;
    });
  }
}

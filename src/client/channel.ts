/** One subscription, shared by the readers whose positions allow it. */

import { type Codec, isTerminal } from '../protocol/agent-events.ts';
import type { EventFrame, From, Subscribed } from '../protocol/frames.ts';
import type { Epoch, ThreadId } from '../protocol/ids.ts';
import { judgeRange, type Position } from '../protocol/position.ts';
import type { Batch, Follower } from './follower.ts';
import type { StreamEvent } from './types.ts';

interface Unacked {
  readonly last: number;
  readonly bytes: number;
  readonly atOnce: boolean;
}

/** Follows one thread in one codec. The slowest of its readers decides what is acknowledged, so a reader that lags holds up the
 *  others once a whole window waits for it, and no earlier. */
export class Channel {
  readonly thread: ThreadId;
  readonly codec: Codec;
  /** Where it began, as asked; it counts until a position is known. */
  readonly from: From;
  /** Number on the transport; 0 while it is not open on any. */
  sub = 0;
  /** True from a gap until its snapshot is there. */
  isAway = false;
  readonly followers = new Set<Follower>();
  /** Runs that are known to go on. */
  readonly runs = new Set<string>();
  #epoch: Epoch | null = null;
  #received = 0;
  #head = 0;
  #hasReplayed = false;
  #unacked: Unacked[] = [];
  /** Told of every frame that all readers are done with. */
  onTaken: (sub: number, offset: number, bytes: number, atOnce: boolean) => void = () => {};

  constructor(thread: ThreadId, codec: Codec, from: From) {
    this.thread = thread;
    this.codec = codec;
    this.from = from;
    if (typeof from === 'object') {
      this.#epoch = from.epoch;
      this.#received = from.offset;
    }
  }

  /** Where to go on from; null while only the gateway knows. */
  get position(): Position | null {
    return this.#epoch === null ? null : { epoch: this.#epoch, offset: this.#received };
  }

  /** Whether a reader that asks for `from` misses nothing here and gets nothing it did not ask for. */
  canTake(codec: Codec, from: From): boolean {
    if (codec !== this.codec || this.isAway) return false;
    if (typeof from === 'object') return from.epoch === this.#epoch && from.offset >= this.#received;
    if (this.#epoch === null) return from === this.from;
    return from === 'now' && this.#hasReplayed && this.sub !== 0;
  }

  add(follower: Follower, from: From): void {
    if (typeof from === 'object') follower.moveTo(from);
    else if (this.#epoch !== null) follower.moveTo({ epoch: this.#epoch, offset: this.#received });
    follower.onProgress = () => this.#settle();
    this.followers.add(follower);
  }

  remove(follower: Follower): void {
    this.followers.delete(follower);
    follower.onProgress = () => {};
    if (this.followers.size > 0) this.#settle();
  }

  subscribed(frame: Subscribed): void {
    this.#head = frame.head;
    this.#hasReplayed = false;
    this.runs.clear();
    if (frame.activeRun !== null) this.runs.add(frame.activeRun);
    // Another epoch than ours: a `gap` follows and says so.
    if (this.#epoch !== null) return;
    this.#epoch = frame.epoch;
    this.#received = frame.offset;
    for (const follower of this.followers) if (follower.epoch === null) follower.moveTo(frame);
  }

  replayed(): void {
    this.#hasReplayed = true;
  }

  /** Takes a frame. `hole`: it does not join on, so the stream has to be asked for again from `position`. Otherwise the readers
   *  that it does not join on for, since they joined in the middle of its range, are named to go on by themselves. */
  receive(frame: EventFrame, bytes: number): 'hole' | readonly Follower[] {
    const first = frame.from ?? frame.offset;
    const verdict = judgeRange(this.#received, first, frame.offset);
    if (verdict === 'resubscribe' || this.#epoch === null) return 'hole';
    if (verdict === 'drop') return [];
    this.#received = frame.offset;
    this.#unacked.push({ last: frame.offset, bytes, atOnce: frame.ack === true });
    const batch = toBatch(frame, this.#epoch, frame.offset <= this.#head);
    this.#noteRuns(batch);
    const strays = [...this.followers].filter((follower) => !follower.offer(batch));
    this.#settle();
    return strays;
  }

  /** The transport is gone: what readers have not taken comes again. */
  lost(): void {
    this.sub = 0;
    this.#unacked = [];
    this.#hasReplayed = false;
    for (const follower of this.followers) follower.forgetWaiting();
    if (this.#epoch !== null && this.followers.size > 0) this.#received = Math.min(...[...this.followers].map((f) => f.taken));
  }

  /** Everybody here goes on from `position`; what waited is void. */
  moveTo(position: Position): void {
    this.#epoch = position.epoch;
    this.#received = position.offset;
    for (const follower of this.followers) follower.moveTo(position);
  }

  /** Counts what all readers are done with. */
  #settle(): void {
    if (this.#unacked.length === 0) return;
    let floor = Number.POSITIVE_INFINITY;
    for (const follower of this.followers) floor = Math.min(floor, follower.done);
    for (let next = this.#unacked[0]; next !== undefined && next.last <= floor; next = this.#unacked[0]) {
      this.#unacked.shift();
      this.onTaken(this.sub, next.last, next.bytes, next.atOnce);
    }
  }

  #noteRuns(batch: Batch): void {
    for (const { data } of batch.events) {
      const { run_id: run, type } = data as { run_id?: string; type?: string };
      if (run === undefined || type === undefined) continue;
      if (isTerminal(type)) this.runs.delete(run);
      else this.runs.add(run);
    }
  }
}

/** A range is taken whole or not at all, so of several events in one frame only the last stands for the whole range; a reader that
 *  stores its position behind an earlier one gets the range again. */
function toBatch(frame: EventFrame, epoch: Epoch, replay: boolean): Batch {
  const first = frame.from ?? frame.offset;
  const items: readonly unknown[] = Array.isArray(frame.data) ? frame.data : [frame.data];
  const events = items.map(
    (data, i) =>
      ({
        position: { epoch, offset: i === items.length - 1 ? frame.offset : first - 1 },
        data,
        replay,
        kind: frame.kind,
        at: frame.at,
      }) as StreamEvent<unknown>,
  );
  return { first, last: frame.offset, events };
}

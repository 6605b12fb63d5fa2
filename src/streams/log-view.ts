import type { LogEntry, StreamState } from '../ports/store.ts';
import type { Epoch } from '../protocol/ids.ts';
import { frameBytes } from './ranges.ts';
import { Tail } from './tail.ts';

/** Somebody who reads a stream. */
export interface Follower {
  /** Something may be due. Called often; must be cheap. */
  readonly wake: () => void;
  /** Another run is active, or none. */
  readonly runChanged: () => void;
  /** Up to where it has read; null while it reads nothing, as one whose window is full: what it wants later, it reads from the store. */
  readonly offset: () => number | null;
}

/** Confirmed bytes kept for followers that are a little behind. */
const TAIL_KEEP_BYTES = 256 * 1024;

/** Where a log stands here, who follows it, and what of it is at hand. */
export class LogView {
  readonly #tail = new Tail();
  /** Replaced, never changed, so that whoever is woken may leave. */
  #followers: readonly Follower[] = [];
  #epoch: Epoch;
  #first: number;
  #mark: number;
  #activeRun: StreamState['activeRun'];

  constructor(state: StreamState) {
    this.#epoch = state.epoch;
    this.#first = state.first;
    this.#mark = state.head;
    this.#activeRun = state.activeRun;
  }

  get epoch(): Epoch {
    return this.#epoch;
  }
  get first(): number {
    return this.#first;
  }
  /** Last offset confirmed by the store. */
  get mark(): number {
    return this.#mark;
  }
  get activeRun(): StreamState['activeRun'] {
    return this.#activeRun;
  }
  set activeRun(run: StreamState['activeRun']) {
    this.#activeRun = run;
    for (const follower of this.#followers) follower.runChanged();
  }

  // ---- where it stands

  /** Stands where `state` says. */
  moveTo({ epoch, first, head }: StreamState): void {
    this.#epoch = epoch;
    this.#first = first;
    this.#mark = head;
    this.wake();
  }

  /** Another epoch has begun, at the same head. */
  renewed({ epoch, first }: StreamState): void {
    this.#epoch = epoch;
    this.#first = first;
    this.wake();
  }

  /** Everything up to `mark` is confirmed. Whoever follows is woken by the caller. */
  reached(mark: number): void {
    this.#mark = mark;
  }

  /** Retention has dropped what is before `first`. */
  trimmed(first: number): void {
    if (first <= this.#first) return;
    this.#first = first;
    this.wake();
  }

  // ---- what is at hand

  /** Keeps an entry at hand, the next one; `bytes`: of its event. */
  keep(entry: LogEntry, bytes: number): void {
    this.#tail.push(entry, frameBytes(entry, bytes));
  }

  /** Nothing is at hand any more: what was has lost its place. */
  forget(): void {
    this.#tail.clear();
  }

  /** Entries from `from` up to the mark, at most `maxBytes` of frames but at least one; null when they are not at hand. */
  atHand(from: number, maxBytes: number): readonly LogEntry[] | null {
    return this.#tail.slice(from, this.#mark, maxBytes);
  }

  /** A follower reads on no further. Where nobody does, what is logged need not be kept in memory. */
  caughtUp(): void {
    if (this.#tail.isEmpty) return;
    this.#tail.drop(this.#mark, this.#isSomebodyBehind() ? TAIL_KEEP_BYTES : 0);
  }

  // ---- who follows

  get isFollowed(): boolean {
    return this.#followers.length > 0;
  }
  /** Somebody stands at the mark and waits for what comes. */
  get isAwaited(): boolean {
    return this.#followers.some((follower) => follower.offset() === this.#mark);
  }

  add(follower: Follower): void {
    this.#followers = [...this.#followers, follower];
  }

  remove(follower: Follower): void {
    this.#followers = this.#followers.filter((other) => other !== follower);
    this.caughtUp();
  }

  wake(): void {
    for (const follower of this.#followers) follower.wake();
  }

  #isSomebodyBehind(): boolean {
    for (const follower of this.#followers) {
      const offset = follower.offset();
      if (offset !== null && offset < this.#mark) return true;
    }
    return false;
  }
}

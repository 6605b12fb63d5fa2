import type { Clock } from '../ports/clock.ts';
import type { AppendAnswer, AppendRecords, AppendRequest, LogEntry, Store, StreamKey, StreamState, WriterToken } from '../ports/store.ts';
import type { Codec } from '../protocol/agent-events.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { Epoch, RunId } from '../protocol/ids.ts';
import type { Commit, Committable } from './commit.ts';
import { frameBytes } from './ranges.ts';
import { Tail } from './tail.ts';

/** What a writer hands over; the stream gives it its offset. */
export interface NewEntry {
  readonly kind: 'agent' | 'message';
  readonly run: RunId | null;
  readonly codec: Codec;
  readonly data: string;
  readonly at: number;
}

/** Called in the order of offsets, before any follower is woken: what must reach a client before its events is sent here. */
export type OnLogged = (offset: number) => void;

/** Somebody who reads a stream. */
export interface Follower {
  /** Something may be due. Called often; must be cheap. */
  readonly wake: () => void;
  /** Another run is active, or none. */
  readonly runChanged: () => void;
  /** Up to where it has read; null while it reads nothing, as one whose window is full: what it wants later, it reads from the store. */
  readonly offset: () => number | null;
}

interface Pending {
  readonly entry: LogEntry;
  /** UTF-8 bytes of its event. */
  readonly bytes: number;
  readonly records: AppendRecords | undefined;
  readonly onLogged: OnLogged | undefined;
  readonly onLost: ((error: SpillwayError) => void) | undefined;
}

/** Unconfirmed bytes from which on a run is no longer pulled. */
const PENDING_ROOM_BYTES = 4 * 1024 * 1024;
/** Bytes of one append request; the rest waits for the next. */
const REQUEST_BYTES = 1024 * 1024;
/** Confirmed bytes kept for followers that are a little behind. */
const TAIL_KEEP_BYTES = 256 * 1024;
/** How soon a read that failed is tried again. */
const READ_RETRY_MS = 250;

/** One conversation's log as this process sees it. An entry gets its offset synchronously, is confirmed by the store, and only
 *  then moves the mark up to which followers read: nobody has seen an event that the log could forget. */
export class Stream implements Committable {
  readonly key: StreamKey;
  readonly #store: Store;
  readonly #commit: Commit;
  readonly #tail = new Tail();
  /** Replaced, never changed, so that whoever is woken may leave. */
  #followers: readonly Follower[] = [];
  #epoch: Epoch;
  #first: number;
  #head: number;
  #mark: number;
  #token: WriterToken | null = null;
  #claiming: Promise<void> | null = null;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #inFlight: { readonly request: AppendRequest; readonly count: number } | null = null;
  #renewing: Promise<void> | null = null;
  #refreshing: Promise<void> | null = null;
  #roomWaiters: (() => void)[] = [];
  #landedWaiters: (() => void)[] = [];
  #confirmedWaiters: (() => void)[] = [];
  /** How many users of this object there are; the hub forgets it at 0. */
  holders = 0;
  #activeRun: { readonly id: RunId; readonly firstOffset: number | null } | null;
  readonly #clock: Clock;

  constructor(key: StreamKey, state: StreamState, store: Store, commit: Commit, clock: Clock) {
    this.key = key;
    this.#clock = clock;
    this.#store = store;
    this.#commit = commit;
    this.#epoch = state.epoch;
    this.#first = state.first;
    this.#head = state.head;
    this.#mark = state.head;
    this.#activeRun = state.activeRun;
  }

  get epoch(): Epoch {
    return this.#epoch;
  }
  get first(): number {
    return this.#first;
  }
  /** Last offset given out. */
  get head(): number {
    return this.#head;
  }
  /** Last offset confirmed by the store; nobody reads beyond it. */
  get mark(): number {
    return this.#mark;
  }
  /** The run that has not ended. */
  get activeRun(): { readonly id: RunId; readonly firstOffset: number | null } | null {
    return this.#activeRun;
  }
  /** Told by whoever runs it. */
  setActiveRun(run: { readonly id: RunId; readonly firstOffset: number | null } | null): void {
    this.#activeRun = run;
    for (const follower of this.#followers) follower.runChanged();
  }
  get idle(): boolean {
    return this.#pending.length === 0 && this.#followers.length === 0 && this.#renewing === null;
  }
  /** Which of our times as the writer this is; null while we are not. What was begun in an earlier one may be in other hands. */
  get tenure(): WriterToken | null {
    return this.#token;
  }

  /** Becomes the writer, once, and again after another has taken over. */
  writable(): Promise<void> {
    if (this.#token !== null) return Promise.resolve();
    this.#claiming ??= this.#claim().finally(() => {
      this.#claiming = null;
    });
    return this.#claiming;
  }

  async #claim(): Promise<void> {
    const claimed = await this.#store.log.claim(this.key);
    this.#moveTo(claimed);
    this.#token = claimed.token;
    this.setActiveRun(claimed.activeRun);
  }

  #moveTo(state: StreamState): void {
    if (state.epoch !== this.#epoch || state.head !== this.#head) this.#tail.clear();
    this.#epoch = state.epoch;
    this.#first = state.first;
    this.#head = state.head;
    this.#mark = state.head;
    this.#wake();
  }

  /** Gives the entry its offset. Needs `writable()` first. `onLogged` runs when the store has confirmed it, `onLost` if another
   *  writer took the stream over before. */
  append(entry: NewEntry, o: { records?: AppendRecords; onLogged?: OnLogged; onLost?: (error: SpillwayError) => void } = {}): number {
    if (this.#token === null)
      throw new SpillwayError('SPILLWAY_BAD_ARGUMENT', 'Expected a writable stream, got one that nobody claimed; await `writable()` first.');
    const offset = ++this.#head;
    const { kind, run, codec, data, at } = entry;
    const logged: LogEntry = { offset, kind, run, codec, data, at };
    const bytes = Buffer.byteLength(data);
    this.#pending.push({ entry: logged, bytes, records: o.records, onLogged: o.onLogged, onLost: o.onLost });
    this.#pendingBytes += bytes;
    this.#tail.push(logged, frameBytes(logged, bytes));
    this.#commit.want(this);
    return offset;
  }

  /** The same, resolving when the store has confirmed it. */
  log(entry: NewEntry, records?: AppendRecords): Promise<number> {
    return new Promise((resolve, reject) => {
      this.append(entry, { ...(records ? { records } : {}), onLogged: resolve, onLost: reject });
    });
  }

  /** Whether the unconfirmed entries leave room for more. */
  get hasRoom(): boolean {
    return this.#pendingBytes < PENDING_ROOM_BYTES;
  }

  /** Resolves while, or as soon as, there is room. */
  room(): Promise<void> {
    if (this.hasRoom) return Promise.resolve();
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /** Entries from `from` up to the mark, at most `maxBytes` of them but at least one: at once from the tail, where they are reckoned as
   *  frames, else by a promise from the store. */
  read(from: number, maxBytes: number): readonly LogEntry[] | Promise<readonly LogEntry[]> {
    if (from > this.#mark) return [];
    const mark = this.#mark;
    const kept = this.#tail.slice(from, mark, maxBytes);
    return kept ?? this.#store.log.read(this.key, from, maxBytes).then((entries) => entries.filter((e) => e.offset <= mark));
  }

  /** Resolves when nothing that was appended waits for the store any more. */
  confirmed(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#confirmedWaiters.push(resolve));
  }

  /** Wakes the follower after the mark, the epoch or the retained range has changed. Returns the undo. */
  follow(follower: Follower): () => void {
    this.#followers = [...this.#followers, follower];
    return () => {
      this.#followers = this.#followers.filter((other) => other !== follower);
      this.caughtUp();
    };
  }

  /** Calls `wake` a little later: the store did not answer a read. */
  retry(wake: () => void): void {
    this.#clock.after(READ_RETRY_MS, wake);
  }

  /** The log has nothing where it should have something: somebody else has trimmed it. Looks what is left, then calls `wake`. */
  refresh(wake: () => void): void {
    this.#refreshing ??= this.#store.log
      .state(this.key)
      .then(
        ({ epoch, first }) => {
          if (epoch === this.#epoch) this.trimmed(first);
        },
        // It cannot be asked now; whoever reads asks again.
        () => {},
      )
      .finally(() => {
        this.#refreshing = null;
      });
    this.retry(wake);
  }

  /** Retention has dropped what is before `first`. */
  trimmed(first: number): void {
    if (first <= this.#first) return;
    this.#first = first;
    this.#wake();
  }

  /** A position beyond the head shows that the log lost its tail: its offsets start a new epoch. Entries that are on their way to
   *  the store keep their offsets and follow in the new epoch. */
  rewound(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = null;
      if (this.#pending.length > 0) this.#commit.want(this);
    });
    return this.#renewing;
  }

  async #renew(): Promise<void> {
    // What the store has been given under the old epoch is answered first; nothing new is given to it meanwhile.
    if (this.#inFlight !== null) await new Promise<void>((resolve) => this.#landedWaiters.push(resolve));
    const state = await this.#store.log.renewEpoch(this.key);
    if (state.head !== this.#mark) {
      // Another writer was here: what waits has lost its place.
      if (this.#pending.length > 0) this.#lost(this.#pending.splice(0), { is: 'conflict', state });
      else this.#moveTo(state);
      return;
    }
    this.#epoch = state.epoch;
    this.#first = state.first;
    this.#wake();
  }

  /** A follower reads on no further. Where nobody does, what is logged need not be kept in memory. */
  caughtUp(): void {
    if (this.#tail.isEmpty) return;
    this.#tail.drop(this.#mark, this.#isSomebodyBehind() ? TAIL_KEEP_BYTES : 0);
  }

  #isSomebodyBehind(): boolean {
    for (const follower of this.#followers) {
      const offset = follower.offset();
      if (offset !== null && offset < this.#mark) return true;
    }
    return false;
  }

  // ---- group commit

  due(): AppendRequest | null {
    if (this.#inFlight) return this.#inFlight.request;
    if (this.#pending.length === 0 || this.#token === null || this.#renewing !== null) return null;
    let count = 0;
    let bytes = 0;
    while (count < this.#pending.length && (count === 0 || bytes < REQUEST_BYTES)) bytes += (this.#pending[count++] as Pending).bytes;
    const taken = count === this.#pending.length ? this.#pending : this.#pending.slice(0, count);
    const request: AppendRequest = { key: this.key, epoch: this.#epoch, token: this.#token, entries: taken.map((p) => p.entry), ...joinRecords(taken) };
    this.#inFlight = { request, count };
    return request;
  }

  answered(answer: AppendAnswer): void {
    const flight = this.#inFlight;
    if (!flight) return;
    this.#inFlight = null;
    const done = this.#takePending(flight.count);
    if (answer.is === 'fenced' || answer.is === 'conflict') {
      this.#lost([...done, ...this.#pending.splice(0)], answer);
      return;
    }
    if (this.#pending.length > 0) this.#commit.want(this);
    for (const p of done) this.#pendingBytes -= p.bytes;
    this.#mark = done.at(-1)?.entry.offset ?? this.#mark;
    for (const p of done) p.onLogged?.(p.entry.offset);
    this.#wake();
    this.caughtUp();
    this.#landed();
  }

  #takePending(count: number): readonly Pending[] {
    if (count < this.#pending.length) return this.#pending.splice(0, count);
    const all = this.#pending;
    this.#pending = [];
    return all;
  }

  #landed(): void {
    release(this.#landedWaiters);
    if (this.hasRoom) release(this.#roomWaiters);
    if (this.#pending.length === 0) release(this.#confirmedWaiters);
  }

  #lost(entries: readonly Pending[], answer: { readonly is: 'fenced' } | { readonly is: 'conflict'; readonly state: StreamState }): void {
    this.#token = null;
    this.#pendingBytes = 0;
    this.#tail.clear();
    this.#head = this.#mark;
    if (answer.is === 'conflict') this.#moveTo(answer.state);
    const error = new SpillwayError('SPILLWAY_STORE_BROKEN', `Another writer took over the conversation (${answer.is}); what was not confirmed is void.`, {
      retry: 'now',
    });
    for (const p of entries) p.onLost?.(error);
    this.#landed();
  }

  #wake(): void {
    for (const follower of this.#followers) follower.wake();
  }
}

/** Lets everybody go who waits in `waiters`. */
function release(waiters: (() => void)[]): void {
  if (waiters.length > 0) for (const resolve of waiters.splice(0)) resolve();
}

/** Records of several appends as those of one request: inserted or replaced in order, the last state of a run wins. */
function joinRecords(pending: readonly Pending[]): { records?: AppendRecords } {
  // Most appends are events, which bring none.
  if (pending.every((p) => p.records === undefined)) return {};
  const with_ = pending.flatMap((p) => p.records ?? []);
  const title = with_.find((r) => r.title !== undefined)?.title;
  const runs = new Map(with_.flatMap((r) => r.runs ?? []).map((r) => [r.id, r]));
  return {
    records: {
      ...(title === undefined ? {} : { title }),
      messages: with_.flatMap((r) => r.messages ?? []),
      runs: [...runs.values()],
    },
  };
}

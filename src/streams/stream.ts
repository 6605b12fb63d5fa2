import type { Clock } from '../ports/clock.ts';
import type { AppendAnswer, AppendRecords, AppendRequest, LogEntry, Store, StreamKey, StreamState, WriterToken } from '../ports/store.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { Epoch } from '../protocol/ids.ts';
import type { Commit, Committable } from './commit.ts';
import { LogReader } from './log-reader.ts';
import { type Follower, LogView } from './log-view.ts';
import { type NewEntry, NumberedEntry, type OnLogged, Outbox, Sending } from './outbox.ts';
import { type Readable, ReadingAlong } from './reading-along.ts';
import type { HeldElsewhere, Sharing } from './sharing.ts';

/** One conversation's log as this process sees it. An entry gets its offset synchronously, is confirmed by the store, and only
 *  then moves the mark up to which followers read: nobody has seen an event that the log could forget. Where nodes share the store, a
 *  stream that another one writes to moves its mark by what is read there. */
export class Stream implements Committable, Readable {
  readonly key: StreamKey;
  readonly #store: Store;
  readonly #commit: Commit;
  readonly #sharing: Sharing | null;
  readonly #view: LogView;
  readonly #reader: LogReader;
  readonly #outbox = new Outbox();
  /** Null in a store of one process. */
  readonly #along: ReadingAlong | null;
  readonly #speakers = new Set<() => Promise<void>>();
  #head: number;
  #token: WriterToken | null = null;
  #claiming: Promise<HeldElsewhere | null> | null = null;
  #renewing: Promise<void> | null = null;
  /** How many users of this object there are; the hub forgets it at 0. */
  holders = 0;

  /** `sharing`: null in a store of one process. */
  constructor(key: StreamKey, state: StreamState, store: Store, commit: Commit, clock: Clock, sharing: Sharing | null = null) {
    this.key = key;
    this.#store = store;
    this.#commit = commit;
    this.#sharing = sharing;
    this.#view = new LogView(state);
    this.#reader = new LogReader(this.#view, { key, log: store.log, clock, isShared: sharing !== null });
    this.#head = state.head;
    this.#along = sharing === null ? null : new ReadingAlong(this, { key, log: store.log, clock, random: sharing.random });
  }

  get epoch(): Epoch {
    return this.#view.epoch;
  }
  get first(): number {
    return this.#view.first;
  }
  /** Last offset given out. */
  get head(): number {
    return this.#head;
  }
  /** Last offset confirmed by the store; nobody reads beyond it. */
  get mark(): number {
    return this.#view.mark;
  }
  /** The run that has not ended. */
  get activeRun(): StreamState['activeRun'] {
    return this.#view.activeRun;
  }
  /** Told by whoever runs it. */
  setActiveRun(run: StreamState['activeRun']): void {
    this.#view.activeRun = run;
  }
  get idle(): boolean {
    return !this.isOwed && !this.#view.isFollowed;
  }
  /** Whether the store owes an answer: to what was appended, or to a new epoch. */
  get isOwed(): boolean {
    return !this.#outbox.isEmpty || this.#renewing !== null;
  }
  /** Which of our times as the writer this is; null while we are not. What was begun in an earlier one may be in other hands. */
  get tenure(): WriterToken | null {
    return this.#token;
  }

  // ---- writing

  /** Becomes the writer, once, and again after another has taken over. Not null: another node is, and nothing has changed. `seize`: that
   *  node's token, from somebody who knows that it is dead or has given the stream away. */
  async writable(seize?: WriterToken): Promise<HeldElsewhere | null> {
    if (this.#token !== null) return null;
    if (this.#claiming !== null) {
      const held = await this.#claiming;
      if (held === null || held.token !== seize) return held;
    }
    this.#claiming ??= this.#claim(seize).finally(() => {
      this.#claiming = null;
      // Hints that came meanwhile were not followed.
      if (this.#token === null) this.#along?.lookSoon();
    });
    return await this.#claiming;
  }

  async #claim(seize: WriterToken | undefined): Promise<HeldElsewhere | null> {
    const { log } = this.#store;
    if (this.#sharing === null) {
      this.#own(await log.claim(this.key));
      return null;
    }
    await this.#renewing;
    const { epoch, mark } = this;
    const claimed = await log.claim(this.key, { by: this.#sharing.life, ...(seize === undefined ? {} : { seize }) });
    if (claimed.heldBy !== null) return { by: claimed.heldBy, token: claimed.token };
    // What was confirmed here and is not there any more: nothing else may stand under its offsets.
    const isBehind = claimed.epoch === epoch && claimed.head < mark;
    const { epoch: present, first } = isBehind ? await log.renewEpoch(this.key) : claimed;
    await this.beforeNews();
    this.#own({ ...claimed, epoch: present, first });
    return null;
  }

  #own(claimed: StreamState & { readonly token: WriterToken }): void {
    this.#moveTo(claimed);
    this.#token = claimed.token;
    this.setActiveRun(claimed.activeRun);
  }

  #moveTo(state: StreamState): void {
    if (state.epoch !== this.epoch || state.head !== this.#head) this.#view.forget();
    this.#head = state.head;
    this.#view.moveTo(state);
  }

  /** Gives the entry its offset. Needs `writable()` first; throws if another node has taken the stream over since. `onLogged` runs when
   *  the store has confirmed it, `onLost` if another writer took the stream over before, or the store cannot take it at all. */
  append(entry: NewEntry, o: { records?: AppendRecords; onLogged?: OnLogged; onLost?: (error: SpillwayError) => void } = {}): number {
    if (this.#token === null && this.isShared) throw takenOver('read along');
    if (this.#token === null)
      throw new SpillwayError('SPILLWAY_BAD_ARGUMENT', 'Expected a writable stream, got one that nobody claimed; await `writable()` first.');
    const offset = ++this.#head;
    const logged = new NumberedEntry(offset, entry);
    const bytes = Buffer.byteLength(entry.data);
    this.#outbox.add(new Sending(logged, bytes, o));
    this.#view.keep(logged, bytes);
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
    return this.#outbox.hasRoom;
  }

  /** Resolves while, or as soon as, there is room. */
  room(): Promise<void> {
    return this.#outbox.room();
  }

  /** Resolves when nothing that was appended waits for the store any more. */
  confirmed(): Promise<void> {
    return this.#outbox.confirmed();
  }

  /** Resolves when the store owes no answer any more, as things stand. */
  settled(): Promise<void> {
    if (this.#renewing === null) return this.#outbox.confirmed();
    const again = (): Promise<void> => this.settled();
    // Whoever wanted it hears that it failed.
    return this.#renewing.then(again, again);
  }

  // ---- following

  /** See `LogReader.read`. */
  read(from: number, maxBytes: number): readonly LogEntry[] | Promise<readonly LogEntry[]> {
    return this.#reader.read(from, maxBytes);
  }

  /** Wakes the follower after the mark, the epoch or the retained range has changed. Returns the undo. */
  follow(follower: Follower): () => void {
    this.#view.add(follower);
    this.#along?.start();
    return () => {
      this.#view.remove(follower);
      if (!this.#view.isFollowed) this.#along?.stop();
    };
  }

  /** A follower reads on no further. Where nobody does, what is logged need not be kept in memory. */
  caughtUp(): void {
    this.#view.caughtUp();
  }

  /** Calls `wake` a little later: the store did not answer a read. */
  retry(wake: () => void): void {
    this.#reader.retry(wake);
  }

  /** The log has nothing where it should have something. Looks what is left, then calls `wake`. */
  refresh(wake: () => void): void {
    this.#along?.lookSoon();
    this.#reader.refresh(wake);
  }

  /** Retention has dropped what is before `first`. */
  trimmed(first: number): void {
    this.#view.trimmed(first);
  }

  // ---- a log that lost its tail

  /** A position beyond the head shows that the log lost its tail: its offsets start a new epoch. Entries that are on their way to
   *  the store keep their offsets and follow in the new epoch. */
  rewound(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = null;
      if (!this.#outbox.isEmpty) this.#commit.want(this);
      // News that came meanwhile were not looked at.
      else if (this.#token === null) this.#along?.lookSoon();
    });
    return this.#renewing;
  }

  async #renew(): Promise<void> {
    // What the store has been given under the old epoch is answered first; nothing new is given to it meanwhile.
    if (this.#outbox.isInFlight) await this.#outbox.landed();
    const state = await this.#store.log.renewEpoch(this.key);
    if (state.head === this.mark) this.#view.renewed(state);
    // Another writer was here, or what was confirmed is gone: what waits has lost its place.
    else if (this.#outbox.isEmpty) this.#moveTo(state);
    else this.#lost(this.#outbox.clear(), { is: 'conflict', state });
  }

  // ---- group commit

  due(): AppendRequest | null {
    return this.#outbox.request(() => {
      if (this.#token === null || this.#renewing !== null) return null;
      return { key: this.key, epoch: this.epoch, token: this.#token };
    });
  }

  answered(answer: AppendAnswer): void {
    if (!this.#outbox.isInFlight) return;
    if (answer.is === 'fenced' || answer.is === 'conflict' || answer.is === 'failed') {
      if (answer.is !== 'conflict' || !this.#followsInto(answer.state)) this.#lost(this.#outbox.clear(), answer);
      return;
    }
    const done = this.#outbox.take();
    if (!this.#outbox.isEmpty) this.#commit.want(this);
    this.#view.reached(done.at(-1)?.entry.offset ?? this.mark);
    for (const { entry, onLogged } of done) onLogged?.(entry.offset);
    this.#view.wake();
    this.caughtUp();
    this.#outbox.settle();
  }

  /** Whether another node has begun a new epoch that has all that was confirmed: what waits keeps its offsets and follows there. */
  #followsInto(state: StreamState): boolean {
    if (this.#sharing === null || state.epoch === this.epoch || state.head < this.mark) return false;
    this.#view.renewed(state);
    this.#outbox.again();
    this.#commit.want(this);
    return true;
  }

  #lost(entries: readonly Sending[], answer: Exclude<AppendAnswer, { readonly is: 'ok' | 'repeated' }>): void {
    this.#token = null;
    this.#view.forget();
    this.#head = this.mark;
    if (this.#along !== null) this.#along.lookSoon();
    else if (answer.is === 'conflict') this.#moveTo(answer.state);
    const error = answer.is === 'failed' ? answer.error : takenOver(answer.is);
    for (const { onLost } of entries) onLost?.(error);
    this.#outbox.settle();
  }

  // ---- other nodes

  /** Whether other nodes may write to it. */
  get isShared(): boolean {
    return this.#sharing !== null;
  }

  /** Resolves when the mark is at least where the store had it, if other nodes may write to it. Rejects while the store cannot be asked. */
  async current(): Promise<void> {
    if (!this.isWriting) await this.#along?.look();
  }

  /** Whether the log reaches to `offset`, by the store's word. Rejects while it cannot be asked. */
  reaches(epoch: Epoch, offset: number): Promise<boolean> {
    return this.#reader.reaches(epoch, offset);
  }

  /** Before anything is shown that another node has written, `speak` is called and waited for; if it rejects, both are tried later.
   *  Returns the undo. */
  speakFirst(speak: () => Promise<void>): () => void {
    this.#speakers.add(speak);
    return () => {
      this.#speakers.delete(speak);
    };
  }

  get isWriting(): boolean {
    return !this.#outbox.isEmpty || this.#renewing !== null || this.#claiming !== null;
  }

  get isAwaited(): boolean {
    return this.#view.isAwaited;
  }

  async beforeNews(): Promise<void> {
    if (this.#speakers.size > 0) await Promise.all([...this.#speakers].map((speak) => speak()));
  }

  moved(state: StreamState): void {
    // A new epoch that leaves the head where it is may have been begun by a reader.
    if (state.head !== this.#head) this.#token = null;
    this.#moveTo(state);
    this.#noteRun(state);
  }

  took(entries: readonly LogEntry[], state: StreamState): void {
    // Whoever wrote them has claimed the stream since.
    this.#token = null;
    for (const entry of entries) this.#view.keep(entry, Buffer.byteLength(entry.data));
    this.#head = (entries.at(-1) as LogEntry).offset;
    this.#view.reached(this.#head);
    this.#noteRun(state);
    this.#view.trimmed(state.first);
    this.#view.wake();
    this.caughtUp();
  }

  noted(state: StreamState): void {
    this.trimmed(state.first);
    this.#noteRun(state);
  }

  /** Whoever writes here knows better. */
  #noteRun({ activeRun }: StreamState): void {
    const known = this.activeRun;
    if (this.#token === null && (activeRun?.id !== known?.id || activeRun?.firstOffset !== known?.firstOffset)) this.setActiveRun(activeRun);
  }
}

const takenOver = (how: string): SpillwayError =>
  new SpillwayError('SPILLWAY_STORE_BROKEN', `Another writer took over the conversation (${how}); what was not confirmed is void.`, { retry: 'now' });

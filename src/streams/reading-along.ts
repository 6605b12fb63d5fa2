import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { LogEntry, LogStore, StreamKey, StreamState } from '../ports/store.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { Epoch } from '../protocol/ids.ts';

/** How often the store is asked while a run is under way or something has just happened, however many hints come. */
const POLL_MS = 2_000;
/** How often in a quiet conversation: for whoever follows it, a lost hint costs this long. */
const QUIET_POLL_MS = 10_000;
/** From the last news on until a conversation counts as quiet. */
const QUIET_AFTER_MS = 30_000;
/** How soon a look that failed is tried again. */
const RETRY_MS = 250;
/** Bytes read at a time for everybody who follows here. */
const READ_BYTES = 256 * 1024;
/** Share by which polls vary, so that nodes do not ask in step. */
const SPREAD = 0.2;
/** Looks that find the head ahead and no entries, in a row, until it is tried later. */
const MISSES_MAX = 4;
/** Nodes that see at once that the log lost its tail: one of them renews the epoch, the others find it renewed. */
const REWIND_SPREAD_MS = 300;

/** Where a stream stands here. */
export interface Place {
  readonly epoch: Epoch;
  readonly mark: number;
}

/** A stream that others may write to, as its reader sees it. */
export interface Readable {
  readonly epoch: Epoch;
  readonly mark: number;
  readonly activeRun: StreamState['activeRun'];
  /** Entries are on their way to the store: its answers tell more than a look. */
  readonly isWriting: boolean;
  /** Somebody stands at the mark and waits for what comes. */
  readonly isAwaited: boolean;
  /** Resolves when whoever must speak before news are shown has spoken. Rejects if that is not possible now. */
  beforeNews(): Promise<void>;
  /** The stream is where `state` says; what lies between is for each follower to read. */
  moved(state: StreamState): void;
  /** These come next; `state` was true after they were read. */
  took(entries: readonly LogEntry[], state: StreamState): void;
  /** Nothing has been added. */
  noted(state: StreamState): void;
  /** The log is behind what it has confirmed: its offsets start a new epoch. */
  rewound(): Promise<void>;
}

export interface ReadingAlongDeps {
  readonly key: StreamKey;
  readonly log: LogStore;
  readonly clock: Clock;
  readonly random: Random;
}

/** Keeps a stream that other nodes write to where the store has it: by the store's hints, and by asking it now and then. Nothing is
 *  shown that was not read from the store. */
export class ReadingAlong {
  readonly #stream: Readable;
  readonly #deps: ReadingAlongDeps;
  #stopWatching: (() => void) | null = null;
  #cancelPoll: () => void = () => {};
  #newsAt: number;
  #isRetrying = false;
  #looking: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(stream: Readable, deps: ReadingAlongDeps) {
    this.#stream = stream;
    this.#deps = deps;
    this.#newsAt = deps.clock.mono();
  }

  /** Somebody follows. */
  start(): void {
    if (this.#stopWatching !== null) return;
    this.#stopWatching = this.#deps.log.watch(this.#deps.key, ({ epoch, head }) => {
      // Also our own entries are told.
      if (epoch !== this.#stream.epoch || head > this.#stream.mark) this.lookSoon();
    });
    // What came between the last look and the first hint.
    this.lookSoon();
    this.#arm();
  }

  stop(): void {
    this.#stopWatching?.();
    this.#stopWatching = null;
    this.#cancelPoll();
  }

  #arm(): void {
    this.#cancelPoll();
    const { clock, random } = this.#deps;
    const isLively = this.#stream.activeRun !== null || clock.mono() - this.#newsAt < QUIET_AFTER_MS;
    const delayMs = (isLively ? POLL_MS : QUIET_POLL_MS) * (1 - SPREAD + 2 * SPREAD * random.share());
    this.#cancelPoll = clock.after(delayMs, () => {
      if (this.#stopWatching === null) return;
      this.lookSoon();
      this.#arm();
    });
  }

  /** Looks, again and again until the store answers, as long as somebody follows. */
  lookSoon(): void {
    if (this.#stream.isWriting) return;
    this.look().catch(() => {
      // However many failed, one is tried again.
      if (this.#isRetrying) return;
      this.#isRetrying = true;
      this.#deps.clock.after(RETRY_MS, () => {
        this.#isRetrying = false;
        if (this.#stopWatching !== null) this.lookSoon();
      });
    });
  }

  /** Resolves when the stream is at least where the store had it when this was called. Rejects while the store cannot be asked. */
  look(): Promise<void> {
    if (this.#looking === null) return this.#begin();
    // The look under way may have asked before what is to be known now.
    this.#next ??= this.#looking
      .catch(() => {})
      .then(() => {
        this.#next = null;
        return this.#begin();
      });
    return this.#next;
  }

  #begin(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { log, key } = this.#deps;
    const stream = this.#stream;
    for (let misses = 0; misses < MISSES_MAX; misses++) {
      if (stream.isWriting) return;
      const asked: Place = { epoch: stream.epoch, mark: stream.mark };
      // Read first: what is read before the epoch is found unchanged belongs to it.
      const entries = stream.isAwaited ? await log.read(key, asked.mark + 1, READ_BYTES) : [];
      const state = await log.state(key);
      const isMoved = (): boolean => stream.isWriting || stream.epoch !== asked.epoch || stream.mark !== asked.mark;
      if (isMoved()) return;
      if (state.epoch === asked.epoch && state.head < asked.mark) {
        await this.#rewind(asked);
        return;
      }
      if (state.epoch === asked.epoch && state.head === asked.mark) {
        stream.noted(state);
        return;
      }
      this.#newsAt = this.#deps.clock.mono();
      await stream.beforeNews();
      if (isMoved()) return;
      const next = state.epoch === asked.epoch && stream.isAwaited ? joining(entries, asked.mark, state) : [];
      if (next.length > 0) {
        stream.took(next, state);
        misses = 0;
      } else if (state.epoch !== asked.epoch || !stream.isAwaited || state.first > asked.mark + 1) stream.moved(state);
      // Otherwise the entries were not there yet when they were read.
    }
    throw new SpillwayError('SPILLWAY_STORE_UNAVAILABLE', 'The store does not show the entries that it says it has.', { retry: 'later' });
  }

  async #rewind(seen: Place): Promise<void> {
    const { log, key, clock, random } = this.#deps;
    await new Promise<void>((resolve) => clock.after(REWIND_SPREAD_MS * random.share(), resolve));
    const state = await log.state(key);
    const stream = this.#stream;
    if (stream.isWriting || stream.epoch !== seen.epoch || stream.mark !== seen.mark) return;
    if (state.epoch === seen.epoch && state.head < seen.mark) await stream.rewound();
    else await this.#look();
  }
}

/** Of what was read, the entries that follow `mark` without a hole, as far as `state` knows them. */
function joining(entries: readonly LogEntry[], mark: number, state: StreamState): readonly LogEntry[] {
  let count = 0;
  for (const { offset } of entries) {
    if (offset !== mark + 1 + count || offset > state.head) break;
    count++;
  }
  return count === entries.length ? entries : entries.slice(0, count);
}

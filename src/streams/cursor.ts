import { replayFrom } from '../core/replay.ts';
import type { LogEntry } from '../ports/store.ts';
import type { From, GapReason } from '../protocol/frames.ts';
import type { Epoch } from '../protocol/ids.ts';
import type { Follower } from './log-view.ts';
import { frameBytes, type Range, rangesOf } from './ranges.ts';
import type { Stream } from './stream.ts';

/** Entries that cannot be delivered; what follows starts behind `to`. */
export interface CursorGap {
  readonly epoch: Epoch;
  readonly from: number;
  readonly to: number;
  readonly reason: GapReason;
}

export type CursorStep =
  | { readonly is: 'ranges'; readonly ranges: readonly Range[] }
  | { readonly is: 'gap'; readonly gap: CursorGap }
  /** Everything that existed at the start has been handed out; live from here. Comes exactly once. */
  | { readonly is: 'replayed'; readonly offset: number }
  /** Nothing is due, or it is being read: `wake` is called when that changes. */
  | { readonly is: 'nothing' }
  /** The next entry is larger than the room that was named. Nobody is woken when there is more. */
  | { readonly is: 'full' };

const NOTHING: CursorStep = { is: 'nothing' };
const FULL: CursorStep = { is: 'full' };

/** One follower's place in a stream. It reads only the log, and turns live in the very step in which it stands at the mark: no
 *  second path delivers events. */
export class Cursor {
  readonly stream: Stream;
  /** Behind which offset delivery began. */
  readonly startedAt: number;
  /** Last offset that existed when it began. */
  readonly head: number;
  readonly #wake: () => void;
  readonly #stop: () => void;
  #epoch: Epoch;
  #offset: number;
  #gap: CursorGap | null;
  /** Up to where entries belong to the replay. */
  #replayTo: number;
  #isLive = false;
  #buffer: readonly LogEntry[] = [];
  #reading = false;
  #isResting = false;
  #ended = false;

  /** Starts behind `from`. `wake` is called, perhaps often, when a step may be due; `runChanged` when the stream's active run is another. */
  static async open(stream: Stream, from: From, wake: () => void, runChanged: () => void = () => {}): Promise<Cursor> {
    const isBeyond = (): boolean => typeof from === 'object' && from.epoch === stream.epoch && from.offset > stream.mark;
    if (stream.isShared) {
      // While the store cannot be asked, what is known here will do, unless that is too little.
      await stream.current().catch((error: unknown) => {
        if (typeof from === 'object' && (from.epoch !== stream.epoch || isBeyond())) throw error;
      });
      // What it has applied is on its way to the store from here, and somebody else has read it there already.
      if (isBeyond() && typeof from === 'object' && (await stream.reaches(from.epoch, from.offset)))
        return new Cursor(stream, from.offset, null, { wake, runChanged });
    }
    if (isBeyond()) {
      // Only a log that lost its tail can be behind what it has confirmed to somebody.
      await stream.rewound();
      return new Cursor(stream, stream.first - 1, { epoch: stream.epoch, from: 1, to: stream.first - 1, reason: 'rewound' }, { wake, runChanged });
    }
    const position = typeof from === 'object' ? from : { epoch: stream.epoch, offset: offsetOf(stream, from) };
    const replay = replayFrom({ epoch: stream.epoch, first: stream.first, head: stream.mark }, position);
    if (replay.is !== 'gap') return new Cursor(stream, position.offset, null, { wake, runChanged });
    return new Cursor(
      stream,
      replay.then - 1,
      { epoch: stream.epoch, from: replay.missing.from, to: replay.missing.to, reason: replay.reason },
      { wake, runChanged },
    );
  }

  private constructor(stream: Stream, offset: number, gap: CursorGap | null, told: Pick<Follower, 'wake' | 'runChanged'>) {
    this.stream = stream;
    this.startedAt = offset;
    this.head = stream.mark;
    this.#replayTo = stream.mark;
    this.#epoch = stream.epoch;
    this.#offset = offset;
    this.#gap = gap;
    this.#wake = told.wake;
    this.#stop = stream.follow({ ...told, offset: () => (this.#isResting ? null : this.#offset) });
  }

  /** Whether the replay is over. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** Whether the next step tells of entries that cannot be delivered. */
  get hasGap(): boolean {
    return this.#gap !== null;
  }

  /** Last offset handed out. */
  get offset(): number {
    return this.#offset;
  }
  get epoch(): Epoch {
    return this.#epoch;
  }

  /** What comes next, at most `maxBytes` UTF-8 bytes of frames. At least one entry, however large, unless `strict` says that nothing
   *  larger may come. */
  next(maxBytes: number, strict = false): CursorStep {
    if (this.#ended) return NOTHING;
    this.#isResting = false;
    const gap = this.#takeGap();
    if (gap) return { is: 'gap', gap };
    if (!this.#isLive && this.#offset >= this.#replayTo) {
      this.#isLive = true;
      return { is: 'replayed', offset: this.#offset };
    }
    if (this.#offset >= this.stream.mark) {
      this.stream.caughtUp();
      return NOTHING;
    }
    const entries = this.#take(maxBytes);
    const first = entries[0];
    if (first === undefined) return NOTHING;
    if (strict && entries.length === 1 && frameBytes(first, Buffer.byteLength(first.data)) > maxBytes) {
      this.rest();
      return FULL;
    }
    // `replayed` comes after what existed at the start and before the first live event.
    const due = this.#isLive ? entries : entries.filter((e) => e.offset <= this.#replayTo);
    this.#offset = (due.at(-1) as LogEntry).offset;
    this.#dropRead();
    return { is: 'ranges', ranges: rangesOf(due) };
  }

  /** It is not asked for more until there is room again: nothing need be kept for it, since it can read the log. */
  rest(): void {
    if (this.#isResting) return;
    this.#isResting = true;
    this.#buffer = [];
    this.stream.caughtUp();
  }

  #takeGap(): CursorGap | null {
    const { stream } = this;
    if (stream.epoch !== this.#epoch) {
      this.#epoch = stream.epoch;
      this.#offset = stream.first - 1;
      this.#replayTo = Math.min(this.#replayTo, stream.mark);
      this.#buffer = [];
      this.#gap = { epoch: stream.epoch, from: 1, to: stream.first - 1, reason: 'epoch' };
    } else if (stream.first > this.#offset + 1 && this.#gap === null) {
      this.#gap = { epoch: stream.epoch, from: this.#offset + 1, to: stream.first - 1, reason: 'retention' };
      this.#offset = stream.first - 1;
      this.#buffer = [];
    }
    const gap = this.#gap;
    this.#gap = null;
    return gap;
  }

  /** What is at hand from here on; nothing while it is being read. */
  #take(maxBytes: number): readonly LogEntry[] {
    if (this.#buffer.length > 0) return within(this.#buffer, maxBytes);
    if (this.#reading) return [];
    const from = this.#offset + 1;
    const read = this.stream.read(from, maxBytes);
    if (!(read instanceof Promise)) return read;
    this.#reading = true;
    const epoch = this.#epoch;
    read.then(
      (entries) => {
        this.#reading = false;
        const first = entries[0]?.offset;
        // The stream may have been trimmed or renewed while the store read.
        if (epoch !== this.#epoch || from !== this.#offset + 1) this.#wake();
        else if (first === undefined) this.stream.refresh(this.#wake);
        else if (first > from) this.stream.trimmed(first);
        else {
          this.#buffer = entries;
          this.#wake();
        }
      },
      () => {
        // The store cannot be read now. The follower is woken with the next event or retry; nothing is skipped.
        this.#reading = false;
        this.stream.retry(this.#wake);
      },
    );
    return [];
  }

  /** Of what was read ahead, what has been handed out. */
  #dropRead(): void {
    const first = this.#buffer[0];
    if (first !== undefined) this.#buffer = this.#buffer.slice(this.#offset - first.offset + 1);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stop();
  }
}

/** The first of `entries`, as many as `maxBytes` hold, but at least one. */
function within(entries: readonly LogEntry[], maxBytes: number): readonly LogEntry[] {
  let count = 0;
  let bytes = 0;
  for (const entry of entries) {
    bytes += frameBytes(entry, Buffer.byteLength(entry.data));
    if (count > 0 && bytes > maxBytes) break;
    count++;
  }
  return count === entries.length ? entries : entries.slice(0, count);
}

function offsetOf(stream: Stream, from: 'start' | 'run' | 'now'): number {
  if (from === 'start') return 0;
  const first = from === 'run' ? (stream.activeRun?.firstOffset ?? null) : null;
  // The first event may have its offset and not be logged yet; nobody stands beyond the mark.
  return first === null ? stream.mark : Math.min(first - 1, stream.mark);
}

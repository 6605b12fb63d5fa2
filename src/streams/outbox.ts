import type { AppendRecords, AppendRequest, LogEntry } from '../ports/store.ts';
import type { SpillwayError } from '../protocol/errors.ts';

/** Called in the order of offsets, before any follower is woken: what must reach a client before its events is sent here. */
export type OnLogged = (offset: number) => void;

/** What a writer hands over; the stream gives it its offset. */
export type NewEntry = Omit<LogEntry, 'offset'>;

// Both are classes, not literals: of a literal whose first ones lived long V8 puts all later ones among the old objects at once, and they
// drag the young texts that they name along. Measured: 1.3 KB of each token grew old and died there, at 10 ms a scavenge instead of 5.

/** An entry with its place. */
export class NumberedEntry implements LogEntry {
  readonly offset: number;
  readonly kind: LogEntry['kind'];
  readonly run: LogEntry['run'];
  readonly codec: LogEntry['codec'];
  readonly data: string;
  readonly at: number;

  constructor(offset: number, { kind, run, codec, data, at }: NewEntry) {
    this.offset = offset;
    this.kind = kind;
    this.run = run;
    this.codec = codec;
    this.data = data;
    this.at = at;
  }
}

/** An entry on its way to the store. */
export class Sending {
  readonly entry: LogEntry;
  /** UTF-8 bytes of its event. */
  readonly bytes: number;
  readonly records: AppendRecords | undefined;
  readonly onLogged: OnLogged | undefined;
  readonly onLost: ((error: SpillwayError) => void) | undefined;

  constructor(
    entry: LogEntry,
    bytes: number,
    told: { readonly records?: AppendRecords; readonly onLogged?: OnLogged; readonly onLost?: (error: SpillwayError) => void },
  ) {
    this.entry = entry;
    this.bytes = bytes;
    this.records = told.records;
    this.onLogged = told.onLogged;
    this.onLost = told.onLost;
  }
}

/** Unconfirmed bytes from which on a run is no longer pulled. */
const ROOM_BYTES = 4 * 1024 * 1024;
/** Bytes of one append request; the rest waits for the next. */
const REQUEST_BYTES = 1024 * 1024;

/** What has its offset and is not confirmed yet, in order, and whoever waits for that. */
export class Outbox {
  readonly #sending: Sending[] = [];
  #bytes = 0;
  #inFlight: { readonly request: AppendRequest; readonly count: number } | null = null;
  #roomWaiters: (() => void)[] = [];
  #landedWaiters: (() => void)[] = [];
  #confirmedWaiters: (() => void)[] = [];

  get isEmpty(): boolean {
    return this.#sending.length === 0;
  }
  /** Whether the store has been given something and has not answered. */
  get isInFlight(): boolean {
    return this.#inFlight !== null;
  }
  /** Whether what is unconfirmed leaves room for more. */
  get hasRoom(): boolean {
    return this.#bytes < ROOM_BYTES;
  }

  add(sending: Sending): void {
    this.#sending.push(sending);
    this.#bytes += sending.bytes;
  }

  /** Resolves while, or as soon as, there is room. */
  room(): Promise<void> {
    return this.hasRoom ? Promise.resolve() : new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /** Resolves when nothing waits for the store any more. */
  confirmed(): Promise<void> {
    return this.isEmpty ? Promise.resolve() : new Promise((resolve) => this.#confirmedWaiters.push(resolve));
  }

  /** Resolves when what the store has been given is answered. */
  landed(): Promise<void> {
    return this.#inFlight === null ? Promise.resolve() : new Promise((resolve) => this.#landedWaiters.push(resolve));
  }

  /** What the store is to be asked: the same again until it is answered. Null where nothing is to be asked; `under` is not called then. */
  request(under: () => Pick<AppendRequest, 'key' | 'epoch' | 'token'> | null): AppendRequest | null {
    if (this.#inFlight) return this.#inFlight.request;
    const of = this.isEmpty ? null : under();
    if (of === null) return null;
    let count = 0;
    let bytes = 0;
    while (count < this.#sending.length && (count === 0 || bytes < REQUEST_BYTES)) bytes += (this.#sending[count++] as Sending).bytes;
    const taken = count === this.#sending.length ? this.#sending : this.#sending.slice(0, count);
    const request: AppendRequest = { ...of, entries: taken.map((s) => s.entry), ...joinRecords(taken) };
    this.#inFlight = { request, count };
    return request;
  }

  /** The answer is there: what it is about leaves. Whoever waits is told by `settle`. */
  take(): readonly Sending[] {
    const count = this.#inFlight?.count ?? 0;
    this.#inFlight = null;
    const taken = this.#sending.splice(0, count);
    for (const { bytes } of taken) this.#bytes -= bytes;
    return taken;
  }

  /** What the store was given, and did not take, is asked anew. */
  again(): void {
    this.#inFlight = null;
    release(this.#landedWaiters);
  }

  /** Everything leaves, answered or not. */
  clear(): readonly Sending[] {
    const all = this.#sending.splice(0);
    this.#bytes = 0;
    this.#inFlight = null;
    return all;
  }

  /** Lets everybody go on whose time has come. */
  settle(): void {
    release(this.#landedWaiters);
    if (this.hasRoom) release(this.#roomWaiters);
    if (this.isEmpty) release(this.#confirmedWaiters);
  }
}

/** Lets everybody go who waits in `waiters`. */
function release(waiters: (() => void)[]): void {
  if (waiters.length > 0) for (const resolve of waiters.splice(0)) resolve();
}

/** Records of several appends as those of one request: inserted or replaced in order, the last state of a run wins. */
function joinRecords(sending: readonly Sending[]): { records?: AppendRecords } {
  // Most appends are events, which bring none.
  if (sending.every((s) => s.records === undefined)) return {};
  const with_ = sending.flatMap((s) => s.records ?? []);
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

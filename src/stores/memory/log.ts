import type { StoreMs } from '../../core/clocks.ts';
import type { Clock } from '../../ports/clock.ts';
import type { NodeLife } from '../../ports/cluster.ts';
import type {
  AppendAnswer,
  AppendRecords,
  AppendRequest,
  Claim,
  LogEntry,
  LogStore,
  StoredMessage,
  StreamKey,
  StreamState,
  WriterToken,
} from '../../ports/store.ts';
import { encodeMessages, joins, sameEntry, threadTimes } from '../append-rules.ts';
import { cutAt, type RetainedEntry } from '../retention.ts';
import { KeptEntries } from './kept-entries.ts';
import { firstOf, openRunsOf, type Stream, type Streams } from './streams.ts';

type Watcher = (seen: Pick<StreamState, 'epoch' | 'head'>) => void;

/** The log in memory. Every method runs to its end within one turn of the event loop, hence atomically. */
export class MemoryLog implements LogStore {
  readonly #streams: Streams;
  readonly #now: () => StoreMs;
  readonly #shared: Clock | null;
  readonly #watchers = new Map<Stream, Set<Watcher>>();

  /** `shared`: the clock by which nodes that share this log tell each other of news; null where it serves one node. */
  constructor(streams: Streams, now: () => StoreMs, shared: Clock | null = null) {
    this.#streams = streams;
    this.#now = now;
    this.#shared = shared;
  }

  async state(key: StreamKey): Promise<StreamState> {
    return this.#streams.stateOf(this.#streams.find(key));
  }

  async claim(key: StreamKey, o?: { readonly by: NodeLife; readonly seize?: WriterToken }): Promise<Claim> {
    const stream = this.#streams.open(key);
    const { writer } = stream;
    if (this.#shared !== null && o !== undefined && writer !== null && !isSame(writer, o.by) && o.seize !== stream.token && openRunsOf(stream).length > 0)
      return { ...this.#streams.stateOf(stream), token: stream.token, heldBy: writer };
    stream.token += 1;
    stream.writer = o === undefined ? null : { node: o.by.node, incarnation: o.by.incarnation };
    return { ...this.#streams.stateOf(stream), token: stream.token, heldBy: null };
  }

  watch(key: StreamKey, changed: Watcher): () => void {
    if (this.#shared === null) return () => {};
    const stream = this.#streams.open(key);
    const watchers = this.#watchers.get(stream) ?? new Set();
    this.#watchers.set(stream, watchers);
    const own: Watcher = (seen) => changed(seen);
    watchers.add(own);
    return () => {
      watchers.delete(own);
      if (watchers.size === 0 && this.#watchers.get(stream) === watchers) this.#watchers.delete(stream);
    };
  }

  /** Every node is told, also the one that wrote: it knows no better who asks. */
  #tell(stream: Stream): void {
    if (!this.#watchers.has(stream)) return;
    this.#shared?.soon(() => {
      for (const changed of this.#watchers.get(stream) ?? []) changed({ epoch: stream.epoch, head: stream.head });
    });
  }

  async append(requests: readonly AppendRequest[]): Promise<readonly AppendAnswer[]> {
    const now = this.#now();
    return requests.map((request) => this.#appendOne(request, now));
  }

  #appendOne(request: AppendRequest, now: StoreMs): AppendAnswer {
    const stream = this.#streams.find(request.key);
    const conflict = (): AppendAnswer => ({ is: 'conflict', state: this.#streams.stateOf(stream) });
    if (request.token < Math.max(stream?.token ?? 0, 1)) return { is: 'fenced' };
    if (stream === undefined || request.token > stream.token || request.epoch !== stream.epoch || !joins(request.entries)) return conflict();
    const messages = encodeMessages(request.records?.messages ?? []);
    if (messages === null) return conflict();
    const first = request.entries[0]?.offset;
    if (first !== undefined && first !== stream.head + 1) return isStored(stream, request.entries) ? { is: 'repeated' } : conflict();
    for (const entry of request.entries) {
      // Of a run that is known here, retention asks when it ended, never when an entry was stored.
      stream.entries.push(entry, now, entry.run !== null && stream.runs.has(entry.run));
      stream.head = entry.offset;
    }
    for (const message of messages) stream.messages.set(message.id, JSON.parse(message.json) as StoredMessage);
    if (request.records !== undefined) this.#putRecords(stream, request.entries, request.records, now);
    this.#tell(stream);
    return { is: 'ok' };
  }

  #putRecords(stream: Stream, entries: readonly LogEntry[], records: AppendRecords, now: StoreMs): void {
    for (const run of records.runs ?? []) this.#streams.putRun(stream, run, now);
    const times = threadTimes(entries, records);
    if (times !== null) {
      const known = stream.thread;
      stream.thread = {
        title: known?.title ?? '',
        createdAt: known?.createdAt ?? times.createdAt,
        updatedAt: Math.max(known?.updatedAt ?? 0, times.updatedAt),
      };
    }
    if (records.title !== undefined && stream.thread !== null) stream.thread = { ...stream.thread, title: records.title };
  }

  async read(key: StreamKey, from: number, maxBytes: number): Promise<readonly LogEntry[]> {
    const stream = this.#streams.find(key);
    if (stream === undefined) return [];
    const found: LogEntry[] = [];
    let bytes = 0;
    for (const kept of stream.entries.from(from)) {
      bytes += kept.bytes;
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(kept.entry);
    }
    return found;
  }

  async renewEpoch(key: StreamKey, o: { readonly keep?: boolean } = {}): Promise<StreamState> {
    const stream = this.#streams.open(key);
    stream.epoch = this.#streams.newEpoch();
    if (o.keep === false) {
      stream.head = 0;
      stream.entries = new KeptEntries();
      for (const message of stream.messages.values()) stream.messages.set(message.id, { ...message, offset: 0 });
      for (const { record } of stream.runs.values()) this.#streams.putRun(stream, { ...record, firstOffset: null, lastOffset: null }, this.#now());
    }
    this.#tell(stream);
    return this.#streams.stateOf(stream);
  }

  async trim(o: {
    readonly keepMs: number;
    readonly streamBytes: number;
    readonly streams: number;
  }): Promise<readonly { readonly key: StreamKey; readonly first: number }[]> {
    const now = this.#now();
    const dropped: { key: StreamKey; first: number }[] = [];
    for (const stream of this.#streams.all()) {
      if (dropped.length >= o.streams) break;
      const cut = cutAt(retained(stream), endedBytes(stream, o.streamBytes), { ...o, now });
      if (cut.upTo === 0) continue;
      stream.entries.drop(cut.upTo, cut.bytes);
      dropped.push({ key: stream.key, first: firstOf(stream) });
    }
    return dropped;
  }
}

const isSame = (a: NodeLife, b: NodeLife): boolean => a.node === b.node && a.incarnation === b.incarnation;

/** Whether these entries are in the log. What retention has dropped since counts as the same: with the present token and epoch
 *  nobody else can have written it. */
function isStored(stream: Stream, entries: readonly LogEntry[]): boolean {
  const last = entries.at(-1);
  if (last === undefined || last.offset > stream.head) return false;
  const first = firstOf(stream);
  const known = entries.filter((entry) => entry.offset >= first);
  let count = 0;
  for (const kept of stream.entries.from(known[0]?.offset ?? stream.head + 1)) {
    const given = known[count];
    if (given === undefined) break;
    if (!sameEntry(kept.entry, given)) return false;
    count++;
  }
  return count === known.length;
}

function* retained(stream: Stream): Iterable<RetainedEntry> {
  for (const kept of stream.entries.from(0)) {
    const run = kept.entry.run === null ? undefined : stream.runs.get(kept.entry.run);
    yield { offset: kept.entry.offset, bytes: kept.bytes, endedAt: run === undefined ? kept.storedAt : run.endedAt };
  }
}

/** Bytes of entries whose run has ended; not counted exactly where even all entries together are within the bound. */
function endedBytes(stream: Stream, bound: number): number {
  if (stream.entries.bytes <= bound) return stream.entries.bytes;
  const open = new Set(openRunsOf(stream).map((run) => run.record.id));
  let bytes = 0;
  for (const { entry, bytes: size } of stream.entries.from(0)) if (entry.run === null || !open.has(entry.run)) bytes += size;
  return bytes;
}

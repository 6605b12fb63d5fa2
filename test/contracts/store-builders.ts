import type { NodeLife } from '../../src/ports/cluster.ts';
import type {
  AppendAnswer,
  AppendRecords,
  AppendRequest,
  LogEntry,
  LogStore,
  RunRecord,
  StoredMessage,
  StreamKey,
  WriterToken,
} from '../../src/ports/store.ts';
import type { Epoch, MessageId, NodeId, RunId, ThreadId, UserId } from '../../src/protocol/ids.ts';

let count = 0;
/** A name that no other test of this file uses: tests share a store. */
export const unique = (prefix: string): string => `${prefix}-${++count}`;

export const key = (user: string, thread = 't'): StreamKey => ({ user: user as UserId, thread: thread as ThreadId });
export const runId = (text: string): RunId => text as RunId;
export const messageId = (text: string): MessageId => text as MessageId;

export const entry = (offset: number, o: Partial<Omit<LogEntry, 'offset'>> = {}): LogEntry => ({
  offset,
  kind: 'agent',
  run: null,
  codec: 'agent-events',
  data: JSON.stringify({ n: offset }),
  at: 1_700_000_000_000 + offset,
  ...o,
});

export const run = (k: StreamKey, id: string, o: Partial<RunRecord> = {}): RunRecord => ({
  id: runId(id),
  ...k,
  message: messageId(`msg-of-${id}`),
  agent: null,
  state: 'running',
  node: 'node-1' as NodeId,
  createdAt: 1_700_000_000_000,
  firstOffset: null,
  lastOffset: null,
  ...o,
});

export const message = (id: string, offset: number, o: Partial<StoredMessage> = {}): StoredMessage => ({
  id: messageId(id),
  role: 'user',
  status: 'complete',
  createdAt: 1_700_000_000_000 + offset,
  parts: [{ type: 'text', text: `text of ${id}` }],
  offset,
  ...o,
});

/** The writer of one stream: claims it, then appends behind the head. */
export class Writer {
  readonly key: StreamKey;
  readonly #log: LogStore;
  epoch: Epoch;
  token: WriterToken;
  head: number;

  private constructor(log: LogStore, k: StreamKey, claimed: { readonly epoch: Epoch; readonly token: WriterToken; readonly head: number }) {
    this.#log = log;
    this.key = k;
    this.epoch = claimed.epoch;
    this.token = claimed.token;
    this.head = claimed.head;
  }

  static async claim(log: LogStore, k: StreamKey, by?: NodeLife): Promise<Writer> {
    return new Writer(log, k, await log.claim(k, by === undefined ? undefined : { by }));
  }

  request(entries: readonly LogEntry[], records?: AppendRecords): AppendRequest {
    return { key: this.key, epoch: this.epoch, token: this.token, entries, ...(records === undefined ? {} : { records }) };
  }

  /** `total` entries behind the head, of one run or of none. */
  next(total: number, o: Partial<Omit<LogEntry, 'offset'>> = {}): readonly LogEntry[] {
    return Array.from({ length: total }, (_, i) => entry(this.head + 1 + i, o));
  }

  async send(entries: readonly LogEntry[], records?: AppendRecords): Promise<AppendAnswer> {
    const [answer] = await this.#log.append([this.request(entries, records)]);
    if (answer === undefined) throw new Error('Expected one answer for one request, got none.');
    if (answer.is === 'ok') this.head += entries.length;
    return answer;
  }

  async append(total: number, o: Partial<Omit<LogEntry, 'offset'>> = {}, records?: AppendRecords): Promise<void> {
    const answer = await this.send(this.next(total, o), records);
    if (answer.is !== 'ok') throw new Error(`Expected the append to be taken, got ${answer.is}.`);
  }
}

export const offsets = (entries: readonly LogEntry[]): readonly number[] => entries.map((e) => e.offset);

import type { RunRecord, SnapshotRead, StoredMessage, StoredThread, StreamKey, ThreadStore } from '../../ports/store.ts';
import type { MessageId, RunId, UserId } from '../../protocol/ids.ts';
import { readCursor, writeCursor } from '../list-cursor.ts';
import { type KeptRun, openRunsOf, type Stream, type Streams } from './streams.ts';

/** Threads, messages and runs in memory. */
export class MemoryThreads implements ThreadStore {
  readonly #streams: Streams;

  constructor(streams: Streams) {
    this.#streams = streams;
  }

  async list(user: UserId, limit: number, cursor: string | null): Promise<{ readonly threads: readonly StoredThread[]; readonly nextCursor: string | null }> {
    const after = cursor === null ? null : readCursor(cursor);
    const all: StoredThread[] = [];
    for (const stream of this.#streams.ofUser(user)) {
      if (stream.thread !== null) all.push({ id: stream.key.thread, ...stream.thread, state: this.#streams.stateOf(stream) });
    }
    const rest = all
      .filter((t) => after === null || t.updatedAt < after.updatedAt || (t.updatedAt === after.updatedAt && t.id < after.thread))
      .sort((a, b) => b.updatedAt - a.updatedAt || (a.id < b.id ? 1 : -1));
    const threads = rest.slice(0, limit);
    const last = threads.at(-1);
    return { threads, nextCursor: last !== undefined && rest.length > threads.length ? writeCursor({ updatedAt: last.updatedAt, thread: last.id }) : null };
  }

  async snapshot(key: StreamKey, limit: number, before: MessageId | null): Promise<SnapshotRead | null> {
    const stream = this.#streams.find(key);
    if (stream === undefined || stream.thread === null) return null;
    const complete = olderThan(stream, before).filter((message) => message.status !== 'streaming' && message.offset <= stream.head);
    const state = this.#streams.stateOf(stream);
    const active = state.activeRun?.id;
    return {
      state,
      messages: complete.slice(Math.max(0, complete.length - limit)),
      hasMore: complete.length > limit,
      running:
        before !== null || active === undefined
          ? []
          : [...stream.entries.from(0)].map(({ entry }) => entry).filter(({ kind, run }) => kind === 'agent' && run === active),
    };
  }

  async findSend(key: StreamKey, sendId: string): Promise<{ readonly message: StoredMessage; readonly run: RunRecord } | null> {
    const stream = this.#streams.find(key);
    if (stream === undefined) return null;
    for (const message of stream.messages.values()) {
      if (message.send?.id !== sendId) continue;
      const run = [...stream.runs.values()].find(({ record }) => record.message === message.id);
      return run === undefined ? null : { message, run: run.record };
    }
    return null;
  }

  async findRun(user: UserId, run: RunId): Promise<RunRecord | null> {
    return this.#streams.findRun(user, run)?.record ?? null;
  }

  async openRuns(key: StreamKey | null): Promise<readonly RunRecord[]> {
    const open: KeptRun[] = [];
    if (key === null) for (const stream of this.#streams.all()) open.push(...openRunsOf(stream));
    else {
      const stream = this.#streams.find(key);
      if (stream !== undefined) open.push(...openRunsOf(stream));
    }
    return open.sort((a, b) => a.seq - b.seq).map((run) => run.record);
  }
}

/** Messages that arrived before `before`; none for an id that this thread does not know. */
function olderThan(stream: Stream, before: MessageId | null): readonly StoredMessage[] {
  const all = [...stream.messages.values()];
  return before === null
    ? all
    : all.slice(
        0,
        Math.max(
          0,
          all.findIndex((message) => message.id === before),
        ),
      );
}

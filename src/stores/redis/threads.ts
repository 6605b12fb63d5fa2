import type { LogEntry, RunRecord, StreamKey, StreamState, ThreadStore } from '../../ports/store.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import type { RunId, ThreadId, UserId } from '../../protocol/ids.ts';
import { readCursor, writeCursor } from '../list-cursor.ts';
import { sendName } from './append.ts';
import type { Connection } from './connection.ts';
import { type KeptRun, readEntry, readMessage, readPairs, readRun, readState, type StreamEntry } from './records.ts';
import { StreamIndex } from './stream-index.ts';
import { STREAM_PART, type StreamKeys, streamKeys, userKeys } from './stream-keys.ts';

/** Bytes of a running run that come with the snapshot in one step; the rest is fetched in pieces. */
const BYTES_AT_ONCE = 65_536;
const ENTRIES_A_PIECE = 200;
const STREAMS_AT_ONCE = 50;
/** A run may be trimmed away while it is fetched, once it has ended, or its stream begin a new epoch: then the snapshot is another. */
const TRIES = 5;
/** Parts that the script answers of each thread. */
const LIST_PARTS = 8;

/** Threads, messages and runs in Redis. */
export function createRedisThreads(connection: Connection): ThreadStore {
  const { keys, logDeadlineMs } = connection;
  const index = new StreamIndex(connection);

  async function list(user: UserId, limit: number, cursor: string | null): ReturnType<ThreadStore['list']> {
    const after = cursor === null ? null : readCursor(cursor);
    const { threads, titles, thread } = userKeys(keys, user);
    const count = Math.max(0, limit);
    const args = [count + 1, thread, STREAM_PART, after?.updatedAt ?? '', after?.thread ?? ''];
    const flat = (await connection.run('threads-list', [threads, titles], args, logDeadlineMs)) as readonly string[];
    const found = Array.from({ length: flat.length / LIST_PARTS }, (_, i) => {
      const [id, updatedAt, kept = '', ...state] = flat.slice(i * LIST_PARTS, (i + 1) * LIST_PARTS);
      const [createdAt = '0'] = kept.split(' ', 1);
      return {
        id: id as ThreadId,
        title: kept.slice(createdAt.length + 1),
        createdAt: Number(createdAt),
        updatedAt: Number(updatedAt),
        state: readState(state),
      };
    });
    const page = found.slice(0, count);
    const last = page.at(-1);
    return { threads: page, nextCursor: last !== undefined && found.length > count ? writeCursor({ updatedAt: last.updatedAt, thread: last.id }) : null };
  }

  async function snapshot(
    key: StreamKey,
    limit: number,
    before: Parameters<ThreadStore['snapshot']>[2],
    triesLeft = TRIES,
  ): ReturnType<ThreadStore['snapshot']> {
    const k = streamKeys(keys, key);
    const args = [key.thread, Math.max(0, limit), before ?? '', BYTES_AT_ONCE];
    const answer = await connection.run('thread-snapshot', [k.stream, k.log, k.order, k.messages, k.user.titles], args, logDeadlineMs);
    const [stateParts, hasMore, messages, first, isWhole] = answer as [string[]?, string?, string[]?, StreamEntry[]?, string?];
    if (stateParts === undefined || messages === undefined || first === undefined) return null;
    const state = readState(stateParts);
    const entries = isWhole === '1' ? first.map(readEntry) : await rest(k, first, state);
    if (entries === null) {
      if (triesLeft > 1) return snapshot(key, limit, before, triesLeft - 1);
      throw new SpillwayError('SPILLWAY_STORE_UNAVAILABLE', 'Expected the events of a running answer to stay until they were read, but they did not.', {
        retry: 'now',
      });
    }
    const run = state.activeRun?.id;
    return {
      state,
      messages: messages.map(readMessage).reverse(),
      hasMore: hasMore === '1',
      running: entries.filter((entry) => entry.kind === 'agent' && entry.run === run),
    };
  }

  /** `first` and what follows up to the head; null if it is not there any more. What is in the log of an epoch does not change, so that it may
   *  be read later. */
  async function rest(k: StreamKeys, first: readonly StreamEntry[], { epoch, head }: StreamState): Promise<readonly LogEntry[] | null> {
    const entries = first.map(readEntry);
    for (let next = (entries.at(-1)?.offset ?? 0) + 1; next <= head; next = (entries.at(-1)?.offset ?? 0) + 1) {
      const page = await connection.command('XRANGE', [k.log, `${next}-0`, `${head}-0`, 'COUNT', ENTRIES_A_PIECE], logDeadlineMs);
      const read = (page as readonly StreamEntry[]).map(readEntry);
      if (read[0]?.offset !== next) return null;
      entries.push(...read);
    }
    return (await connection.command('HGET', [k.stream, 'e'], logDeadlineMs)) === epoch ? entries : null;
  }

  /** `isEach`: of each by itself, so that those whose runs cannot be read keep nobody from the others. */
  async function openOf(streams: readonly StreamKey[], isEach: boolean): Promise<readonly KeptRun[]> {
    const outcomes = await connection.runAll(
      'thread-open-runs',
      streams.map((key) => {
        const k = streamKeys(keys, key);
        return { keys: [k.open, k.user.runs], args: [] };
      }),
      logDeadlineMs,
    );
    return outcomes.flatMap((outcome, i) => {
      if (!outcome.ok) {
        if (isEach && outcome.error.code === 'SPILLWAY_STORE_BROKEN') return [];
        throw outcome.error;
      }
      return readPairs(outcome.answer as readonly string[]).map(({ name, score }) => readRun((streams[i] as StreamKey).user, name, score));
    });
  }

  async function openRuns(key: StreamKey | null): Promise<readonly RunRecord[]> {
    const open: KeptRun[] = [];
    const streams = key === null ? await index.open() : [key];
    for (let i = 0; i < streams.length; i += STREAMS_AT_ONCE) open.push(...(await openOf(streams.slice(i, i + STREAMS_AT_ONCE), key === null)));
    return open.toSorted((a, b) => a.order - b.order).map((run) => run.record);
  }

  return {
    list,
    snapshot: (key, limit, before) => snapshot(key, limit, before),
    openRuns,
    async findSend(key, sendId) {
      const { sends, messages, user } = streamKeys(keys, key);
      const [message, run, kept] = (await connection.run('thread-find-send', [sends, messages, user.runs], [sendName(sendId)], logDeadlineMs)) as string[];
      return message === undefined || run === undefined || kept === undefined
        ? null
        : { message: readMessage(message), run: readRun(key.user, run, kept).record };
    },
    async findRun(user: UserId, run: RunId) {
      const kept = await connection.command('HGET', [userKeys(keys, user).runs, run], logDeadlineMs);
      return typeof kept === 'string' ? readRun(user, run, kept).record : null;
    },
  };
}

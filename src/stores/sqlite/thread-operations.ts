import type { RunRecord, SnapshotRead, StoredMessage, StoredThread, StreamKey } from '../../ports/store.ts';
import type { MessageId, RunId, ThreadId, UserId } from '../../protocol/ids.ts';
import { readCursor, writeCursor } from '../list-cursor.ts';
import type { Connection } from './connection.ts';
import { ENTRY_COLUMNS, entryOf } from './log-operations.ts';
import { readName, spellName } from './names.ts';
import { type RunRow, runOf, type StreamRow, type StreamRows } from './stream-rows.ts';

const RUN_COLUMNS = 'user, thread, r.id, message, agent, state, node, r.created_at, first_offset, last_offset FROM runs r JOIN streams s ON s.id = r.stream';

/** Threads, messages and runs. */
export function createThreadOperations(connection: Connection, streams: StreamRows) {
  const { database } = connection;
  const newest = database.prepare<[string, number], StreamRow>(
    'SELECT * FROM streams WHERE user = ? AND updated_at IS NOT NULL ORDER BY updated_at DESC, thread DESC LIMIT ?',
  );
  const further = database.prepare<[string, number, string, number], StreamRow>(
    'SELECT * FROM streams WHERE user = ? AND updated_at IS NOT NULL AND (updated_at, thread) < (?, ?) ORDER BY updated_at DESC, thread DESC LIMIT ?',
  );
  const seqOf = database.prepare<[number, string], { seq: number }>('SELECT seq FROM messages WHERE stream = ? AND id = ?');
  const messages = database.prepare<[number, number, number, number], { json: string }>(
    'SELECT json FROM messages WHERE stream = ? AND seq < ? AND complete = 1 AND offset <= ? ORDER BY seq DESC LIMIT ?',
  );
  const running = database.prepare<[number, string], Parameters<typeof entryOf>[0]>(
    `SELECT ${ENTRY_COLUMNS} FROM entries e WHERE stream = ? AND run = ? AND kind = 'agent' ORDER BY offset`,
  );
  const sent = database.prepare<[number, string], { id: string; json: string }>(
    'SELECT id, json FROM messages WHERE stream = ? AND send_id = ? ORDER BY seq LIMIT 1',
  );
  const runOfMessage = database.prepare<[number, string], RunRow>(`SELECT ${RUN_COLUMNS} WHERE r.stream = ? AND message = ? ORDER BY seq LIMIT 1`);
  const run = database.prepare<[string, string], RunRow>(`SELECT ${RUN_COLUMNS} WHERE r.id = ? AND user = ? ORDER BY seq LIMIT 1`);
  const openOf = database.prepare<[string, string], RunRow>(`SELECT ${RUN_COLUMNS} WHERE ended_at IS NULL AND user = ? AND thread = ? ORDER BY seq`);
  const openOfAll = database.prepare<[], RunRow>(`SELECT ${RUN_COLUMNS} WHERE ended_at IS NULL ORDER BY seq`);

  return {
    list: (user: UserId, limit: number, cursor: string | null): { readonly threads: readonly StoredThread[]; readonly nextCursor: string | null } =>
      connection.read(() => {
        const after = cursor === null ? null : readCursor(cursor);
        const count = Math.max(0, limit) + 1;
        const rows = after === null ? newest.all(spellName(user), count) : further.all(spellName(user), after.updatedAt, spellName(after.thread), count);
        const threads = rows.slice(0, count - 1).map((row) => threadOf(row));
        const last = threads.at(-1);
        return { threads, nextCursor: last !== undefined && rows.length === count ? writeCursor({ updatedAt: last.updatedAt, thread: last.id }) : null };
      }),

    snapshot: (key: StreamKey, limit: number, before: MessageId | null): SnapshotRead | null =>
      connection.read(() => {
        const row = streams.find(key);
        if (row === undefined || row.created_at === null) return null;
        const state = streams.stateOf(row);
        const end = before === null ? Number.MAX_SAFE_INTEGER : (seqOf.get(row.id, before)?.seq ?? 0);
        const count = Math.max(0, limit) + 1;
        const found = messages.all(row.id, end, row.head, count);
        return {
          state,
          messages: found
            .slice(0, count - 1)
            .reverse()
            .map(({ json }) => JSON.parse(json) as StoredMessage),
          hasMore: found.length === count,
          running: before !== null || state.activeRun === null ? [] : running.all(row.id, state.activeRun.id).map(entryOf),
        };
      }),

    findSend: (key: StreamKey, sendId: string): { readonly message: StoredMessage; readonly run: RunRecord } | null =>
      connection.read(() => {
        const row = streams.find(key);
        const message = row && sent.get(row.id, spellName(sendId));
        const asked = row && message && runOfMessage.get(row.id, message.id);
        return message && asked ? { message: JSON.parse(message.json) as StoredMessage, run: runOf(asked) } : null;
      }),

    findRun(user: UserId, id: RunId): RunRecord | null {
      const row = run.get(id, spellName(user));
      return row === undefined ? null : runOf(row);
    },

    openRuns: (key: StreamKey | null): readonly RunRecord[] =>
      (key === null ? openOfAll.all() : openOf.all(spellName(key.user), spellName(key.thread))).map(runOf),
  };

  function threadOf(row: StreamRow): StoredThread {
    return {
      id: readName(row.thread) as ThreadId,
      title: row.title,
      createdAt: row.created_at ?? 0,
      updatedAt: row.updated_at ?? 0,
      state: streams.stateOf(row),
    };
  }
}

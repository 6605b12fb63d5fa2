import type { AppendAnswer, AppendRequest, LogEntry, RunRecord } from '../../ports/store.ts';
import { type EncodedMessage, joins, sameEntry } from '../append-rules.ts';
import { bytesOf } from '../retention.ts';
import type { Connection } from './connection.ts';
import { isGround } from './failures.ts';
import { ENTRY_COLUMNS, entryOf } from './log-operations.ts';
import { spellName } from './names.ts';
import type { StreamRow, StreamRows } from './stream-rows.ts';

/** An append request as it crosses to the worker: its messages are text already. */
export interface EncodedAppend extends Omit<AppendRequest, 'records'> {
  readonly title: string | null;
  /** Null: they cannot be stored. */
  readonly messages: readonly EncodedMessage[] | null;
  readonly runs: readonly RunRecord[];
  /** What the messages do to the thread's times, if there are any. */
  readonly times: { readonly createdAt: number; readonly updatedAt: number } | null;
}

/** Appends a whole batch in one transaction. */
export function createAppend(connection: Connection, streams: StreamRows) {
  const { database } = connection;
  const insert = database.prepare('INSERT INTO entries (stream, offset, kind, run, codec, bytes, at, stored_at, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const advance = database.prepare('UPDATE streams SET head = ?, bytes = bytes + ? WHERE id = ?');
  const retain = database.prepare('UPDATE streams SET trim_at = ? WHERE id = ?');
  const stored = database.prepare<[number, number], Parameters<typeof entryOf>[0]>(`SELECT ${ENTRY_COLUMNS} FROM entries e WHERE stream = ? AND offset = ?`);
  const message = database.prepare(
    `INSERT INTO messages (stream, id, offset, complete, send_id, json) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (stream, id) DO UPDATE SET offset = excluded.offset, complete = excluded.complete, send_id = excluded.send_id, json = excluded.json`,
  );
  const run = database.prepare(
    `INSERT INTO runs (stream, id, message, agent, state, node, created_at, first_offset, last_offset, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id, stream) DO UPDATE SET message = excluded.message, agent = excluded.agent, state = excluded.state, node = excluded.node,
       created_at = excluded.created_at, first_offset = excluded.first_offset, last_offset = excluded.last_offset,
       ended_at = CASE WHEN excluded.ended_at IS NULL THEN NULL ELSE coalesce(ended_at, excluded.ended_at) END`,
  );
  const touch = database.prepare('UPDATE streams SET created_at = coalesce(created_at, ?), updated_at = max(coalesce(updated_at, 0), ?) WHERE id = ?');
  const name = database.prepare('UPDATE streams SET title = ? WHERE id = ? AND created_at IS NOT NULL');
  const applySafely = database.transaction(apply);

  function appendOne(request: EncodedAppend, now: number): AppendAnswer {
    const row = streams.find(request.key);
    const conflict = (): AppendAnswer => ({ is: 'conflict', state: streams.stateOf(row) });
    if (request.token < Math.max(row?.token ?? 0, 1)) return { is: 'fenced' };
    if (row === undefined || request.token > row.token || request.epoch !== row.epoch || !joins(request.entries) || request.messages === null)
      return conflict();
    const first = request.entries[0]?.offset;
    if (first !== undefined && first !== row.head + 1) return isStored(row, request.entries) ? { is: 'repeated' } : conflict();
    try {
      applySafely(row, request, now);
    } catch (error) {
      // Values that SQLite does not take harm their own request only; a broken ground harms all.
      if (isGround(error) || !database.inTransaction) throw error;
      return conflict();
    }
    return { is: 'ok' };
  }

  function apply(row: StreamRow, request: EncodedAppend, now: number): void {
    let bytes = 0;
    for (const entry of request.entries) {
      const size = bytesOf(entry.data);
      insert.run(row.id, entry.offset, entry.kind, entry.run, entry.codec, size, entry.at, now, entry.data);
      bytes += size;
    }
    const last = request.entries.at(-1);
    if (last !== undefined) {
      advance.run(last.offset, bytes, row.id);
      if (row.trim_at === null) retain.run(now, row.id);
    }
    for (const m of request.messages ?? []) message.run(row.id, m.id, m.offset, m.complete ? 1 : 0, m.sendId === null ? null : spellName(m.sendId), m.json);
    for (const r of request.runs) {
      run.run(row.id, r.id, r.message, r.agent, r.state, r.node, r.createdAt, r.firstOffset, r.lastOffset, r.state === 'ended' ? now : null);
    }
    if (request.times !== null) touch.run(request.times.createdAt, request.times.updatedAt, row.id);
    if (request.title !== null) name.run(request.title, row.id);
  }

  /** Whether these entries are in the log. What retention has dropped since counts as the same: with the present token and
   *  epoch nobody else can have written it. */
  function isStored(row: StreamRow, entries: readonly LogEntry[]): boolean {
    const last = entries.at(-1);
    if (last === undefined || last.offset > row.head) return false;
    return entries.every((entry) => {
      if (entry.offset < row.first) return true;
      const kept = stored.get(row.id, entry.offset);
      return kept !== undefined && sameEntry(entryOf(kept), { ...entry, data: asStored(entry.data) });
    });
  }

  return (now: number, requests: readonly EncodedAppend[]): readonly AppendAnswer[] =>
    connection.write(now, () => requests.map((request) => appendOne(request, now)));
}

/** Text as it comes back from UTF-8. */
const asStored = (text: string): string => Buffer.from(text, 'utf8').toString('utf8');

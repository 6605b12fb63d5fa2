import type { LogEntry, StreamKey, StreamState, WriterToken } from '../../ports/store.ts';
import type { Codec } from '../../protocol/agent-events.ts';
import type { RunId } from '../../protocol/ids.ts';
import type { Connection } from './connection.ts';
import { spellName } from './names.ts';
import type { StreamRow, StreamRows } from './stream-rows.ts';

interface EntryRow {
  readonly offset: number;
  readonly kind: string;
  readonly run: string | null;
  readonly codec: string;
  readonly bytes: number;
  readonly at: number;
  readonly data: string;
}

export const ENTRY_COLUMNS = 'offset, kind, run, codec, e.bytes AS bytes, at, data';

export const entryOf = (row: EntryRow): LogEntry => ({
  offset: row.offset,
  kind: row.kind as LogEntry['kind'],
  run: row.run as RunId | null,
  codec: row.codec as Codec,
  data: row.data,
  at: row.at,
});

/** The log but for `append` and `trim`, which have files of their own. */
export function createLogOperations(connection: Connection, streams: StreamRows) {
  const { database } = connection;
  const claim = database.prepare<[string, string, string], StreamRow>(
    `INSERT INTO streams (user, thread, epoch, token, first, head, bytes, title) VALUES (?, ?, ?, 1, 1, 0, 0, '')
     ON CONFLICT (user, thread) DO UPDATE SET token = token + 1 RETURNING *`,
  );
  const renew = database.prepare<[string, string, string], StreamRow>(
    `INSERT INTO streams (user, thread, epoch, token, first, head, bytes, title) VALUES (?, ?, ?, 0, 1, 0, 0, '')
     ON CONFLICT (user, thread) DO UPDATE SET epoch = excluded.epoch RETURNING *`,
  );
  const read = database.prepare<[string, string, number], EntryRow>(
    `SELECT ${ENTRY_COLUMNS} FROM streams s JOIN entries e ON e.stream = s.id WHERE user = ? AND thread = ? AND offset >= ? ORDER BY offset`,
  );
  const empty = [
    'UPDATE streams SET first = 1, head = 0, bytes = 0, trim_at = NULL WHERE id = ?',
    'DELETE FROM entries WHERE stream = ?',
    "UPDATE messages SET offset = 0, json = json_set(json, '$.offset', 0) WHERE stream = ?",
    'UPDATE runs SET first_offset = NULL, last_offset = NULL WHERE stream = ?',
  ].map((sql) => database.prepare<[number]>(sql));

  return {
    state: (key: StreamKey): StreamState => connection.read(() => streams.stateOf(streams.find(key))),

    claim: (now: number, key: StreamKey): StreamState & { readonly token: WriterToken } =>
      connection.write(now, () => {
        const row = claim.get(spellName(key.user), spellName(key.thread), connection.epoch) as StreamRow;
        return { ...streams.stateOf(row), token: row.token };
      }),

    read(key: StreamKey, from: number, maxBytes: number): readonly LogEntry[] {
      const found: LogEntry[] = [];
      let bytes = 0;
      for (const row of read.iterate(spellName(key.user), spellName(key.thread), from)) {
        bytes += row.bytes;
        if (found.length > 0 && bytes > maxBytes) break;
        found.push(entryOf(row));
      }
      return found;
    },

    renewEpoch: (now: number, key: StreamKey, epoch: string, keep: boolean): StreamState =>
      connection.write(now, () => {
        const row = renew.get(spellName(key.user), spellName(key.thread), epoch) as StreamRow;
        if (!keep) for (const statement of empty) statement.run(row.id);
        return streams.stateOf(streams.find(key));
      }),
  };
}

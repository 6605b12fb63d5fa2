import type { Database } from 'better-sqlite3';
import type { RunRecord, StreamKey, StreamState } from '../../ports/store.ts';
import type { Epoch, MessageId, NodeId, RunId, ThreadId, UserId } from '../../protocol/ids.ts';
import { readName, spellName } from './names.ts';

export interface StreamRow {
  readonly id: number;
  readonly user: string;
  readonly thread: string;
  readonly epoch: string;
  readonly token: number;
  readonly first: number;
  readonly head: number;
  readonly bytes: number;
  readonly trim_at: number | null;
  readonly title: string;
  readonly created_at: number | null;
  readonly updated_at: number | null;
}

export interface RunRow {
  readonly user: string;
  readonly thread: string;
  readonly id: string;
  readonly message: string;
  readonly agent: string | null;
  readonly state: string;
  readonly node: string;
  readonly created_at: number;
  readonly first_offset: number | null;
  readonly last_offset: number | null;
}

/** Finds streams and says where they stand. */
export interface StreamRows {
  find(key: StreamKey): StreamRow | undefined;
  stateOf(row: StreamRow | undefined): StreamState;
}

export function createStreamRows(database: Database, epoch: string): StreamRows {
  const find = database.prepare<[string, string], StreamRow>('SELECT * FROM streams WHERE user = ? AND thread = ?');
  const active = database.prepare<[number], { id: string; first_offset: number | null }>(
    "SELECT id, first_offset FROM runs WHERE stream = ? AND ended_at IS NULL ORDER BY state = 'running' DESC, seq LIMIT 1",
  );
  return {
    find: (key) => find.get(spellName(key.user), spellName(key.thread)),
    stateOf(row) {
      if (row === undefined) return { epoch: epoch as Epoch, first: 1, head: 0, activeRun: null };
      const run = active.get(row.id);
      return {
        epoch: row.epoch as Epoch,
        first: row.first,
        head: row.head,
        activeRun: run === undefined ? null : { id: run.id as RunId, firstOffset: run.first_offset },
      };
    },
  };
}

export const keyOf = (row: { readonly user: string; readonly thread: string }): StreamKey => ({
  user: readName(row.user) as UserId,
  thread: readName(row.thread) as ThreadId,
});

export const runOf = (row: RunRow): RunRecord => ({
  id: row.id as RunId,
  ...keyOf(row),
  message: row.message as MessageId,
  agent: row.agent,
  state: row.state as RunRecord['state'],
  node: row.node as NodeId,
  createdAt: row.created_at,
  firstOffset: row.first_offset,
  lastOffset: row.last_offset,
});

// Holds the write lock of an SQLite file, as a backup or a person with a database tool does.

import './end-with-parent.ts';
import Sqlite from 'better-sqlite3';

/** What to hold, and for how long. */
export interface LockOrder {
  readonly file: string;
  readonly holdMs: number;
}
export type LockNews = { readonly held: true } | { readonly releasedAfterMs: number };

const say = (news: LockNews): void => void (process.connected && process.send?.(news));
process.channel?.ref();
process.once('message', (order) => hold(order as LockOrder));

function hold({ file, holdMs }: LockOrder): void {
  const database = new Sqlite(file, { fileMustExist: true, timeout: 5_000 });
  database.exec('BEGIN IMMEDIATE');
  const heldAt = performance.now();
  say({ held: true });
  setTimeout(() => {
    database.exec('ROLLBACK');
    database.close();
    say({ releasedAfterMs: performance.now() - heldAt });
  }, holdMs);
}

import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { SpillwayError } from '../../protocol/errors.ts';
import { machineLife } from './machine-life.ts';
import { migrate, refuseForeign } from './migrations.ts';

/** How long SQLite itself waits for a lock. Short, because nothing is read meanwhile; the worker tries again until the deadline. */
const LOCK_WAIT_MS = 50;
/** How far ahead the clock's mark is written, so that it costs a page a second and not one a write. */
const MARK_AHEAD_MS = 1_000;

/** An open store file. */
export interface Connection {
  readonly database: Database;
  /** Epoch of a stream's first entry. */
  readonly epoch: string;
  /** No instant stored is larger. */
  clockMark(): number;
  /** Runs `step` as one transaction that may write, at `now` of the store's clock. */
  write<T>(now: number, step: () => T): T;
  /** Runs `step` on one state of the data. */
  read<T>(step: () => T): T;
  /** Moves what the write-ahead log holds into the database, so that its room can be used again. Does what it can, never throws. */
  reclaim(): void;
  /** Makes everything durable and closes. */
  close(): void;
}

/** Opens the file, makes or migrates it.
 *
 *  `synchronous = NORMAL`: in WAL mode a commit is written to the operating system before it is confirmed, so the death of this
 *  process (kill -9 included) loses nothing; only the death of the machine can lose the last commits, and never consistency. FULL
 *  would add the wait for a flush of the disk to every batch, hence to every event. Instead such a loss is noticed: after a
 *  machine went down with the store open, every stream gets a new epoch, so that no position behind a lost tail is trusted. */
export function openConnection(file: string, freshEpoch: string): Connection {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // Made by us first for its rights: conversations are for their owners. The companion files inherit them.
  closeSync(openSync(file, 'a', 0o600));
  const database = new Sqlite(file, { timeout: LOCK_WAIT_MS });
  try {
    refuseForeign(database);
    const mode = database.pragma('journal_mode = WAL', { simple: true });
    if (mode !== 'wal')
      throw new SpillwayError(
        'SPILLWAY_STORE_BROKEN',
        `Expected a file system that can keep a write-ahead log at ${file}, got journal mode ${String(mode)}. Use a local disk.`,
      );
    database.pragma('synchronous = FULL');
    database.pragma('journal_size_limit = 67108864');
    migrate(database);
    const get = database.prepare<[string], { value: unknown }>('SELECT value FROM meta WHERE key = ?');
    const set = database.prepare<[string, unknown]>('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value');
    const life = machineLife();
    const epoch = database
      .transaction(() => {
        const before = get.get('life')?.value;
        const known = get.get('epoch')?.value as string | undefined;
        const lost = before !== undefined && before !== '' && before !== life;
        // Not written without need, so that a full disk can still be read.
        if (before !== life) set.run('life', life);
        if (known !== undefined && !lost) return known;
        set.run('epoch', freshEpoch);
        database.prepare('UPDATE streams SET epoch = ?').run(freshEpoch);
        return freshEpoch;
      })
      .immediate();
    database.pragma('synchronous = NORMAL');
    let mark = Number(get.get('clock')?.value ?? 0);
    return {
      database,
      epoch,
      clockMark: () => mark,
      write(now, step) {
        const next = now < mark ? mark : now + MARK_AHEAD_MS;
        const answer = database
          .transaction(() => {
            if (next !== mark) {
              set.run('clock', next);
              // A process that ran beside us may have said good-bye for itself.
              set.run('life', life);
            }
            return step();
          })
          .immediate();
        mark = next;
        return answer;
      },
      read: (step) => database.transaction(step).deferred(),
      reclaim() {
        try {
          database.pragma('wal_checkpoint(RESTART)');
        } catch {
          // Harmless: a disk without any room left, or a reader in the way. The log stays as it is.
        }
      },
      close() {
        try {
          database.pragma('synchronous = FULL');
          set.run('life', '');
        } catch {
          // Harmless: the next opening finds no good-bye, and asks whether the machine went down since.
        } finally {
          database.close();
        }
      },
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

import type { Database } from 'better-sqlite3';
import { SpillwayError } from '../../protocol/errors.ts';

/** 'SPWY': marks a database file as ours, so that another program's is refused instead of changed. */
const APPLICATION_ID = 0x53505759;

/** Steps from an empty file to the present schema. Step n makes version n + 1. Published steps are never changed; a new one is
 *  added behind them. */
export const MIGRATIONS: readonly string[] = [
  // 1: the log and what its threads keep.
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
  -- One row a stream. \`created_at\` is null until its first message makes it a thread. \`trim_at\` is null while nothing is retained;
  -- else no entry can have become old enough to drop before \`trim_at\` plus the retention time.
  CREATE TABLE streams (
    id INTEGER PRIMARY KEY, user TEXT NOT NULL, thread TEXT NOT NULL, epoch TEXT NOT NULL, token INTEGER NOT NULL,
    first INTEGER NOT NULL, head INTEGER NOT NULL, bytes INTEGER NOT NULL, trim_at INTEGER,
    title TEXT NOT NULL, created_at INTEGER, updated_at INTEGER
  );
  CREATE UNIQUE INDEX streams_key ON streams (user, thread);
  CREATE INDEX streams_list ON streams (user, updated_at, thread) WHERE updated_at IS NOT NULL;
  CREATE INDEX streams_retained ON streams (trim_at) WHERE trim_at IS NOT NULL;
  CREATE TABLE entries (
    stream INTEGER NOT NULL, offset INTEGER NOT NULL, kind TEXT NOT NULL, run TEXT, codec TEXT NOT NULL, bytes INTEGER NOT NULL,
    at INTEGER NOT NULL, stored_at INTEGER NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (stream, offset)
  ) WITHOUT ROWID;
  CREATE TABLE messages (
    seq INTEGER PRIMARY KEY, stream INTEGER NOT NULL, id TEXT NOT NULL, offset INTEGER NOT NULL, complete INTEGER NOT NULL,
    send_id TEXT, json TEXT NOT NULL
  );
  CREATE UNIQUE INDEX messages_id ON messages (stream, id);
  CREATE INDEX messages_order ON messages (stream, seq);
  CREATE INDEX messages_send ON messages (stream, send_id, seq) WHERE send_id IS NOT NULL;
  CREATE TABLE runs (
    seq INTEGER PRIMARY KEY, stream INTEGER NOT NULL, id TEXT NOT NULL, message TEXT NOT NULL, agent TEXT, state TEXT NOT NULL,
    node TEXT NOT NULL, created_at INTEGER NOT NULL, first_offset INTEGER, last_offset INTEGER, ended_at INTEGER
  );
  CREATE UNIQUE INDEX runs_id ON runs (id, stream);
  CREATE INDEX runs_message ON runs (stream, message, seq);
  CREATE INDEX runs_open ON runs (stream, seq) WHERE ended_at IS NULL;
  `,
  // 2: credentials, by digest.
  `
  CREATE TABLE tickets (
    digest TEXT PRIMARY KEY, user TEXT NOT NULL, name TEXT NOT NULL, tier TEXT NOT NULL, auth_expires_at INTEGER NOT NULL, family TEXT,
    expires_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX tickets_user ON tickets (user, family);
  CREATE INDEX tickets_expiry ON tickets (expires_at);
  CREATE TABLE refreshes (
    digest TEXT PRIMARY KEY, user TEXT NOT NULL, family TEXT NOT NULL, replaced_by TEXT, expires_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX refreshes_user ON refreshes (user, family);
  CREATE INDEX refreshes_expiry ON refreshes (expires_at);
  `,
];

/** Throws SPILLWAY_STORE_BROKEN for a file that another program or a newer Spillway made; changes nothing. */
export function refuseForeign(database: Database): void {
  const [version, application, tables] = database
    .transaction(
      () =>
        [
          readNumber(database, 'user_version'),
          readNumber(database, 'application_id'),
          database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined,
        ] as const,
    )
    .deferred();
  if (version === 0 ? tables : application !== APPLICATION_ID) {
    throw new SpillwayError(
      'SPILLWAY_STORE_BROKEN',
      `Expected a Spillway store or no file at ${database.name}, got the database of another program. Name another file as store.`,
    );
  }
  if (version > MIGRATIONS.length) {
    throw new SpillwayError(
      'SPILLWAY_STORE_BROKEN',
      `Expected a store of schema ${MIGRATIONS.length} or older at ${database.name}, got schema ${version}: a newer Spillway has used it. Start that version, or name another file as store.`,
    );
  }
}

/** Brings a file of ours, or an empty one, to the present schema, one transaction a step. */
export function migrate(database: Database): void {
  for (let next = readNumber(database, 'user_version'); next < MIGRATIONS.length; next++) {
    database
      .transaction(() => {
        // Another process may have taken this step while we waited for the lock.
        if (readNumber(database, 'user_version') !== next) return;
        database.exec(MIGRATIONS[next] as string);
        database.pragma(`application_id = ${APPLICATION_ID}`);
        database.pragma(`user_version = ${next + 1}`);
      })
      .immediate();
  }
}

const readNumber = (database: Database, pragma: string): number => database.pragma(pragma, { simple: true }) as number;

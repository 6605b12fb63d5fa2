import { resolve } from 'node:path';
import { type Clock, systemClock } from '../../ports/clock.ts';
import { type Random, systemRandom } from '../../ports/random.ts';
import type { AppendRequest, Store, StoreHealth } from '../../ports/store.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { encodeMessages, threadTimes } from '../append-rules.ts';
import { newEpoch } from '../epochs.ts';
import { createSeatBook } from '../seats.ts';
import { createStoreClock } from '../store-clock.ts';
import type { EncodedAppend } from './append-operation.ts';
import { Caller } from './caller.ts';

export interface SqliteStoreOptions {
  /** Path of the database; its folder is made if it is missing. SQLite keeps two companions beside it, `-wal` and `-shm`. */
  readonly file: string;
  /** After how many milliseconds a call that got no answer is given up. Default 5,000, so that a lock held for 3 s by a backup or
   *  a person with a database tool is waited out. */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Older versions of Node crash in the database driver instead of refusing it. */
const OLDEST_NODE = [22, 18] as const;

/** A store in one SQLite file, driven by a thread of its own. What a call has confirmed survives the death of the process; seats
 *  do not, on purpose. Rejects when the file cannot be used: SPILLWAY_STORE_UNAVAILABLE (no right, locked, disk full),
 *  SPILLWAY_STORE_BROKEN (damaged, of another program, of a newer Spillway), SPILLWAY_NODE_VERSION. Later trouble rejects the calls
 *  that meet it, and is over when its cause is. */
export async function sqliteStore(options: SqliteStoreOptions): Promise<Store> {
  checkNode(process.versions.node);
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const file = resolve(options.file);
  const caller = new Caller(file, options.deadlineMs ?? 5_000, () => ({ file, freshEpoch: newEpoch(random) }));
  const mark = await caller.call('open').catch(async (error: unknown) => {
    await caller.close();
    throw error;
  });
  const now = createStoreClock(clock, mark);

  return {
    kind: 'sqlite',
    cluster: null,
    seats: createSeatBook(clock, random),
    log: {
      state: (key) => caller.call('state', key),
      claim: async (key) => ({ ...(await caller.call('claim', now(), key)), heldBy: null }),
      watch: () => () => {},
      append: (requests) => caller.call('append', now(), requests.map(encodeAppend)),
      read: (key, from, maxBytes) => caller.call('read', key, from, maxBytes),
      renewEpoch: (key, o) => caller.call('renewEpoch', now(), key, newEpoch(random), o?.keep ?? true),
      trim: (o) => caller.call('trim', now(), o),
    },
    threads: {
      list: (user, limit, cursor) => caller.call('list', user, limit, cursor),
      snapshot: (key, limit, before) => caller.call('snapshot', key, limit, before),
      findSend: (key, sendId) => caller.call('findSend', key, sendId),
      findRun: (user, run) => caller.call('findRun', user, run),
      openRuns: (key) => caller.call('openRuns', key),
    },
    credentials: {
      putTicket: (digest, ticket, ttlMs) => caller.call('putTicket', now(), digest, ticket, ttlMs),
      consumeTicket: (digest) => caller.call('consumeTicket', now(), digest),
      putRefresh: (digest, refresh, ttlMs) => caller.call('putRefresh', now(), digest, refresh, ttlMs),
      rotateRefresh: (digest, next, ttlMs) => caller.call('rotateRefresh', now(), digest, next, ttlMs),
      revokeRefresh: (digest, everywhere) => caller.call('revokeRefresh', now(), digest, everywhere),
    },
    health: () => probe(caller, clock, now()),
    [Symbol.asyncDispose]: () => caller.close(),
  };
}

async function probe(caller: Caller, clock: Clock, now: number): Promise<StoreHealth> {
  const started = clock.mono();
  try {
    await caller.call('probe', now);
    return { ok: true, detail: `SQLite: a write took ${(clock.mono() - started).toFixed(1)} ms.` };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

function encodeAppend(request: AppendRequest): EncodedAppend {
  const { records, ...rest } = request;
  return {
    ...rest,
    title: records?.title ?? null,
    messages: encodeMessages(records?.messages ?? []),
    runs: records?.runs ?? [],
    times: records === undefined ? null : threadTimes(request.entries, records),
  };
}

/** Throws SPILLWAY_NODE_VERSION below the floor. */
function checkNode(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new SpillwayError('SPILLWAY_NODE_VERSION', `The SQLite store needs Node.js ${OLDEST_NODE.join('.')} or newer; this is v${version}. Install Node 24.`);
}

import type { NodeLife } from '../../ports/cluster.ts';
import type { Random } from '../../ports/random.ts';
import type { RunRecord, StoredMessage, StreamKey, StreamState } from '../../ports/store.ts';
import type { Epoch, MessageId, RunId, ThreadId, UserId } from '../../protocol/ids.ts';
import { newEpoch } from '../epochs.ts';
import { KeptEntries } from './kept-entries.ts';

export interface KeptRun {
  readonly record: RunRecord;
  /** Order of arrival in the whole store. */
  readonly seq: number;
  /** By the store's clock; null while it goes on. */
  readonly endedAt: number | null;
}

/** One stream with all that its thread keeps. */
export interface Stream {
  readonly key: StreamKey;
  epoch: Epoch;
  token: number;
  /** In whose name it was claimed last; null where nobody said. */
  writer: NodeLife | null;
  head: number;
  /** Retained entries; the last one is at `head`. */
  entries: KeptEntries;
  /** In order of arrival. */
  readonly messages: Map<MessageId, StoredMessage>;
  readonly runs: Map<RunId, KeptRun>;
  thread: { readonly title: string; readonly createdAt: number; readonly updatedAt: number } | null;
}

interface UserStreams {
  readonly threads: Map<ThreadId, Stream>;
  readonly runs: Map<RunId, Stream>;
}

/** All streams, by user and thread. Maps within maps: no key is ever made by joining two names. */
export class Streams {
  readonly #users = new Map<UserId, UserStreams>();
  readonly #random: Random;
  readonly #epoch: Epoch;
  #runCount = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#epoch = newEpoch(random);
  }

  newEpoch(): Epoch {
    return newEpoch(this.#random);
  }

  find(key: StreamKey): Stream | undefined {
    return this.#users.get(key.user)?.threads.get(key.thread);
  }

  /** The stream, made if it is unknown. */
  open(key: StreamKey): Stream {
    const user = this.#userOf(key.user);
    let stream = user.threads.get(key.thread);
    if (stream === undefined) {
      stream = {
        key: { user: key.user, thread: key.thread },
        epoch: this.#epoch,
        token: 0,
        writer: null,
        head: 0,
        entries: new KeptEntries(),
        messages: new Map(),
        runs: new Map(),
        thread: null,
      };
      user.threads.set(key.thread, stream);
    }
    return stream;
  }

  ofUser(user: UserId): Iterable<Stream> {
    return this.#users.get(user)?.threads.values() ?? [];
  }

  *all(): Iterable<Stream> {
    for (const user of this.#users.values()) yield* user.threads.values();
  }

  findRun(user: UserId, run: RunId): KeptRun | undefined {
    return this.#users.get(user)?.runs.get(run)?.runs.get(run);
  }

  /** Inserts or replaces a run. It belongs to `stream`, whatever its record says. */
  putRun(stream: Stream, record: RunRecord, now: number): void {
    const known = stream.runs.get(record.id);
    const endedAt = record.state === 'ended' ? (known?.endedAt ?? now) : null;
    stream.runs.set(record.id, { record: { ...record, ...stream.key }, seq: known?.seq ?? ++this.#runCount, endedAt });
    this.#userOf(stream.key.user).runs.set(record.id, stream);
  }

  stateOf(stream: Stream | undefined): StreamState {
    if (stream === undefined) return { epoch: this.#epoch, first: 1, head: 0, activeRun: null };
    const active = openRunsOf(stream).toSorted((a, b) => Number(b.record.state === 'running') - Number(a.record.state === 'running') || a.seq - b.seq)[0]
      ?.record;
    return {
      epoch: stream.epoch,
      first: firstOf(stream),
      head: stream.head,
      activeRun: active === undefined ? null : { id: active.id, firstOffset: active.firstOffset },
    };
  }

  #userOf(id: UserId): UserStreams {
    let user = this.#users.get(id);
    if (user === undefined) {
      user = { threads: new Map(), runs: new Map() };
      this.#users.set(id, user);
    }
    return user;
  }
}

export const firstOf = (stream: Stream): number => stream.entries.first ?? stream.head + 1;

/** Runs of a stream that have not ended, in order of arrival. */
export const openRunsOf = (stream: Stream): readonly KeptRun[] =>
  [...stream.runs.values()].filter((run) => run.endedAt === null).toSorted((a, b) => a.seq - b.seq);

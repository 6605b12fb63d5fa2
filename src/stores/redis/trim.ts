import type { LogStore, StreamKey } from '../../ports/store.ts';
import type { Connection } from './connection.ts';
import { type Noted, SETTLE_AFTER_MS, type StreamIndex } from './stream-index.ts';
import { keyOf, nameOf, streamKeys } from './stream-keys.ts';

/** Streams looked at in one go, and entries of each: no script holds up the server for longer than some milliseconds. */
const STREAMS_AT_ONCE = 50;
const ENTRIES_AT_ONCE = 500;
/** Streams that one call looks at. */
const STREAMS_A_CALL = 5_000;

type TrimRequest = Parameters<LogStore['trim']>[0];

interface Trimmed {
  readonly key: StreamKey;
  readonly hasDropped: boolean;
  readonly first: number;
  readonly hasMore: boolean;
  /** When the oldest entry came to its end, by the store's clock; null with none. */
  readonly oldestEnd: number | null;
  readonly bytes: number;
}

/** Applies retention to streams that may need it, and clears up what is noted of streams on the way. */
export function createTrim(connection: Connection, index: StreamIndex): LogStore['trim'] {
  async function trimAll(keys: readonly StreamKey[], o: TrimRequest): Promise<readonly Trimmed[]> {
    const outcomes = await connection.runAll(
      'stream-trim',
      keys.map((key) => {
        const k = streamKeys(connection.keys, key);
        return { keys: [k.stream, k.log, k.bytes, k.open, k.user.runs], args: [o.keepMs, o.streamBytes, ENTRIES_AT_ONCE] };
      }),
      connection.logDeadlineMs,
    );
    return outcomes.flatMap((outcome, i) => {
      if (!outcome.ok) {
        // What is kept of it is broken, and stays so: it keeps no other from being trimmed.
        if (outcome.error.code === 'SPILLWAY_STORE_BROKEN') return [];
        throw outcome.error;
      }
      const [dropped, first, more, end, bytes] = outcome.answer as readonly string[];
      return {
        key: keys[i] as StreamKey,
        hasDropped: dropped === '1',
        first: Number(first),
        hasMore: more === '1',
        oldestEnd: end === '' ? null : Number(end),
        bytes: Number(bytes),
      };
    });
  }

  /** To the end, a piece of each at a time. */
  async function trimWholly(keys: readonly StreamKey[], o: TrimRequest): Promise<readonly Trimmed[]> {
    const done = new Map<StreamKey, Trimmed>();
    let left = keys;
    while (left.length > 0) {
      const found = await trimAll(left, o);
      for (const one of found) done.set(one.key, { ...one, hasDropped: one.hasDropped || done.get(one.key)?.hasDropped === true });
      left = found.filter((one) => one.hasMore).map((one) => one.key);
    }
    return [...done.values()];
  }

  async function settle(found: readonly Trimmed[], old: ReadonlyMap<string, Noted>, large: ReadonlyMap<string, Noted>): Promise<void> {
    const ages: (Noted & { to: number | null })[] = [];
    const sizes: (Noted & { to: number | null })[] = [];
    for (const one of found) {
      const name = nameOf(one.key);
      const [age, size] = [old.get(name), large.get(name)];
      if (age !== undefined) ages.push({ ...age, to: one.oldestEnd });
      if (size !== undefined) sizes.push({ ...size, to: one.bytes === 0 ? null : one.bytes });
    }
    await index.settle('age', ages);
    await index.settle('size', sizes);
  }

  /** Takes out streams that are noted to have open runs and have none. */
  async function settleOpen(): Promise<void> {
    const { now, streams } = await index.openSince(SETTLE_AFTER_MS, STREAMS_A_CALL);
    for (let i = 0; i < streams.length; i += STREAMS_AT_ONCE) {
      const some = streams.slice(i, i + STREAMS_AT_ONCE);
      const outcomes = await connection.runAll(
        'stream-closed',
        some.map(({ name }) => ({ keys: [streamKeys(connection.keys, keyOf(name)).stream], args: [] })),
        connection.logDeadlineMs,
      );
      const known = some.flatMap((noted, n) => {
        const outcome = outcomes[n];
        return outcome?.ok === true ? [{ ...noted, to: outcome.answer === '1' ? null : now }] : [];
      });
      await index.settle('open', known);
    }
  }

  return async (o) => {
    const { old, large } = await index.due(o.keepMs, o.streamBytes, STREAMS_A_CALL);
    const [byAge, bySize] = [old, large].map((notes) => new Map(notes.map((noted) => [noted.name, noted]))) as [Map<string, Noted>, Map<string, Noted>];
    const names = [...new Set([...byAge.keys(), ...bySize.keys()])];
    const dropped: { readonly key: StreamKey; readonly first: number }[] = [];
    for (let i = 0; i < names.length && dropped.length < o.streams; ) {
      const some = names.slice(i, i + Math.min(STREAMS_AT_ONCE, o.streams - dropped.length));
      i += some.length;
      const found = await trimWholly(some.map(keyOf), o);
      for (const { key, hasDropped, first } of found) if (hasDropped) dropped.push({ key, first });
      await settle(found, byAge, bySize);
    }
    await settleOpen();
    return dropped;
  };
}

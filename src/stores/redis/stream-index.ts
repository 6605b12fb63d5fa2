import type { StreamKey } from '../../ports/store.ts';
import type { Argument, Connection } from './connection.ts';
import { readPairs } from './records.ts';
import { keyOf, nameOf } from './stream-keys.ts';

/** Streams with open runs are looked at so long after it was noted: not while the first of them still runs. */
export const SETTLE_AFTER_MS = 60_000;
/** Streams below are not noted by size: they are found by age alone, or because all are looked at. */
const SIZE_NOTED_FROM_BYTES = 65_536;
const PAGE = 500;
/** Sizes remembered here; of others the size is noted once more. */
const SIZES_KEPT = 10_000;

export interface Noted {
  readonly name: string;
  readonly score: string;
}

/** Where streams of all users stand together: those with entries to drop one day, those with runs. They cannot share a slot with the
 *  streams. So a stream is noted here before it says of itself that it is, and what is noted in vain is taken out by whoever meets it. */
export class StreamIndex {
  readonly #connection: Connection;
  readonly #ages: string;
  readonly #sizes: string;
  readonly #open: string;
  /** Power of two of the bytes of large streams, as noted by this process. */
  readonly #bands = new Map<string, number>();

  constructor(connection: Connection) {
    this.#connection = connection;
    const { keys } = connection;
    // No user's id is spelled so.
    [this.#ages, this.#sizes, this.#open] = ['age', 'size', 'open'].map((part) => keys.shared('{!}', part)) as [string, string, string];
  }

  /** Notes streams that are about to be written to. */
  async touch(streams: readonly { readonly key: StreamKey; readonly isOpen: boolean }[]): Promise<void> {
    const args = streams.flatMap(({ key, isOpen }) => [nameOf(key), isOpen ? '1' : '0']);
    await this.#run('streams-touch', [this.#ages, this.#open], args);
  }

  /** Notes the size of streams that doubled. What cannot be noted now is noted with the next append. */
  async grown(streams: readonly { readonly key: StreamKey; readonly bytes: number }[]): Promise<void> {
    const args: Argument[] = [];
    const changed: (readonly [string, number])[] = [];
    for (const { key, bytes } of streams) {
      if (bytes < SIZE_NOTED_FROM_BYTES) {
        if (this.#bands.size > 0) this.#bands.delete(nameOf(key));
        continue;
      }
      const name = nameOf(key);
      const band = Math.floor(Math.log2(bytes));
      if (this.#bands.get(name) === band) continue;
      args.push(bytes, name);
      changed.push([name, band]);
    }
    if (args.length === 0) return;
    await this.#run('streams-size', [this.#sizes], args);
    if (this.#bands.size > SIZES_KEPT) this.#bands.clear();
    for (const [name, band] of changed) this.#bands.set(name, band);
  }

  /** Streams that may have something to drop, at most about `most`. */
  async due(keepMs: number, streamBytes: number, most: number): Promise<{ readonly old: readonly Noted[]; readonly large: readonly Noted[] }> {
    // With a bound below what is noted, any may be too large.
    const age = streamBytes < 2 * SIZE_NOTED_FROM_BYTES ? 0 : keepMs;
    const old: Noted[] = [];
    const large: Noted[] = [];
    for (let skip = 0; skip < most; skip += PAGE) {
      const answer = (await this.#run('streams-due', [this.#ages, this.#sizes], [age, streamBytes, PAGE, skip])) as readonly [string[], string[]];
      old.push(...readPairs(answer[0]));
      large.push(...readPairs(answer[1]));
      if (answer[0].length < 2 * PAGE && answer[1].length < 2 * PAGE) break;
    }
    return { old, large };
  }

  /** All streams noted to have open runs. A scan: no stream that stands there all the time is missed, however many come and go. */
  async open(): Promise<readonly StreamKey[]> {
    const names = new Set<string>();
    for (let cursor = ''; cursor !== '0'; ) {
      const answer = await this.#connection.command('ZSCAN', [this.#open, cursor || '0', 'COUNT', PAGE], this.#connection.logDeadlineMs);
      const [next, page] = answer as readonly [string, string[]];
      for (const { name } of readPairs(page)) names.add(name);
      cursor = next;
    }
    return [...names].map(keyOf);
  }

  /** Streams noted `agoMs` ago or earlier to have open runs, at most about `most`. */
  async openSince(agoMs: number, most: number): Promise<{ readonly now: number; readonly streams: readonly Noted[] }> {
    const streams: Noted[] = [];
    for (let skip = 0; ; skip += PAGE) {
      const [now, page] = (await this.#run('streams-open', [this.#open], [agoMs, PAGE, skip])) as readonly [string, string[]];
      streams.push(...readPairs(page));
      if (page.length < 2 * PAGE || streams.length >= most) return { now: Number(now), streams };
    }
  }

  /** Corrects notes that nobody has renewed since they were read; `to` null takes one out. */
  async settle(what: 'age' | 'size' | 'open', notes: readonly (Noted & { readonly to: number | null })[]): Promise<void> {
    if (notes.length === 0) return;
    const key = { age: this.#ages, size: this.#sizes, open: this.#open }[what];
    await this.#run(
      'streams-settle',
      [key],
      notes.flatMap(({ name, score, to }) => [name, score, to === null ? '' : to]),
    );
  }

  #run(name: string, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.#connection.run(name, keys, args, this.#connection.logDeadlineMs);
  }
}

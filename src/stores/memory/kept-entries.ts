import type { LogEntry } from '../../ports/store.ts';
import { looksLikeDelta } from '../../protocol/delta-json.ts';
import { bytesOf } from '../retention.ts';
import { PackedDeltas } from './packed-deltas.ts';

/** One retained entry. */
export interface KeptEntry {
  readonly entry: LogEntry;
  /** UTF-8 bytes of its data. */
  readonly bytes: number;
  /** By the store's clock; of a packed one, when its pack was begun. */
  readonly storedAt: number;
}

/** The retained entries of one stream, ascending and gapless. Deltas of one text are kept packed. */
export class KeptEntries {
  #blocks: (KeptEntry | PackedDeltas)[] = [];
  /** Entries before it have been dropped, out of a pack too. */
  #first = 0;
  #bytes = 0;

  /** First retained offset; null when nothing is retained. */
  get first(): number | null {
    return this.#blocks.length === 0 ? null : this.#first;
  }

  /** UTF-8 bytes of all data. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `packed`: whether it may stand in a pack, whose entries share the time at which they were stored. */
  push(entry: LogEntry, storedAt: number, packed: boolean): void {
    const bytes = bytesOf(entry.data);
    this.#bytes += bytes;
    if (this.#blocks.length === 0) this.#first = entry.offset;
    if (!packed || !looksLikeDelta(entry.data) || !this.#pack(entry)) this.#blocks.push({ entry: { ...entry }, bytes, storedAt });
  }

  /** Puts `entry` to its neighbour. False: the two do not go together. */
  #pack(entry: LogEntry): boolean {
    const last = this.#blocks.at(-1);
    if (last instanceof PackedDeltas) return last.add(entry);
    const pack = last === undefined ? null : PackedDeltas.of(last.entry, last.storedAt);
    if (pack === null || !pack.add(entry)) return false;
    this.#blocks[this.#blocks.length - 1] = pack;
    return true;
  }

  /** Entries from `from` on. */
  *from(from: number): Iterable<KeptEntry> {
    const start = Math.max(from, this.#first);
    for (let i = this.#blockOf(start); i < this.#blocks.length; i++) {
      const block = this.#blocks[i] as KeptEntry | PackedDeltas;
      if (!(block instanceof PackedDeltas)) yield block;
      else for (const entry of block.entries(start)) yield { entry, bytes: bytesOf(entry.data), storedAt: block.storedAt };
    }
  }

  /** Index of the block that holds `offset`, which is not before the first. */
  #blockOf(offset: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lastOf(this.#blocks[middle] as KeptEntry | PackedDeltas) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Drops entries up to and including `offset`, which have `bytes`. */
  drop(offset: number, bytes: number): void {
    this.#blocks.splice(0, this.#blockOf(offset + 1));
    this.#first = offset + 1;
    this.#bytes -= bytes;
  }
}

const lastOf = (block: KeptEntry | PackedDeltas): number => (block instanceof PackedDeltas ? block.last : block.entry.offset);

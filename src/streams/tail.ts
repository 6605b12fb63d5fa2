import type { LogEntry } from '../ports/store.ts';

/** The recent entries of a stream: those not yet confirmed by the store, and those that a follower may still want. It is empty
 *  in a stream that nobody is behind in, so that an idle conversation costs nothing. */
export class Tail {
  readonly #entries: LogEntry[] = [];
  /** UTF-8 bytes of each as a frame, counted once for all followers. */
  readonly #sizes: number[] = [];
  #bytes = 0;

  /** Bytes of frames held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** First offset held, or null. */
  get first(): number | null {
    return this.#entries[0]?.offset ?? null;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** `bytes`: UTF-8 bytes as a frame. */
  push(entry: LogEntry, bytes: number): void {
    this.#entries.push(entry);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
  }

  /** Entries from `from` to `to`, at most `maxBytes` of frames but at least one; null when the tail does not reach back to `from`. */
  slice(from: number, to: number, maxBytes: number): readonly LogEntry[] | null {
    const first = this.first;
    if (first === null || from < first) return null;
    const taken: LogEntry[] = [];
    let bytes = 0;
    for (let i = from - first; i < this.#entries.length; i++) {
      const entry = this.#entries[i] as LogEntry;
      const size = this.#sizes[i] as number;
      if (entry.offset > to || (taken.length > 0 && bytes + size > maxBytes)) break;
      taken.push(entry);
      bytes += size;
    }
    return taken;
  }

  /** Forgets entries up to and including `offset`, oldest first, as long as more than `keepBytes` are held. */
  drop(offset: number, keepBytes: number): void {
    let count = 0;
    while (count < this.#entries.length && this.#bytes > keepBytes) {
      const entry = this.#entries[count] as LogEntry;
      if (entry.offset > offset) break;
      this.#bytes -= this.#sizes[count] as number;
      count++;
    }
    if (count === 0) return;
    if (count === this.#entries.length) {
      this.clear();
      return;
    }
    this.#entries.splice(0, count);
    this.#sizes.splice(0, count);
  }

  clear(): void {
    // Emptied, not replaced: an array that is dropped with what it holds may be old by then, and lets the young strings grow old too.
    this.#entries.length = 0;
    this.#sizes.length = 0;
    this.#bytes = 0;
  }
}

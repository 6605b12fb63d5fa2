import type { LogEntry, LogStore, StreamKey } from '../../src/ports/store.ts';

/** Remembers what was ever seen at an offset of an epoch: whoever came back with that position would take it for seen. */
export class OffsetsWitness {
  readonly #seen = new Map<string, string>();

  /** What stands there now. Throws if it is not what stood there before. */
  saw(epoch: string, entries: readonly Pick<LogEntry, 'offset' | 'data'>[]): void {
    for (const { offset, data } of entries) {
      const place = `${epoch}/${offset}`;
      const before = this.#seen.get(place);
      if (before !== undefined && before !== data) throw new Error(`Expected ${before} at ${place} as it was seen before, got ${data}.`);
      this.#seen.set(place, data);
    }
  }

  /** Reads a stream as a client does that trusts the epoch it was told, and holds it against what was seen before. */
  async read(log: LogStore, key: StreamKey): Promise<{ readonly epoch: string; readonly head: number }> {
    const { epoch, head } = await log.state(key);
    const entries = await log.read(key, 0, 1e9);
    if ((await log.state(key)).epoch === epoch) this.saw(epoch, entries);
    return { epoch, head };
  }
}

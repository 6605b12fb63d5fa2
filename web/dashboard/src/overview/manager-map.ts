/** The map of managers as the gateway sends it: one byte a cell. */

import type { MapUpdate } from 'spillway/admin';

export const CELL_VERDICTS = ['nobody', 'healthy', 'idle', 'suspect', 'zombie', 'inactive', 'unknown'] as const;

export interface Cell {
  readonly verdict: (typeof CELL_VERDICTS)[number];
  readonly tier: number;
  readonly run: boolean;
  readonly visible: boolean;
  readonly burst: boolean;
}

export const verdictOf = (byte: number): Cell['verdict'] => CELL_VERDICTS[byte & 7] ?? 'unknown';

export const cellOf = (byte: number): Cell => ({
  verdict: verdictOf(byte),
  tier: (byte >> 3) & 3,
  run: (byte & 32) !== 0,
  visible: (byte & 64) !== 0,
  burst: (byte & 128) !== 0,
});

export class ManagerMap {
  #cells = new Uint8Array();

  get cells(): Uint8Array {
    return this.#cells;
  }

  take({ whole, size, runs }: MapUpdate): void {
    if (whole || size !== this.#cells.length) {
      const before = this.#cells;
      this.#cells = new Uint8Array(size);
      if (!whole) this.#cells.set(before.subarray(0, size));
    }
    for (const [first, text] of runs) {
      const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
      this.#cells.set(bytes.subarray(0, Math.max(0, size - first)), first);
    }
  }

  /** How many managers of each tier have each verdict. */
  counts(tiers: number): readonly Readonly<Record<string, number>>[] {
    const counts = Array.from({ length: tiers }, () => Object.fromEntries(CELL_VERDICTS.map((verdict) => [verdict, 0])) as Record<string, number>);
    for (const byte of this.#cells) {
      const row = counts[(byte >> 3) & 3];
      const verdict = verdictOf(byte);
      if (row !== undefined) row[verdict] = (row[verdict] ?? 0) + 1;
    }
    return counts;
  }
}

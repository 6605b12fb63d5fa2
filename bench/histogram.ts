/** Times in buckets of 1/16 of an octave: every value is known to 6 %, and a row of results stays short. */

const PER_OCTAVE = 16;

/** Lower bound of a bucket in microseconds, and how many values fell into it. */
export type Buckets = readonly (readonly [lowUs: number, count: number])[];

export class Histogram {
  readonly #counts = new Map<number, number>();

  add(us: number): void {
    const bucket = us < 1 ? 0 : Math.floor(Math.log2(us) * PER_OCTAVE) + 1;
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
  }

  get buckets(): Buckets {
    return [...this.#counts.entries()]
      .toSorted((a, b) => a[0] - b[0])
      .map(([bucket, count]) => [bucket === 0 ? 0 : Math.round(2 ** ((bucket - 1) / PER_OCTAVE)), count]);
  }
}

/** The value that `share` of all values do not exceed, in microseconds; null of none. */
export function quantileUs(buckets: Buckets, share: number): number | null {
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [lowUs, count] of buckets) {
    seen += count;
    if (seen >= share * total) return lowUs;
  }
  return null;
}

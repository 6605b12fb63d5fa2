/** Buckets a doubling of the value: neighbours are 2.2 % apart. */
const PER_OCTAVE = 32;
/** Values up to this one fall into the first bucket. */
const LEAST = 0.05;
const OCTAVES = 22;
const SIZE = PER_OCTAVE * OCTAVES;
const LEAST_LOG = Math.log2(LEAST);

/** How values of one span of time spread: percentiles within 1.2 % in 3 kB, however many values there are. For durations in
 *  milliseconds, 0.05 ms to 2 days. */
export class Spread {
  readonly #counts = new Uint32Array(SIZE);
  #count = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;

  add(value: number): void {
    const bucket = Math.min(SIZE - 1, Math.max(0, Math.ceil((Math.log2(value) - LEAST_LOG) * PER_OCTAVE)));
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#count++;
    if (value < this.#least) this.#least = value;
    if (value > this.#most) this.#most = value;
  }

  /** Takes over all values of another one. */
  merge(other: Spread): void {
    if (other.#count === 0) return;
    for (let i = 0; i < SIZE; i++) this.#counts[i] = (this.#counts[i] as number) + (other.#counts[i] as number);
    this.#count += other.#count;
    this.#least = Math.min(this.#least, other.#least);
    this.#most = Math.max(this.#most, other.#most);
  }

  /** The value below or at which a share of 0…1 of all values lie; null of none. */
  percentile(share: number): number | null {
    if (this.#count === 0) return null;
    const rank = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    let bucket = -1;
    while (seen < rank) seen += this.#counts[++bucket] as number;
    const middle = LEAST * 2 ** ((bucket - 0.5) / PER_OCTAVE);
    return Math.min(this.#most, Math.max(this.#least, middle));
  }

  clear(): void {
    if (this.#count === 0) return;
    this.#counts.fill(0);
    this.#count = 0;
    this.#least = Number.POSITIVE_INFINITY;
    this.#most = Number.NEGATIVE_INFINITY;
  }
}

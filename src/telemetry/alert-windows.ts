/** Samples of a figure that only rises, so that its increase within a window can be told. */

/** Samples a window keeps: of a window of 5 min one every 2.5 s at most, of one of 6 h one every 3 min. */
const SAMPLES = 120;

/** What rose: one number, or the buckets of a histogram. */
export type Sample = readonly number[];

/** The last samples of one figure. It holds `SAMPLES` of them, and one more from before its beginning. */
export class RisingWindow {
  readonly #withinMs: number;
  readonly #everyMs: number;
  readonly #samples: { readonly at: number; readonly sample: Sample }[] = [];

  constructor(withinMs: number) {
    this.#withinMs = withinMs;
    this.#everyMs = withinMs / SAMPLES;
  }

  /** Takes in what the figure is `at` this instant (monotonic milliseconds), and tells by how much it rose within the window. Before
   *  the window is full: since the first sample. */
  rise(at: number, sample: Sample): Sample {
    const samples = this.#samples;
    const last = samples.at(-1);
    if (last === undefined || at - last.at >= this.#everyMs) samples.push({ at, sample });
    // The newest sample from before the window is what the rise is measured from.
    while ((samples[1]?.at ?? Number.POSITIVE_INFINITY) <= at - this.#withinMs) samples.shift();
    const from = samples[0]?.sample ?? sample;
    return sample.map((value, index) => Math.max(0, value - (from[index] ?? 0)));
  }
}

import type { Attentive, Mono } from '../../core/clocks.ts';

/** Real time since instants of the attentive clock, which stands still while this process does: what is promised to others passes on
 *  theirs. */
export class RealTime {
  readonly #keepMs: number;
  /** The two clocks side by side, oldest first. */
  readonly #samples: { readonly at: Attentive; readonly mono: Mono }[] = [];

  /** Knows the last `keepMs` of attentive time. */
  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  /** To be told again and again where both clocks stand. */
  note(at: Attentive, mono: Mono): void {
    this.#samples.push({ at, mono });
    while (this.#samples.length > 2 && (this.#samples[1]?.at ?? at) <= at - this.#keepMs) this.#samples.shift();
  }

  /** Real milliseconds that the attentive clock has missed lately. */
  get missedMs(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    return first === undefined || last === undefined ? 0 : last.mono - first.mono - (last.at - first.at);
  }

  /** Real milliseconds since `at`, or since the oldest instant that it knows. Rather too many than too few, by less than was missed
   *  between two of its notes. */
  since(at: Attentive, mono: Mono): number {
    const sample = this.#samples.findLast((one) => one.at <= at) ?? this.#samples[0];
    return sample === undefined ? 0 : mono - sample.mono - Math.max(0, at - sample.at);
  }
}

/** Figures of alerts, as one gateway reads them from its own metrics. */

import type { Figure, Match, Series } from './alert-conditions.ts';
import { RisingWindow, type Sample } from './alert-windows.ts';

/** One series of a metric as it stands. Of a histogram: one of its buckets, with the label `le`. */
export interface Reading {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** All series of the metrics that alerts look at, by the name without prefix. */
export type Readings = ReadonlyMap<string, readonly Reading[]>;

/** Evaluates figures instant by instant and keeps what their windows need. A figure is known by its identity, so that a table of alerts
 *  is made once and kept. */
export class FigureReader {
  readonly #windows = new Map<Figure, RisingWindow>();
  readonly #signs = new Map<Figure, { value: number | null; heardMs: number }>();
  /** Time that this process had for looking; its own pauses do not count as anybody's silence. */
  #attentiveMs = 0;
  #at = 0;
  #readings: Readings = new Map();

  /** The next instant. `at` is monotonic; `maxStepMs` is the most time that counts as passed since the one before. */
  step(at: number, readings: Readings, maxStepMs: number): void {
    if (this.#readings.size > 0) this.#attentiveMs += Math.min(at - this.#at, maxStepMs);
    this.#at = at;
    this.#readings = readings;
  }

  /** What a figure is at this instant; null if there is nothing to look at. Each figure that looks back must be asked for at every
   *  instant. */
  value(figure: Figure): number | null {
    switch (figure.is) {
      case 'now': {
        const matching = this.#matching(figure.of);
        return matching.length === 0 ? null : sum(matching);
      }
      case 'increase':
        return sum(this.#rise(figure, figure.withinMs, [sumOf(this.#matching(figure.of))]));
      case 'per-minute':
        return (sum(this.#rise(figure, figure.withinMs, [sumOf(this.#matching(figure.of))])) / figure.withinMs) * 60_000;
      case 'quantile': {
        const buckets = bucketsOf(this.#matching(figure.of));
        const rise = this.#rise(
          figure,
          figure.withinMs,
          buckets.map(({ count }) => count),
        );
        return quantileIn(
          figure.quantile,
          buckets.map(({ upTo }) => upTo),
          rise,
        );
      }
      case 'share': {
        const [part, whole] = [this.value(figure.part), this.value(figure.whole)];
        return part === null || whole === null || whole === 0 ? null : part / whole;
      }
      case 'silence':
        return this.#silence(figure) / 1_000;
      case 'at-least': {
        const value = this.value(figure.of);
        return value === null ? null : Math.max(figure.least, value);
      }
    }
  }

  #matching({ metric, match = {} }: Series): readonly Reading[] {
    const wanted = Object.entries(match);
    return (this.#readings.get(metric) ?? []).filter(({ labels }) => wanted.every(([label, one]) => fits(String(labels[label] ?? ''), one)));
  }

  #rise(figure: Figure, withinMs: number, sample: Sample): Sample {
    let window = this.#windows.get(figure);
    if (window === undefined) {
      window = new RisingWindow(withinMs);
      this.#windows.set(figure, window);
    }
    return window.rise(this.#at, sample);
  }

  /** Measured from when the value changed, on our own time: the clock that wrote it may step. */
  #silence(figure: Extract<Figure, { is: 'silence' }>): number {
    const value = this.#matching(figure.of)[0]?.value ?? null;
    const known = this.#signs.get(figure);
    if (known === undefined || known.value !== value) {
      this.#signs.set(figure, { value, heardMs: this.#attentiveMs });
      return 0;
    }
    return this.#attentiveMs - known.heardMs;
  }
}

function fits(value: string, wanted: Match[string]): boolean {
  if (typeof wanted === 'string') return value === wanted;
  return 'not' in wanted ? value !== wanted.not : wanted.includes(value);
}

const sum = (of: readonly number[] | readonly Reading[]): number => {
  let total = 0;
  for (const one of of) total += typeof one === 'number' ? one : one.value;
  return total;
};
const sumOf = (readings: readonly Reading[]): number => sum(readings);

/** Buckets of a histogram by their upper bound, each holding what is below it; series that differ in other labels are added. */
function bucketsOf(readings: readonly Reading[]): readonly { readonly upTo: number; readonly count: number }[] {
  const counts = new Map<number, number>();
  for (const { labels, value } of readings) {
    if (labels.le === undefined) continue;
    const upTo = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
    counts.set(upTo, (counts.get(upTo) ?? 0) + value);
  }
  return [...counts].map(([upTo, count]) => ({ upTo, count })).sort((a, b) => (a.upTo < b.upTo ? -1 : 1));
}

/** As Prometheus does it: linear inside a bucket, and no more than the last bound that is finite. Null if nothing was taken in. */
export function quantileIn(quantile: number, bounds: readonly number[], counts: readonly number[]): number | null {
  const total = counts.at(-1) ?? 0;
  if (total === 0) return null;
  const rank = quantile * total;
  const index = counts.findIndex((count) => count >= rank);
  const upper = bounds[index] ?? Number.POSITIVE_INFINITY;
  if (upper === Number.POSITIVE_INFINITY) return bounds.at(-2) ?? null;
  const lower = index === 0 ? 0 : (bounds[index - 1] ?? 0);
  const below = index === 0 ? 0 : (counts[index - 1] ?? 0);
  const inside = (counts[index] ?? 0) - below;
  return inside === 0 ? upper : lower + ((upper - lower) * (rank - below)) / inside;
}

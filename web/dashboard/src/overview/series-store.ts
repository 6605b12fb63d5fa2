/** The history of the figures as columns, the way charts want them. */

import { SERIES, type SeriesName, type SeriesRange, type SeriesUpdate } from 'spillway/admin';

/** Points of each range that the gateway keeps. */
const KEEPS: Readonly<Record<SeriesRange, number>> = { '15m': 900, '24h': 1_440, '7d': 1_008 };

const MINUTE_MS = 60_000;

export type Values = readonly (number | null)[];

export class SeriesStore {
  #at: number[] = [];
  #columns: (number | null)[][] = SERIES.map(() => []);
  stepMs = 1_000;

  take({ range, stepMs, whole, points }: SeriesUpdate): void {
    this.stepMs = stepMs;
    if (whole) {
      this.#at = [];
      this.#columns = SERIES.map(() => []);
    }
    const newest = this.#at.at(-1) ?? Number.NEGATIVE_INFINITY;
    for (const [at, ...values] of points) {
      if (at == null || at <= newest) continue;
      this.#at.push(at);
      this.#columns.forEach((column, i) => {
        column.push(values[i] ?? null);
      });
    }
    const surplus = this.#at.length - KEEPS[range];
    if (surplus <= 0) return;
    this.#at.splice(0, surplus);
    for (const column of this.#columns) column.splice(0, surplus);
  }

  /** Milliseconds since the Unix epoch, oldest first. */
  get at(): readonly number[] {
    return this.#at;
  }

  of(name: SeriesName): Values {
    return this.#columns[SERIES.indexOf(name)] ?? [];
  }

  /** What a rate adds up to in the minute before each point; where a step is longer, its mean over the step. */
  inAMinute(name: SeriesName): Values {
    const rates = this.of(name);
    const steps = Math.max(1, Math.round(MINUTE_MS / this.stepMs));
    const perStep = Math.min(this.stepMs, MINUTE_MS) / 1_000;
    let sum = 0;
    return rates.map((rate, i) => {
      sum += (rate ?? 0) - (i < steps ? 0 : (rates[i - steps] ?? 0));
      if (rate === null) return null;
      const found = sum * perStep;
      // A rate is a count by the time that its second really took, which is seldom a whole one.
      return this.stepMs <= MINUTE_MS ? Math.round(found) : found;
    });
  }
}

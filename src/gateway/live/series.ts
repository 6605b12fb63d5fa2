import type { LiveUpdate, SeriesRange } from '../../protocol/live.ts';
import type { History, Point } from '../../telemetry/history.ts';
import type { Source } from './source.ts';

const EVERY_MS = 1_000;

/** One range of the history: all of it to begin with, then each new point. */
export class SeriesTail implements Source {
  readonly everyMs = EVERY_MS;
  readonly stamp = 0;
  readonly #history: History;
  readonly #range: SeriesRange;
  readonly #stop: () => void;
  #fresh: Point[] = [];
  #news: readonly Point[] = [];

  constructor(history: History, range: SeriesRange) {
    this.#history = history;
    this.#range = range;
    this.#stop = history.onPoint(range, (point) => this.#fresh.push(point));
  }

  look(): void {
    this.#news = this.#fresh;
    this.#fresh = [];
  }

  news(): string | null {
    return this.#news.length === 0 ? null : this.#told(false, this.#news);
  }

  /** What came after the last look is told by the next one. */
  whole(): string {
    const points = this.#history.points(this.#range);
    return this.#told(true, points.slice(0, points.length - this.#fresh.length));
  }

  end(): void {
    this.#stop();
  }

  #told(whole: boolean, points: readonly Point[]): string {
    const range = this.#range;
    return JSON.stringify({ of: 'series', range, stepMs: this.#history.stepMs(range), whole, points: points.map(rounded) } satisfies LiveUpdate);
  }
}

/** Three digits behind the point: more cannot be seen, and each costs a byte. */
const rounded = (point: Point): Point => point.map((value) => (value === null ? null : Math.round(value * 1_000) / 1_000));

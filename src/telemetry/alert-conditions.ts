/** What an alert looks at and when it is true, as data: the same condition becomes an expression for Prometheus and is evaluated in a
 *  gateway over its own figures. */

import type { MetricName } from './metrics.ts';

/** A metric of ours, named without its prefix, and which of its series count: a label equals a value, is one of several, or is not one. */
export interface Series {
  readonly metric: MetricName;
  readonly match?: Match;
}
export type Match = Readonly<Record<string, string | readonly string[] | { readonly not: string }>>;

/** A number made of series. Where there is nothing to look at, such as a share of none, it is null, and no condition on it is true. */
export type Figure =
  /** Sum of a gauge. */
  | { readonly is: 'now'; readonly of: Series }
  /** By how much counters rose within the last `withinMs`, together. */
  | { readonly is: 'increase'; readonly of: Series; readonly withinMs: number }
  /** How much they rise a minute, averaged over the last `withinMs`. */
  | { readonly is: 'per-minute'; readonly of: Series; readonly withinMs: number }
  /** Of what a histogram, in seconds, took in within the last `withinMs`. */
  | { readonly is: 'quantile'; readonly quantile: number; readonly of: Series; readonly withinMs: number }
  /** Part of a whole, 0 … 1; null if the whole is 0. */
  | { readonly is: 'share'; readonly part: Figure; readonly whole: Figure }
  /** Seconds since a gauge, which holds the instant of a sign of life, was last set. */
  | { readonly is: 'silence'; readonly of: Series }
  /** The figure, but never less than this. */
  | { readonly is: 'at-least'; readonly least: number; readonly of: Figure };

export type Comparison = '>' | '>=' | '==';

export type Condition =
  | { readonly is: 'compare'; readonly figure: Figure; readonly how: Comparison; readonly than: number | Figure }
  | { readonly is: 'all'; readonly of: readonly Condition[] }
  | { readonly is: 'any'; readonly of: readonly Condition[] };

export const series = (metric: MetricName, match?: Match): Series => (match === undefined ? { metric } : { metric, match });
export const now = (metric: MetricName, match?: Match): Figure => ({ is: 'now', of: series(metric, match) });
export const increase = (of: Series, withinMs: number): Figure => ({ is: 'increase', of, withinMs });
export const perMinute = (of: Series, withinMs: number): Figure => ({ is: 'per-minute', of, withinMs });
export const quantile = (share: number, metric: MetricName, withinMs: number): Figure => ({ is: 'quantile', quantile: share, of: series(metric), withinMs });
export const share = (part: Figure, whole: Figure): Figure => ({ is: 'share', part, whole });
export const silence = (metric: MetricName): Figure => ({ is: 'silence', of: series(metric) });
export const atLeast = (least: number, of: Figure): Figure => ({ is: 'at-least', least, of });

export const above = (figure: Figure, than: number | Figure): Condition => ({ is: 'compare', figure, how: '>', than });
export const reaches = (figure: Figure, than: number): Condition => ({ is: 'compare', figure, how: '>=', than });
export const equals = (figure: Figure, than: number): Condition => ({ is: 'compare', figure, how: '==', than });
export const all = (...of: readonly Condition[]): Condition => ({ is: 'all', of });
export const any = (...of: readonly Condition[]): Condition => ({ is: 'any', of });

/** The figure that an alert shows as its value: the first that its condition compares; of alternatives that of the first which holds, so
 *  that the value explains why it fires. */
export function leadingFigure(condition: Condition, holds: (part: Condition) => boolean): Figure {
  if (condition.is === 'compare') return condition.figure;
  const first = (condition.is === 'any' ? condition.of.find(holds) : undefined) ?? condition.of[0];
  if (first === undefined) throw new Error('Expected a condition that compares something, got an empty list.');
  return leadingFigure(first, holds);
}

/** Every figure of a condition, those inside others too. */
export function figuresOf(condition: Condition): readonly Figure[] {
  if (condition.is !== 'compare') return condition.of.flatMap(figuresOf);
  return [...withParts(condition.figure), ...(typeof condition.than === 'number' ? [] : withParts(condition.than))];
}

function withParts(figure: Figure): readonly Figure[] {
  if (figure.is === 'share') return [figure, ...withParts(figure.part), ...withParts(figure.whole)];
  return figure.is === 'at-least' ? [figure, ...withParts(figure.of)] : [figure];
}

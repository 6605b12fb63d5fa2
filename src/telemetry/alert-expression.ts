/** Conditions of alerts as expressions for Prometheus. */

import type { Condition, Figure, Match, Series } from './alert-conditions.ts';
import type { Alert } from './alerts.ts';
import { PREFIX } from './metrics.ts';

/** What tells one gateway, or one deployment, from another among the targets of a Prometheus. */
const GROUPS = { node: 'job, instance', deployment: 'job' } as const satisfies Record<Alert['of'], string>;

/** The expression that has a series for every gateway, or deployment, for which the condition is true. */
export function expressionOf({ condition, of }: Pick<Alert, 'condition' | 'of'>): string {
  return conditionText(condition, GROUPS[of]);
}

function conditionText(condition: Condition, by: string): string {
  switch (condition.is) {
    case 'compare':
      return `${figureText(condition.figure, by)} ${condition.how} ${typeof condition.than === 'number' ? number(condition.than) : figureText(condition.than, by)}`;
    case 'all':
      return condition.of.map((one) => nested(one, by)).join(' and ');
    case 'any':
      return condition.of.map((one) => nested(one, by)).join(' or ');
  }
}

const nested = (condition: Condition, by: string): string => (condition.is === 'compare' ? conditionText(condition, by) : `(${conditionText(condition, by)})`);

function figureText(figure: Figure, by: string): string {
  switch (figure.is) {
    case 'now':
      return `sum by (${by}) (${selector(figure.of)})`;
    case 'increase':
      return `sum by (${by}) (increase(${selector(figure.of)}[${duration(figure.withinMs)}]))`;
    case 'per-minute':
      return `sum by (${by}) (rate(${selector(figure.of)}[${duration(figure.withinMs)}])) * 60`;
    case 'quantile':
      return `histogram_quantile(${figure.quantile}, sum by (${by}, le) (rate(${selector(figure.of, '_bucket')}[${duration(figure.withinMs)}])))`;
    case 'share':
      return `${figureText(figure.part, by)} / (${figureText(figure.whole, by)} > 0)`;
    case 'silence':
      return `time() - max by (${by}) (${selector(figure.of)})`;
    case 'at-least':
      return `clamp_min(${figureText(figure.of, by)}, ${figure.least})`;
  }
}

/** `spillway_x_total{level="force",outcome=~"burst|force"}`. */
export function selector({ metric, match = {} }: Series, suffix = ''): string {
  const labels = Object.entries(match).map(([label, wanted]) => `${label}${matcher(wanted)}`);
  return `${PREFIX}${metric}${suffix}${labels.length === 0 ? '' : `{${labels.join(',')}}`}`;
}

function matcher(wanted: Match[string]): string {
  if (typeof wanted === 'string') return `="${wanted}"`;
  return 'not' in wanted ? `!="${wanted.not}"` : `=~"${wanted.join('|')}"`;
}

/** As Prometheus spells times: `75s`, `10m`, `6h`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds > 0 && seconds % 3_600 === 0) return `${seconds / 3_600}h`;
  return seconds > 0 && seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

/** Without the dust of a floating point product: 0.00144, not 0.0014399999999999999. */
const number = (value: number): string => String(Number(value.toPrecision(12)));

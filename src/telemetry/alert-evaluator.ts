/** Evaluates all alerts in a gateway itself, for whoever has no Prometheus, and for the pages. */

import type { AlertBoard } from '../ports/alerts.ts';
import type { Clock } from '../ports/clock.ts';
import type { SpillwayEvents } from '../ports/events.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { AlertStatus } from '../protocol/live.ts';
import { type Comparison, type Condition, figuresOf, leadingFigure } from './alert-conditions.ts';
import { FigureReader, type Readings } from './alert-figures.ts';
import { type Alert, runbookOf } from './alerts.ts';
import type { MetricName } from './metrics.ts';

/** What is absolute fires within 15 s of its cause: one evaluation, and room for two that come late. */
export const EVALUATE_EVERY_MS = 5_000;

export interface EvaluatorOptions {
  readonly alerts: readonly Alert[];
  /** All series of these metrics as they stand. Where it rejects, the evaluation is left out and logged. */
  readonly read: (metrics: readonly MetricName[]) => Readings | Promise<Readings>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Told of every change, in order. */
  readonly changed: (change: SpillwayEvents['alert-changed']) => void;
}

export interface AlertEvaluator extends AlertBoard, Disposable {
  /** An evaluation now; they come every 5 s by themselves. */
  evaluate(): Promise<void>;
}

interface Standing {
  readonly alert: Alert;
  state: AlertStatus['state'];
  value: number | null;
  /** Monotonic, for `for`; wall, for people. Null while quiet. */
  since: { readonly mono: number; readonly wall: number } | null;
}

/** Starts at once; what had happened before its first evaluation raises no alert. Dispose it to stop. */
export function createAlertEvaluator({ alerts, read, clock, telemetry, changed }: EvaluatorOptions): AlertEvaluator {
  const standings = alerts.map((alert): Standing => ({ alert, state: 'quiet', value: null, since: null }));
  const metrics = [
    ...new Set(
      alerts.flatMap(({ condition }) => figuresOf(condition).flatMap((figure) => ('of' in figure && 'metric' in figure.of ? [figure.of.metric] : []))),
    ),
  ];
  const figures = new FigureReader();
  let isOver = false;
  let cancel = (): void => {};

  async function evaluate(): Promise<void> {
    const readings = await read(metrics);
    if (isOver) return;
    const at = { mono: clock.mono(), wall: clock.wall() };
    figures.step(at.mono, readings, 2 * EVALUATE_EVERY_MS);
    for (const standing of standings) settle(standing, at);
  }

  function settle(standing: Standing, at: NonNullable<Standing['since']>): void {
    const { alert } = standing;
    const isTrue = holds(alert.condition, figures);
    standing.value = figures.value(leadingFigure(alert.condition, (part) => holds(part, figures)));
    standing.since = isTrue ? (standing.since ?? at) : null;
    const state = standing.since === null ? 'quiet' : at.mono - standing.since.mono >= alert.forMs ? 'firing' : 'pending';
    if (state === standing.state) return;
    const was = standing.state;
    standing.state = state;
    log(standing, was);
    changed({ alert: alert.name, state, value: standing.value, summary: alert.summary });
  }

  /** What begins to wait is not worth a line; what fires and what ends is. */
  function log({ alert: { name, severity, summary, threshold }, state, value }: Standing, was: AlertStatus['state']): void {
    const fields = { alert: name, state, value, threshold, runbook: runbookOf({ name }) };
    if (state === 'firing')
      telemetry.record({ severity: severity === 'page' ? 'ERROR' : 'WARNING', event: 'alert-changed', message: `Alert ${name}: ${summary}`, ...fields });
    else if (was === 'firing') telemetry.record({ severity: 'INFO', event: 'alert-changed', message: `Alert ${name} is over.`, ...fields });
  }

  function turn(): void {
    evaluate()
      .catch((error: unknown) =>
        telemetry.record({
          severity: 'ERROR',
          event: 'alerts-not-evaluated',
          message: `The alerts could not be evaluated: ${error instanceof Error ? error.message : String(error)}`,
        }),
      )
      .finally(() => {
        if (!isOver) cancel = clock.after(EVALUATE_EVERY_MS, turn);
      });
  }

  turn();
  return {
    evaluate,
    statuses: () => standings.map(statusOf),
    [Symbol.dispose]() {
      isOver = true;
      cancel();
    },
  };
}

function statusOf({ alert, state, value, since }: Standing): AlertStatus {
  const { name, severity, threshold, summary } = alert;
  return { alert: name, severity, state, value, threshold, since: since?.wall ?? null, summary, runbook: runbookOf(alert) };
}

/** Looks at every part, also where one of them decides: windows need each instant. */
function holds(condition: Condition, figures: FigureReader): boolean {
  if (condition.is === 'compare') {
    const value = figures.value(condition.figure);
    const than = typeof condition.than === 'number' ? condition.than : figures.value(condition.than);
    return value !== null && than !== null && COMPARE[condition.how](value, than);
  }
  const parts = condition.of.map((one) => holds(one, figures));
  return condition.is === 'all' ? parts.every(Boolean) : parts.some(Boolean);
}

const COMPARE: Record<Comparison, (a: number, b: number) => boolean> = {
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '==': (a, b) => a === b,
};

/** A gateway evaluates its alerts itself; Prometheus evaluates expressions made from the same table. Shown the same figures, they agree. */

import { expect, test } from 'vitest';
import type { Clock } from '../../src/ports/clock.ts';
import { silent } from '../../src/ports/telemetry.ts';
import { createAlertEvaluator } from '../../src/telemetry/alert-evaluator.ts';
import type { Reading } from '../../src/telemetry/alert-figures.ts';
import { alertsOf } from '../../src/telemetry/alerts.ts';
import { SCENARIOS, type Scenario } from './rule-scenarios.ts';

const SAMPLE_MS = 15_000;
const EVALUATE_MS = 5_000;

/** `0 1x3 0+2x2` → 0, 1, 1, 1, 1, 0, 2, 4. */
function expand(values: string): readonly number[] {
  return values.split(' ').flatMap((token) => {
    const match = /^(\d+)(?:\+(\d+))?(?:x(\d+))?$/.exec(token);
    if (match === null) throw new Error(`Expected samples, got ${token}.`);
    const [first, step, times] = [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)];
    return Array.from({ length: times + 1 }, (_, index) => first + step * index);
  });
}

interface Shown {
  readonly metric: string;
  readonly labels: Reading['labels'];
  readonly samples: readonly number[];
}

function shown([series, values]: [string, string]): Shown {
  const [name = '', labels = ''] = series.replace('}', '').split('{');
  const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', value = '']) => [label, value]);
  return { metric: name.replace(/_bucket$/, ''), labels: Object.fromEntries(pairs), samples: expand(values) };
}

const msOf = (at: string): number => Number(/(\d+)m/.exec(at)?.[1] ?? 0) * 60_000 + Number(/(\d+)s/.exec(at)?.[1] ?? 0) * 1_000;

async function stateOf(scenario: Scenario): Promise<string | undefined> {
  const series = Object.entries(scenario.series).map(shown);
  let at = 0;
  const clock: Clock = { mono: () => at, wall: () => 1_700_000_000_000 + at, after: () => () => {}, soon: () => {} };
  const readingsOf = (metric: string): readonly Reading[] =>
    series.filter((one) => one.metric === metric).map(({ labels, samples }) => ({ labels, value: samples[Math.floor(at / SAMPLE_MS)] ?? samples.at(-1) ?? 0 }));
  using evaluator = createAlertEvaluator({
    alerts: alertsOf().filter(({ name }) => name === scenario.alert),
    read: (metrics) => new Map(metrics.map((metric) => [metric, readingsOf(metric)])),
    clock,
    telemetry: silent,
    changed: () => {},
  });
  for (; at <= msOf(scenario.at); at += EVALUATE_MS) await evaluator.evaluate();
  return evaluator.statuses()[0]?.state;
}

// Whether anybody is there at all is what only somebody outside can tell.
test.each(SCENARIOS.filter(({ cause }) => cause !== 'absent'))('$alert: $story', async (scenario) => {
  const state = await stateOf(scenario);
  if (scenario.fires) expect(state).toBe('firing');
  else expect(state).not.toBe('firing');
});

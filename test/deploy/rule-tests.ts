import { stringify } from 'yaml';
import { alertsOf } from '../../src/telemetry/alerts.ts';
import { SCENARIOS, type Scenario } from './rule-scenarios.ts';

const GATEWAY = { job: 'spillway', instance: 'gw-1' };

/** A file for `promtool test rules`: every scenario as a test of its own. */
export function ruleTests(rulesFile: string, scenarios: readonly Scenario[] = SCENARIOS): string {
  return stringify({
    rule_files: [rulesFile],
    evaluation_interval: '15s',
    tests: scenarios.map((scenario) => ({
      name: `${scenario.alert}: ${scenario.story}`,
      interval: '15s',
      input_series: Object.entries(scenario.series).map(([name, values]) => ({ series: named(name), values })),
      promql_expr_test: [
        {
          expr: `ALERTS{alertname="${scenario.alert}",alertstate="firing"}`,
          eval_time: scenario.at,
          exp_samples: scenario.fires ? [{ labels: labelsOf(scenario), value: 1 }] : [],
        },
      ],
    })),
  });
}

function named(series: string): string {
  const [name, labels = ''] = series.replace('}', '').split('{');
  const all = [...(labels === '' ? [] : [labels]), ...Object.entries(GATEWAY).map(([label, value]) => `${label}="${value}"`)];
  return `spillway_${name}{${all.join(',')}}`;
}

function labelsOf({ alert, deployment, cause }: Scenario): string {
  const severity = alertsOf().find(({ name }) => name === alert)?.severity ?? 'unknown';
  const { job, instance } = GATEWAY;
  const where = cause === 'absent' ? { cause } : deployment ? { job } : { job, instance };
  const labels = { alertname: alert, alertstate: 'firing', severity, ...where };
  return `ALERTS{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`;
}

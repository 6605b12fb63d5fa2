import type { Attributes, Counter, Histogram, Meter, ObservableResult } from '@opentelemetry/api';
import type { Instruments } from '../instruments.ts';
import { OTHER } from '../label-sets.ts';
import { METRICS, type MetricName, type MetricSpec } from '../metrics.ts';

const MS_PER_S = 1_000;

/** A metric's name and unit as OpenTelemetry spells them: `spillway.cleanup_runs`, `spillway.admission` in `s`. What turns them back into
 *  Prometheus' names puts `_total` and the unit behind them again. */
export function dotted(name: MetricName): { readonly name: string; readonly unit: string } {
  const seconds = name.replace(/_seconds$/, '');
  const bare = seconds.replace(/_bytes$/, '').replace(/_total$/, '');
  return { name: `spillway.${bare}`, unit: seconds !== name ? 's' : name.endsWith('_bytes') ? 'By' : '1' };
}

/** The metrics of the table as instruments of `meter`. Gauges are read when they are collected. */
export function createMeters(meter: Meter, tiers: readonly string[]): Instruments {
  const counters = new Map<MetricName, Counter>();
  const histograms = new Map<MetricName, Histogram>();
  const gauges = new Map<MetricName, Map<string, { readonly value: number; readonly labels: Attributes }>>();
  const known = new Set(tiers);
  const refreshes: (() => void)[] = [];
  const refresh = (): void => {
    for (const one of refreshes) one();
  };

  for (const [metric, { kind, help, buckets }] of Object.entries(METRICS) as [MetricName, MetricSpec][]) {
    const { name, unit } = dotted(metric);
    const options = { description: help, unit };
    if (kind === 'counter') counters.set(metric, meter.createCounter(name, options));
    else if (kind === 'histogram') {
      histograms.set(metric, meter.createHistogram(name, { ...options, advice: { explicitBucketBoundaries: [...(buckets ?? [])] } }));
    } else {
      const values: NonNullable<ReturnType<typeof gauges.get>> = new Map();
      gauges.set(metric, values);
      meter.createObservableGauge(name, options).addCallback((result: ObservableResult) => {
        if (metric === FIRST_GAUGE) refresh();
        for (const { value, labels } of values.values()) result.observe(value, labels);
      });
    }
  }

  return {
    count(name, labels = {}, by = 1) {
      counters.get(name)?.add(by, { ...labels });
    },
    time(name, ms, labels = {}) {
      histograms.get(name)?.record(ms / MS_PER_S, { ...labels });
    },
    set(name, value, labels = {}) {
      gauges.get(name)?.set(JSON.stringify(labels), { value, labels: { ...labels } });
    },
    follow(name, read) {
      let last = 0;
      refreshes.push(() => {
        const now = read();
        counters.get(name)?.add(now - last);
        last = now;
      });
    },
    beforeRead: (one) => refreshes.push(one),
    refresh,
    tier: (name) => (known.has(name) ? name : OTHER),
    tiers: [...known, OTHER],
  };
}

/** Collected before the others, which stand behind it in the table. */
const FIRST_GAUGE: MetricName = 'managers';

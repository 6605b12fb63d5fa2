import type { Registry } from 'prom-client';
import type { Reading, Readings } from './alert-figures.ts';
import { METRICS, type MetricName, PREFIX } from './metrics.ts';

/** The series of these metrics as a scrape would show them at this instant. `refresh` is called first. */
export async function readMetrics(registry: Pick<Registry, 'getSingleMetric'>, refresh: () => void, metrics: readonly MetricName[]): Promise<Readings> {
  refresh();
  return new Map(await Promise.all(metrics.map(async (name) => [name, await readingsOf(registry, name)] as const)));
}

async function readingsOf(registry: Pick<Registry, 'getSingleMetric'>, name: MetricName): Promise<readonly Reading[]> {
  const { values = [] } = (await registry.getSingleMetric(PREFIX + name)?.get()) ?? {};
  if (METRICS[name].kind !== 'histogram') return values.map(withLabels);
  // Of a histogram, sum and count come beside its buckets; only buckets have a bound.
  return values.map(withLabels).filter(({ labels }) => labels.le !== undefined);
}

const withLabels = ({ labels, value }: { readonly labels: object; readonly value: number }): Reading => ({
  labels: labels as Reading['labels'],
  value,
});

import { type Metric, Registry, type RegistryContentType } from 'prom-client';

/** Metrics as text, for whoever scrapes. */
export interface Exposition {
  /** Format as `accept` prefers: OpenMetrics, with exemplars, where it is asked for by name, else Prometheus' own. */
  read(accept: string | null): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** What a registry asks of a metric to print it. */
interface Printable {
  readonly name: string;
  readonly type: string;
  getForPromString(): Promise<Figures>;
}
interface Figures {
  readonly name: string;
}

/** Several registries as one text. `refresh` is called before each reading. */
export function createExposition(registries: readonly Registry<RegistryContentType>[], refresh: () => void): Exposition {
  const metrics = registries.flatMap((registry) => registry.getMetricsAsArray());
  // One registry a format: scrapes in two formats at the same time do not see each other's.
  const prometheus = new Registry();
  const openMetrics = new Registry<RegistryContentType>();
  openMetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const metric of metrics) {
    prometheus.registerMetric(metric as unknown as Metric);
    openMetrics.registerMetric(inOpenMetrics(metric as unknown as Printable) as unknown as Metric);
  }
  return {
    async read(accept) {
      refresh();
      const registry = accept?.includes('application/openmetrics-text') ? openMetrics : prometheus;
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

/** OpenMetrics names a counter without `_total` and its sample with it. The library would rename the counter itself, for every format. */
function inOpenMetrics(metric: Printable): Printable {
  if (metric.type !== 'counter') return metric;
  const name = metric.name.replace(/_total$/, '');
  return {
    name,
    type: metric.type,
    getForPromString: async () => ({ ...(await figuresOf(metric)), name }),
  };
}

/** Only histograms have a form of their own for printing. */
async function figuresOf(metric: Printable): Promise<Figures> {
  const get = (metric as unknown as { get(): Promise<Figures> }).get.bind(metric);
  return typeof metric.getForPromString === 'function' ? await metric.getForPromString() : await get();
}

import { Counter, Gauge, Histogram, type Registry, type RegistryContentType } from 'prom-client';
import { DISCONNECT_LABELS, evictionLabels, OTHER } from './label-sets.ts';
import { METRICS, type MetricName, type MetricSpec, PREFIX } from './metrics.ts';

type Labels = Readonly<Record<string, string>>;
type Kind<N extends MetricName> = (typeof METRICS)[N]['kind'];

/** The metrics of the table, ready to be counted, each series at 0. */
export interface Instruments {
  /** Adds to a counter. */
  count(name: Named<'counter'>, labels?: Labels, by?: number): void;
  /** Notes a duration of so many milliseconds. `exemplar`: what leads from this one to its trace or record. */
  time(name: Named<'histogram'>, ms: number, labels?: Labels, exemplar?: Labels): void;
  set(name: Named<'gauge'>, value: number, labels?: Labels): void;
  /** A counter that is kept elsewhere: its value when it is asked for. */
  follow(name: Named<'counter'>, read: () => number): void;
  /** What is to be set just before somebody reads. */
  beforeRead(refresh: () => void): void;
  /** Brings what is read and not counted up to this instant. To be called before the registry is read. */
  refresh(): void;
  /** A tier as labels spell it. */
  tier(name: string): string;
  /** All values that labels named `tier` take. */
  readonly tiers: readonly string[];
}
type Named<K extends MetricSpec['kind']> = { [N in MetricName]: Kind<N> extends K ? N : never }[MetricName];

/** Histograms whose observations lead to what they were observed of. */
const WITH_EXEMPLARS: readonly MetricName[] = ['admission_seconds', 'cleanup_seconds'];
const MS_PER_S = 1_000;

/** Puts every metric of the table into `registry`. `tiers`: those configured; others count as `other`. */
export function createInstruments(registry: Registry<RegistryContentType>, tiers: readonly string[]): Instruments {
  const counters = new Map<MetricName, Counter>();
  const gauges = new Map<MetricName, Gauge>();
  const histograms = new Map<MetricName, Histogram>();
  const known = new Set(tiers);
  const refreshes: (() => void)[] = [];

  for (const [name, spec] of Object.entries(METRICS) as [MetricName, MetricSpec][]) {
    const labelNames = Object.keys(spec.labels ?? {});
    const basics = { name: PREFIX + name, help: spec.help, labelNames, registers: [registry] };
    const series = seriesOf(name, spec, [...known, OTHER]);
    if (spec.kind === 'counter') {
      const counter = new Counter(basics);
      for (const labels of series) counter.inc(labels, 0);
      counters.set(name, counter);
    } else if (spec.kind === 'gauge') {
      const gauge = new Gauge(basics);
      for (const labels of series) gauge.set(labels, 0);
      gauges.set(name, gauge);
    } else {
      const isLinked = WITH_EXEMPLARS.includes(name);
      const histogram = new Histogram({ ...basics, buckets: [...(spec.buckets ?? [])], ...(isLinked ? { enableExemplars: true } : {}) });
      for (const labels of series) histogram.zero(labels);
      histograms.set(name, histogram);
    }
  }

  return {
    count(name, labels = {}, by = 1) {
      counters.get(name)?.inc(labels, by);
    },
    time(name, ms, labels = {}, exemplar = {}) {
      const histogram = histograms.get(name);
      const value = ms / MS_PER_S;
      if (WITH_EXEMPLARS.includes(name)) histogram?.observe({ labels, value, exemplarLabels: exemplar });
      else histogram?.observe(labels, value);
    },
    set(name, value, labels = {}) {
      gauges.get(name)?.set(labels, value);
    },
    follow(name, read) {
      let last = read();
      const counter = counters.get(name);
      counter?.inc(last);
      refreshes.push(() => {
        const now = read();
        counter?.inc(now - last);
        last = now;
      });
    },
    beforeRead: (one) => refreshes.push(one),
    refresh() {
      for (const one of refreshes) one();
    },
    tier: (name) => (known.has(name) ? name : OTHER),
    tiers: [...known, OTHER],
  };
}

/** Every combination of labels that there can be from the start. */
function seriesOf(name: MetricName, { labels = {} }: MetricSpec, tiers: readonly string[]): readonly Labels[] {
  if (name === 'evictions_total') return evictionLabels();
  if (name === 'disconnects_total') return DISCONNECT_LABELS.map(({ code, reason }) => ({ code, reason }));
  let series: Labels[] = [{}];
  for (const [label, set] of Object.entries(labels)) {
    // Only this process knows what its own labels say.
    if (set === 'text' || set === 'pairs') return [];
    const values = set === 'tiers' ? tiers : set;
    series = series.flatMap((one) => values.map((value) => ({ ...one, [label]: value })));
  }
  return series;
}

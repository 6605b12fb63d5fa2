import { Registry, type RegistryContentType } from 'prom-client';
import type { Clock } from '../ports/clock.ts';
import type { TelemetrySource } from '../ports/events.ts';
import type { Summary } from '../protocol/live.ts';
import type { Readings } from './alert-figures.ts';
import { readMetrics } from './alert-readings.ts';
import { countEvents, readFigures } from './counting.ts';
import { createExposition, type Exposition } from './exposition.ts';
import { createHistory, type History } from './history.ts';
import { createInstruments } from './instruments.ts';
import { sampleLoopLag } from './loop-lag.ts';
import type { MetricName } from './metrics.ts';
import { processMetrics } from './process-metrics.ts';
import { createSummarist } from './summary.ts';

/** What is measured of one gateway: as text for Prometheus, as series and figures for pages. */
export interface Observatory {
  readonly metrics: Exposition;
  /** Series of some metrics as values, for alerts. */
  read(metrics: readonly MetricName[]): Promise<Readings>;
  readonly history: History;
  summary(): Summary;
  stop(): void;
}

export interface ObservatoryOptions {
  readonly clock: Clock;
  /** Names of the configured tiers. */
  readonly tiers: readonly string[];
  /** `queue.waitMs`. */
  readonly waitMs: number;
  /** `health.sickScore`. */
  readonly sickScore: number;
  readonly version: string;
  /** Hears of a listener that threw. */
  readonly onError: (error: unknown) => void;
}

/** Begins to measure. Everything counts from here on. */
export function createObservatory(source: TelemetrySource, { clock, tiers, waitMs, sickScore, version, onError }: ObservatoryOptions): Observatory {
  const registry = new Registry<RegistryContentType>();
  // It is read through the exposition, in either format; exemplars exist in this one alone.
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const instruments = createInstruments(registry, tiers);
  const stopCounting = countEvents(source, instruments, waitMs);
  readFigures(source, instruments, clock.wall());
  instruments.set('build_info', 1, { version, node_version: process.versions.node });
  const history = createHistory(source, clock, waitMs, onError);
  const stopSampling = sampleLoopLag(clock, (lagMs) => {
    instruments.time('event_loop_lag_seconds', lagMs);
    history.lagged(lagMs);
  });
  const summarist = createSummarist(source, history, clock, sickScore);
  return {
    metrics: createExposition([registry, processMetrics() as Registry<RegistryContentType>], () => instruments.refresh()),
    read: (metrics) => readMetrics(registry, () => instruments.refresh(), metrics),
    history,
    summary: () => summarist.summary(),
    stop() {
      stopCounting();
      stopSampling();
      history.stop();
      summarist.stop();
    },
  };
}

import type { Clock } from '../../ports/clock.ts';
import type { TelemetrySource } from '../../ports/events.ts';
import { countEvents, readFigures } from '../counting.ts';
import { sampleLoopLag } from '../loop-lag.ts';
import { createMeters } from './meters.ts';
import { loadPackages } from './packages.ts';
import { type AnsweringModel, traceEvents } from './spans.ts';
import { userNames } from './user-names.ts';

const MS_PER_S = 1_000;
/** How long the last sending may take. */
const LAST_SENDING_MS = 3_000;

export interface OpenTelemetryOptions {
  readonly clock: Clock;
  readonly version: string;
  readonly node: string;
  /** Null: the environment names the service, by `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES`. */
  readonly serviceName: string | null;
  readonly tiers: readonly string[];
  /** `queue.waitMs`. */
  readonly waitMs: number;
  readonly model: AnsweringModel;
  /** `telemetry.userId`. */
  readonly userId: 'hashed' | 'plain';
  /** What hashed names of users are made with. */
  readonly key: Uint8Array;
}

/** Loads OpenTelemetry. Where it sends to is read from `OTEL_*`, by default to `http://localhost:4318`.
 *  @throws SpillwayError `SPILLWAY_MISSING_PACKAGE` if its packages are not installed. */
export async function loadOpenTelemetry(): Promise<{ start(source: TelemetrySource, o: OpenTelemetryOptions): AsyncDisposable }> {
  const { api, sdk } = await loadPackages();
  return {
    start(source, o) {
      // Unless the environment chooses: what is found out about the process by default tells its command line, which may hold keys.
      process.env.OTEL_NODE_RESOURCE_DETECTORS ??= 'env,host,os,serviceinstance';
      const node = new sdk.NodeSDK({ logRecordProcessors: [], ...(o.serviceName === null ? {} : { serviceName: o.serviceName }) });
      node.start();
      const scope = ['spillway', o.version] as const;
      const meter = api.metrics.getMeter(...scope);
      const meters = createMeters(meter, o.tiers);
      readFigures(source, meters, o.clock.wall());
      meters.set('build_info', 1, { version: o.version, node_version: process.versions.node });
      const answers = meter.createHistogram('gen_ai.client.operation.duration', { description: 'Answers of the model or agent, to their end.', unit: 's' });
      const undo = [
        source.on('run-ended', ({ status, provider, durationMs }) =>
          answers.record(durationMs / MS_PER_S, {
            'gen_ai.operation.name': 'chat',
            'gen_ai.provider.name': o.model.provider,
            'gen_ai.request.model': o.model.name,
            ...(status === 'failed' || status === 'lost' ? { 'error.type': provider ? 'provider' : status } : {}),
          }),
        ),
        countEvents(source, meters, o.waitMs),
        sampleLoopLag(o.clock, (lagMs) => meters.time('event_loop_lag_seconds', lagMs)),
        traceEvents(source, { api, tracer: api.trace.getTracer(...scope), model: o.model, node: o.node, nameOf: userNames(o.userId, o.key) }),
      ];
      return {
        async [Symbol.asyncDispose]() {
          for (const stop of undo) stop();
          // Whoever stops does not wait for a collector that is not there: what cannot be sent now is lost.
          await Promise.race([node.shutdown().catch(() => {}), new Promise<void>((resolve) => o.clock.after(LAST_SENDING_MS, resolve))]);
          api.trace.disable();
          api.metrics.disable();
          api.context.disable();
          api.propagation.disable();
        },
      };
    },
  };
}

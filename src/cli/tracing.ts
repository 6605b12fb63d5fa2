import type { ServerOptions } from '../core/options.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { VERSION } from '../gateway/version.ts';
import { systemClock } from '../ports/clock.ts';
import { loadOpenTelemetry } from '../telemetry/otel/open-telemetry.ts';

/** Begins to send traces and metrics of a gateway; disposed, it sends the rest. */
export type StartTracing = (gateway: Gateway, signingKey: Uint8Array) => AsyncDisposable;

/** Loads what `telemetry.otlp` needs. Null where it is off.
 *  @throws SpillwayError `SPILLWAY_MISSING_PACKAGE` with the line that installs it. */
export async function loadTracing({ telemetry, agent, tiers, queue }: ServerOptions, env: NodeJS.ProcessEnv): Promise<StartTracing | null> {
  if (!telemetry.otlp) return null;
  const openTelemetry = await loadOpenTelemetry();
  const isNamed = Boolean(env.OTEL_SERVICE_NAME) || (env.OTEL_RESOURCE_ATTRIBUTES ?? '').includes('service.name=');
  return ({ factory }, key) =>
    openTelemetry.start(factory.telemetry, {
      clock: systemClock,
      version: VERSION,
      node: factory.node,
      serviceName: isNamed ? null : 'spillway',
      tiers: Object.keys(tiers),
      waitMs: queue.waitMs,
      model: agent.kind === 'embedded' ? { provider: 'spillway', name: 'embedded' } : { provider: agent.kind, name: agent.model ?? '' },
      userId: telemetry.userId,
      key,
    });
}

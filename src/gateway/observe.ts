import type { WebSocketManagerFactory } from '../managers/factory.ts';
import type { Clock } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { publishOnChannels } from '../telemetry/channels.ts';
import { logEvents } from '../telemetry/event-log.ts';
import { createObservatory, type Observatory } from '../telemetry/observatory.ts';
import { VERSION } from './version.ts';

/** Begins to measure a factory and the gateway around it. */
export function observe(factory: WebSocketManagerFactory, clock: Clock, telemetry: Telemetry): Observatory {
  return createObservatory(factory.telemetry, {
    clock,
    tiers: Object.keys(factory.options.tiers),
    waitMs: factory.options.queue.waitMs,
    sickScore: factory.options.health.sickScore,
    version: VERSION,
    onError: (error) => telemetry.record({ severity: 'ERROR', event: 'listener-failed', message: error instanceof Error ? error.message : String(error) }),
  });
}

/** Writes down what happens, and publishes it on `node:diagnostics_channel`. Returns the undo. */
export function retell(factory: WebSocketManagerFactory, telemetry: Telemetry): () => void {
  const undo = [logEvents(factory.telemetry, telemetry), publishOnChannels(factory.telemetry)];
  return () => {
    for (const stop of undo) stop();
  };
}

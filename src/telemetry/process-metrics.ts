import { collectDefaultMetrics, Registry } from 'prom-client';

/** Resolution of `nodejs_eventloop_lag_*`: the default of 10 ms takes 0.4 % of a core of an idle process (measured). */
const LOOP_PRECISION_MS = 50;

let shared: Registry | null = null;

/** `process_*` and `nodejs_*` of this process: one set for all gateways in it, measured from the first call on, because it observes the
 *  garbage collector and the event loop for as long as the process lives. */
export function processMetrics(): Registry {
  if (shared === null) {
    shared = new Registry();
    collectDefaultMetrics({ register: shared, eventLoopMonitoringPrecision: LOOP_PRECISION_MS });
  }
  return shared;
}

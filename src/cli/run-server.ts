import type { Resolved } from '../core/resolve-options.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { createLog } from '../telemetry/log.ts';
import { buildGateway } from './build-gateway.ts';
import { openGround, openStore, openStoreWhenPossible, RETRY_MS } from './ground.ts';
import { type ListenAddress, parseListen, urlOf } from './listen-address.ts';
import { type Listener, openListener } from './listener.ts';
import { stopAsked } from './stop.ts';

export interface RunRequest {
  readonly resolved: Resolved;
  /** A taken port leads to the next free one. */
  readonly orNextPort: boolean;
  /** Waits for a store that cannot be used at the start; else that is an error. */
  readonly retry: boolean;
  /** Called once the gateway answers. */
  readonly ready: (address: ListenAddress, telemetry: Telemetry) => void;
}

/** Runs a gateway until it is told to stop; resolves when it has.
 *  @throws SpillwayError if it cannot start. */
export async function runServer({ resolved, orNextPort, retry, ready }: RunRequest): Promise<void> {
  const { options } = resolved;
  const log = createLog({ level: options.logging.level, format: formatOf(options.logging.format) });
  const stop = new AbortController();
  const stopped = stopAsked().then((signal) => stop.abort(signal));
  try {
    // First of all the port: whoever starts twice by mistake must not touch the store of the first.
    await using listener = await opened(options.listen, orNextPort);
    const ground = await openGround(options);
    const waits = retry ? openStoreWhenPossible(options.store, tellWhy(listener, log), stop.signal) : openStore(options.store);
    await using store = await waits;
    if (store === null) return;
    await using gateway = await buildGateway(options, ground, store, log);
    listener.hand(gateway.handler);
    const detach = gateway.attach(listener.server, { ownUpgrades: true });
    ready(listener.address, log);
    await stopped;
    const withinMs = options.shutdown.timeoutMs;
    const message = `stopping after ${String(stop.signal.reason)}: answers under way may end within ${Math.ceil(withinMs / 1_000)} s; a second signal stops at once`;
    log.record({ severity: 'INFO', event: 'stopping', message, withinMs });
    await gateway.drain({ withinMs });
    detach();
    log.record({ severity: 'INFO', event: 'stopped', message: 'stopped' });
  } finally {
    log.close();
  }
}

/** Both who asks for readiness and who reads the log learn why there is no gateway yet. */
function tellWhy(listener: Listener, telemetry: Telemetry): (reason: string) => void {
  return (reason) => {
    listener.wait(reason);
    telemetry.record({ severity: 'ERROR', event: 'store-unreachable', message: reason, url: urlOf(listener.address), retryInMs: RETRY_MS });
  };
}

async function opened(listen: string, orNext: boolean): Promise<Listener & AsyncDisposable> {
  // Checked with the rest of the configuration.
  const listener = await openListener(parseListen(listen) ?? { host: '', port: 0 }, orNext);
  return { ...listener, [Symbol.asyncDispose]: () => listener.close() };
}

function formatOf(format: 'auto' | 'json' | 'pretty'): 'json' | 'pretty' {
  if (format !== 'auto') return format;
  return process.stdout.isTTY ? 'pretty' : 'json';
}

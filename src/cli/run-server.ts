import type { ServerOptions } from '../core/options.ts';
import type { Resolved } from '../core/resolve-options.ts';
import { configurationOf } from '../gateway/configuration.ts';
import { systemClock } from '../ports/clock.ts';
import { systemRandom } from '../ports/random.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { createLog } from '../telemetry/log.ts';
import { buildGateway } from './build-gateway.ts';
import { drillBoardOf } from './drill-board.ts';
import { goldenAccess } from './golden-path/access.ts';
import { startGoldenPath } from './golden-path/golden-path.ts';
import { type AdminKey, openGround, openStore, openStoreWhenPossible, RETRY_MS, sharedGround } from './ground.ts';
import { keepSharing } from './keep-sharing.ts';
import { type ListenAddress, parseListen, urlOf } from './listen-address.ts';
import { type Listeners, openListeners } from './listener.ts';
import { logFormatOf } from './log-format.ts';
import { stopAsked } from './stop.ts';
import { loadTracing } from './tracing.ts';

export interface RunRequest {
  readonly resolved: Resolved;
  /** A taken port leads to the next free pair of ports. */
  readonly orNextPorts: boolean;
  /** Waits for a store that cannot be used at the start; else that is an error. */
  readonly retry: boolean;
  /** Called once the gateway answers. */
  readonly ready: (open: Open, telemetry: Telemetry) => void;
}

/** Where a gateway answers, and with what key operators ask it. */
export interface Open {
  readonly public: ListenAddress;
  readonly admin: ListenAddress;
  readonly adminKey: AdminKey;
}

/** Runs a gateway until it is told to stop; resolves when it has.
 *  @throws SpillwayError if it cannot start. */
export async function runServer({ resolved, orNextPorts, retry, ready }: RunRequest): Promise<void> {
  const { options } = resolved;
  const log = createLog({ level: options.logging.level, ...logFormatOf(options.logging.format, process.env) });
  const stop = new AbortController();
  const stopped = stopAsked().then((signal) => stop.abort(signal));
  try {
    const startTracing = await loadTracing(options, process.env);
    // First of all the ports: whoever starts twice by mistake must not touch the store of the first.
    await using listeners = await opened(options, orNextPorts);
    const own = await openGround(options);
    const waits = retry ? openStoreWhenPossible(options, tellWhy(listeners, log), stop.signal) : openStore(options);
    await using store = await waits;
    if (store === null) return;
    const ground = await sharedGround(own, options, store);
    const drills = drillBoardOf(options, ground, { public: listeners.public.address, admin: listeners.admin.address });
    const golden = await goldenAccess(options);
    await using gateway = await buildGateway(options, ground, store, log, drills, golden, configurationOf(resolved));
    using _keeping = keepSharing(ground, options, store, gateway.factory.cluster, log);
    await using _tracing = startTracing?.(gateway, ground.signingKey) ?? null;
    listeners.public.hand(gateway.handler);
    listeners.admin.hand(gateway.admin.handler);
    const detach = gateway.attach(listeners.public.server, { ownUpgrades: true });
    gateway.admin.attach(listeners.admin.server, { ownUpgrades: true });
    ready({ public: listeners.public.address, admin: listeners.admin.address, adminKey: ground.adminKey }, log);
    await using goldenPath = startGoldenPath({
      options,
      access: golden,
      url: urlOf(listeners.public.address),
      telemetry: log,
      clock: systemClock,
      random: systemRandom,
      tell: (event) => gateway.factory.tell('golden-path-ran', event),
    });
    await stopped;
    const withinMs = options.shutdown.timeoutMs;
    const message = `stopping after ${String(stop.signal.reason)}: answers under way may end within ${Math.ceil(withinMs / 1_000)} s; a second signal stops at once`;
    log.record({ severity: 'INFO', event: 'stopping', message, withinMs });
    await goldenPath[Symbol.asyncDispose]();
    // Clients of a drill would be moved like anybody else, and come back.
    await drills?.close();
    await gateway.drain({ withinMs });
    detach();
    log.record({ severity: 'INFO', event: 'stopped', message: 'stopped' });
  } finally {
    log.close();
  }
}

/** Both who asks for readiness and who reads the log learn why there is no gateway yet. */
function tellWhy(listeners: Listeners, telemetry: Telemetry): (reason: string) => void {
  return (reason) => {
    listeners.public.wait(reason);
    listeners.admin.wait(reason);
    telemetry.record({ severity: 'ERROR', event: 'store-unreachable', message: reason, url: urlOf(listeners.public.address), retryInMs: RETRY_MS });
  };
}

async function opened({ listen, admin }: ServerOptions, orNext: boolean): Promise<Listeners & AsyncDisposable> {
  // Checked with the rest of the configuration.
  const address = (text: string): ListenAddress => parseListen(text) ?? { host: '127.0.0.1', port: 0 };
  const listeners = await openListeners({ public: address(listen), admin: address(admin.listen) }, orNext);
  return {
    ...listeners,
    async [Symbol.asyncDispose]() {
      await Promise.all([listeners.public.close(), listeners.admin.close()]);
    },
  };
}

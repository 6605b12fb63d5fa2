import type { ServerOptions } from '../core/options.ts';
import type { Cluster } from '../managers/cluster/cluster.ts';
import type { Store } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { type Ground, keepAgreed } from './ground.ts';

/** How often the store is asked whether it still has what the gateways agreed on, whatever is heard of it. */
const KEEP_EVERY_MS = 60_000;

/** Tells a store that has lost everything again what the gateways had agreed on, as soon as that is known: one that starts before would
 *  make all of them agree anew. If that has happened, says so once. */
export function keepSharing(
  ground: Ground,
  options: Pick<ServerOptions, 'signingKey'>,
  store: Pick<Store, 'cluster'>,
  cluster: Pick<Cluster, 'onRegained'> | null,
  telemetry: Telemetry,
): Disposable {
  let isTold = false;
  const keep = (): void => {
    keepAgreed(ground, options, store).then(
      (isSame) => {
        if (isSame || isTold) return;
        isTold = true;
        telemetry.record({
          severity: 'ERROR',
          event: 'signing-key-differs',
          message:
            'The store had lost its data, and the gateways that started since have agreed on another signing key: clients and log-ins of this one are strangers there, and theirs here. Start this gateway again, and set `signingKey` so that it cannot happen.',
        });
      },
      // A store that cannot be asked now is asked the next time.
      () => {},
    );
  };
  const timer = setInterval(keep, KEEP_EVERY_MS);
  timer.unref();
  const undo = cluster?.onRegained(keep);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      undo?.();
    },
  };
}

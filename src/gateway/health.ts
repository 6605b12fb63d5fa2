import type { Store } from '../ports/store.ts';
import type { Streams } from '../streams/streams.ts';
import type { Health, HealthReport } from './services.ts';

const report = (checks: HealthReport['checks']): HealthReport => ({ status: checks.every((c) => c.ok) ? 'ok' : 'fail', checks });

/** Computed, not claimed: each check looks at the thing itself. */
export function createHealth(o: {
  store: Store;
  streams: Streams;
  isDraining(): boolean;
  isRecovered(): boolean;
  quarantined(): number;
  crowded(): number;
  /** Until the seats of this node end in a store that it shares; null where it shares none. */
  leaseMs(): number | null;
}): Health {
  let hasBeenReady = false;
  const ready = async (): Promise<HealthReport> => {
    const store = await o.store.health().catch((error: unknown) => ({ ok: false, detail: error instanceof Error ? error.message : String(error) }));
    const made = report([
      { name: 'store', ok: store.ok, detail: store.detail },
      {
        name: 'log',
        ok: !o.streams.storeFailing,
        detail: o.streams.storeFailing ? 'What was appended waits: the store does not take it.' : 'Appends are confirmed.',
      },
      ...leaseOf(o.leaseMs()),
      { name: 'recovery', ok: o.isRecovered(), detail: o.isRecovered() ? 'Interrupted runs have their end.' : 'Interrupted runs are being looked for.' },
      { name: 'draining', ok: !o.isDraining(), detail: o.isDraining() ? 'This node is being stopped.' : 'Connections are welcome.' },
      {
        name: 'quarantine',
        ok: o.quarantined() < QUARANTINE_MAX && o.crowded() === 0,
        detail: `${o.quarantined()} sockets refuse to close; ${o.crowded()} users have more sockets than their limits allow because of it.`,
      },
    ]);
    hasBeenReady ||= made.status === 'ok';
    return made;
  };
  return {
    // Whoever reads this answer has seen the event loop turn.
    live: () => report([{ name: 'event-loop', ok: true }]),
    ready,
    started: async () => (hasBeenReady ? report([{ name: 'startup', ok: true }]) : await ready()),
  };
}

/** A node whose seats nobody renews is dead to the others: they give its seats away. */
function leaseOf(leaseMs: number | null): HealthReport['checks'] {
  if (leaseMs === null) return [];
  const ok = leaseMs > 0;
  return [
    {
      name: 'lease',
      ok,
      detail: ok
        ? `The seats of this node are renewed; they would end in ${Math.round(leaseMs / 1_000)} s.`
        : 'The seats of this node could not be renewed in time.',
    },
  ];
}

/** Sockets that cannot be closed, from which on this node takes no more. */
const QUARANTINE_MAX = 100;

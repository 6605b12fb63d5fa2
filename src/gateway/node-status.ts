import type { WebSocketManagerFactory } from '../managers/factory.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import { type NodeStatus, SERIES, type SeriesName } from '../protocol/live.ts';
import { type History, withVerdict } from '../telemetry/history.ts';

/** The store is asked to write at most this often, however many look. */
const STORE_KEPT_MS = 1_000;

/** Looks at this node. What is not measured, or could not be found out, is null. `history`: what measures the process, if anything does;
 *  its newest second is told. */
export function nodeStatusOf(o: {
  readonly factory: WebSocketManagerFactory;
  readonly version: string;
  readonly clock: Clock;
  readonly store: Store;
  readonly history: Pick<History, 'points'> | null;
  isDraining(): boolean;
  isStarting(): boolean;
}): () => Promise<NodeStatus> {
  const { factory, clock } = o;
  const storeMs = storeTimer(o.store, clock);
  const stateOf = (leaseMs: number): NodeStatus['state'] => {
    if (o.isDraining()) return 'draining';
    if (o.isStarting()) return 'starting';
    return leaseMs <= 0 ? 'expired' : 'ready';
  };
  return async () => {
    const gauges = factory.telemetry.gauges();
    const newest = o.history?.points('15m').at(-1) ?? null;
    const measured = (name: SeriesName): number | null => newest?.[SERIES.indexOf(name) + 1] ?? null;
    return {
      node: factory.node,
      state: stateOf(gauges.leaseRemainingMs),
      version: o.version,
      managers: gauges.seats,
      zombies: withVerdict(gauges, 'zombie'),
      cpuShare: measured('process.cpuShare'),
      loopP99Ms: measured('loop.p99Ms'),
      rssBytes: process.memoryUsage.rss(),
      storeMs: await storeMs(),
      leaseMs: Math.max(0, Math.round(gauges.leaseRemainingMs)),
    };
  };
}

/** How long the store takes for a write; null where it does not. Who asks at once, or soon after, gets the same answer. */
function storeTimer(store: Store, clock: Clock): () => Promise<number | null> {
  let last: { readonly at: number; readonly took: Promise<number | null> } | null = null;
  return () => {
    const at = clock.mono();
    if (last === null || at - last.at >= STORE_KEPT_MS) last = { at, took: timed(store, clock) };
    return last.took;
  };
}

async function timed(store: Store, clock: Clock): Promise<number | null> {
  const startedAt = clock.mono();
  try {
    const { ok } = await store.health();
    return ok ? Math.round((clock.mono() - startedAt) * 1_000) / 1_000 : null;
  } catch {
    // A store that cannot be asked has no time; readiness says why.
    return null;
  }
}

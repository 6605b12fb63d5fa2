import type { Gauges } from '../../ports/events.ts';
import type { Tier } from '../../protocol/ids.ts';
import type { Bursts } from '../cleanup/bursts.ts';
import type { Context } from '../context.ts';

interface Sources {
  readonly bursts: Bursts;
  /** Admissions that wait, by tier. */
  queued(): readonly { readonly tier: Tier; readonly count: number }[];
  /** Whether seats cannot be asked for. */
  isStoreLost(): boolean;
  leaseRemainingMs(): number;
}

/** Reads how things stand at this instant from figures that are kept up elsewhere. Looks at no manager, so that asking costs the same
 *  for one as for 100,000. */
export function gaugesOf(context: Context, sources: Sources): () => Gauges {
  const { standing, registry, sockets, meter, counters, events, cluster, clock } = context;
  let isDraining = false;
  events.on('drain-started', () => {
    isDraining = true;
  });
  return () => {
    const { active, debt } = sources.bursts.count;
    const storeNow = cluster?.storeNow();
    return {
      managers: standing.managers,
      seats: standing.seats,
      effectiveSeats: standing.effective,
      transports: sockets.open,
      quarantinedTransports: sockets.quarantined,
      users: registry.userCount,
      usersAtLimit: registry.usersAtLimit,
      usersInBurst: active,
      usersInDebt: debt,
      queueLength: sources.queued(),
      unackedEvents: meter.unacked,
      bufferedBytes: meter.bufferedBytes,
      localHealthScore: context.score(),
      storeFailOpen: sources.isStoreLost(),
      leaseRemainingMs: sources.leaseRemainingMs(),
      nodes: standings(cluster),
      storeClockSkewMs: storeNow == null ? null : Math.abs(storeNow - clock.wall()),
      draining: isDraining,
      cleanupHeartbeatAt: counters.heartbeatAt,
    };
  };
}

function standings(cluster: Context['cluster']): Gauges['nodes'] {
  const count = { alive: 0, silent: 0, dead: 0 };
  for (const { standing } of cluster?.nodes() ?? []) count[standing]++;
  return cluster === null ? { ...count, alive: 1 } : count;
}

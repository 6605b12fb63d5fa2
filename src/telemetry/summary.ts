import type { Clock } from '../ports/clock.ts';
import type { TelemetrySource } from '../ports/events.ts';
import type { Summary } from '../protocol/live.ts';
import { type History, withVerdict } from './history.ts';
import { VERDICTS } from './label-sets.ts';
import { LastDay, RecentSpread } from './recent.ts';

/** Cleanups of so many minutes make the percentile. */
const CLEANUP_MINUTES = 15;

/** The figures of the operators' first screen, of this instant. */
export interface Summarist {
  summary(): Summary;
  stop(): void;
}

/** Keeps what a summary needs besides gauges and `history`. `sickScore`: `health.sickScore`. */
export function createSummarist(source: TelemetrySource, history: History, clock: Clock, sickScore: number): Summarist {
  const cleanups = new RecentSpread(clock, CLEANUP_MINUTES);
  const lockouts = new LastDay(clock);
  /** Managers that wait, in the order in which they came. */
  const waiting = new Map<string, number>();
  const firing = new Set<string>();
  let goldenPath: Summary['goldenPath'] = null;
  const undo = [
    source.on('cleanup-finished', ({ durationMs }) => cleanups.add(durationMs)),
    source.on('lockout', () => lockouts.happened()),
    source.on('queue-entered', ({ managerId }) => {
      // From the queue of its user to that of the node it goes on waiting.
      if (!waiting.has(managerId)) waiting.set(managerId, clock.mono());
    }),
    source.on('queue-left', ({ managerId }) => waiting.delete(managerId)),
    source.on('alert-changed', ({ alert, state }) => {
      if (state === 'firing') firing.add(alert);
      else firing.delete(alert);
    }),
    source.on('golden-path-ran', ({ result, durationMs }) => {
      goldenPath = { ok: result === 'ok', ms: result === 'failed' ? null : durationMs, at: clock.wall() };
    }),
  ];

  return {
    summary() {
      const gauges = source.gauges();
      const { counts } = history;
      const firstInLine = waiting.values().next().value;
      return {
        at: clock.wall(),
        goldenPath,
        lockouts: { total: counts.lockouts, last24h: lockouts.count },
        gaps: counts.gaps,
        cleanupP99Ms: cleanups.percentile(0.99),
        queue: {
          length: gauges.queueLength.reduce((sum, { count }) => sum + count, 0),
          longestMs: firstInLine === undefined ? 0 : Math.round(clock.mono() - firstInLine),
        },
        availability: counts.intents === 0 ? null : counts.intentsInTime / counts.intents,
        alertsFiring: firing.size,
        users: gauges.users,
        usersAtLimit: gauges.usersAtLimit,
        seats: gauges.seats,
        effectiveSeats: gauges.effectiveSeats,
        transports: gauges.transports,
        quarantined: gauges.quarantinedTransports,
        burst: { active: gauges.usersInBurst, debt: gauges.usersInDebt },
        managers: Object.fromEntries(VERDICTS.map((verdict) => [verdict, withVerdict(gauges, verdict)])) as Summary['managers'],
        evicted: counts.evicted,
        regrets: counts.regrets,
        draining: gauges.draining,
        storeFailOpen: gauges.storeFailOpen,
        selfSlow: gauges.localHealthScore >= sickScore,
      };
    },
    stop() {
      for (const stop of undo) stop();
    },
  };
}

import type { Options } from '../../core/options.ts';
import type { SeatLimits } from '../../ports/store.ts';

/** The limits that travel with every call about seats, since a store has no configuration of its own. */
export const seatLimitsOf = ({ limits, queue, lease }: Options): SeatLimits => ({
  soft: limits.perUser,
  hard: Math.max(limits.perUser, limits.burst.perUser),
  burstForMs: limits.burst.forMs,
  coolDownMs: limits.burst.coolDownMs,
  debtMaxMs: limits.burst.debtMaxMs,
  places: queue.places,
  waitMs: queue.waitMs,
  promiseMs: queue.promiseMs,
  ttlMs: lease.ttlMs,
  tombstoneMs: lease.tombstoneMs,
});

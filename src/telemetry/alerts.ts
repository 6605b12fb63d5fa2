/** Every alert, once. The evaluator of a gateway, the rules for Prometheus and docs/operations/alerts.md are made from this table. */

import { above, all, any, atLeast, type Condition, equals, increase, now, perMinute, quantile, reaches, series, share, silence } from './alert-conditions.ts';
import type { MetricName } from './metrics.ts';

export interface Alert {
  readonly name: string;
  /** `page`: wakes somebody. `ticket`: for the next working day. */
  readonly severity: 'page' | 'ticket';
  /** Whether each gateway is looked at for itself, or all of a deployment together. A gateway's own evaluator sees only itself. */
  readonly of: 'node' | 'deployment';
  readonly condition: Condition;
  /** How long the condition has to hold before the alert fires. */
  readonly forMs: number;
  /** One sentence for whoever is woken. */
  readonly summary: string;
  /** The condition in words, such as `> 0 in 5 min`. */
  readonly threshold: string;
  /** Fires also when Prometheus sees this series of no gateway at all. */
  readonly absent?: MetricName;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Part of persons' admissions that may fail over 30 days: the objective is 99.99 %. */
const ERROR_BUDGET = 0.0001;
/** At these multiples of the budget 2 % of a month's budget is gone in 1 h, or 5 % in 6 h (Google SRE workbook, chapter 5). */
const FAST_BURN = 14.4;
const SLOW_BURN = 6;

/** Questions for whose answers people wait. */
const SEAT_OPS = ['seats.facts', 'seats.admit', 'seats.replace', 'seats.evict', 'seats.release', 'seats.enqueue', 'seats.cancel'];

export interface AlertSettings {
  /** How often the golden path runs. Default: 30 s. */
  readonly goldenPathEveryMs?: number;
}

/** The table. Metrics are named without `spillway_`. */
export function alertsOf({ goldenPathEveryMs = 30 * SECOND }: AlertSettings = {}): readonly Alert[] {
  // Holds two runs, and no third even if one comes a little late.
  const twoRunsMs = Math.max(10 * SECOND, 2.5 * goldenPathEveryMs);
  return [
    {
      name: 'Lockout',
      severity: 'page',
      of: 'node',
      condition: above(increase(series('lockouts_total'), 5 * MINUTE), 0),
      forMs: 0,
      summary: 'A person was locked out: an admission ended without a seat, or a promise to it was broken.',
      threshold: '> 0 in 5 min',
    },
    {
      name: 'ForceShort',
      severity: 'page',
      of: 'node',
      condition: above(increase(series('cleanup_runs_total', { level: 'force', result: 'short' }), 5 * MINUTE), 0),
      forMs: 0,
      summary: 'Force freed no seat, which its proof rules out.',
      threshold: '> 0 in 5 min',
    },
    {
      name: 'CleanupFreedNothing',
      severity: 'page',
      of: 'deployment',
      condition: all(
        above(increase(series('cleanup_runs_total', { result: { not: 'enough' } }), 10 * MINUTE), 0),
        above(now('users_at_limit'), 0),
        equals(increase(series('admissions_total', { outcome: ['after_cleanup', 'after_queue', 'burst', 'force'] }), 10 * MINUTE), 0),
        // A forgotten tab that knocks by itself is told a time, and nobody is hurt: it takes a person without a seat (decision 0007).
        above(increase(series('admissions_total', { outcome: ['retry_later', 'abandoned'], intent: 'user' }), 10 * MINUTE), 0),
      ),
      forMs: 0,
      summary: 'Users are at their limit, cleanups free nothing, a person was sent away or gave up, and nobody got a seat by cleanup, burst, queue or Force.',
      threshold: 'cleanups short or failed > 0 in 10 min, users at their limit, a person without a seat, and none found for anybody',
    },
    {
      name: 'CleanupFailed',
      severity: 'ticket',
      of: 'node',
      condition: above(increase(series('cleanup_runs_total', { result: 'failed' }), 5 * MINUTE), 0),
      forMs: 0,
      summary: 'A cleanup level threw an error.',
      threshold: '> 0 in 5 min',
    },
    {
      name: 'AdmissionBurn',
      severity: 'page',
      of: 'deployment',
      condition: any(
        all(above(lockoutShare(HOUR), FAST_BURN * ERROR_BUDGET), above(lockoutShare(5 * MINUTE), FAST_BURN * ERROR_BUDGET)),
        all(above(lockoutShare(6 * HOUR), SLOW_BURN * ERROR_BUDGET), above(lockoutShare(30 * MINUTE), SLOW_BURN * ERROR_BUDGET)),
      ),
      forMs: 0,
      summary: 'Admissions of persons fail so often that the budget of the month will not last.',
      threshold: '> 0.144 % in 1 h and 5 min, or > 0.06 % in 6 h and 30 min',
    },
    {
      name: 'CleanupSlow',
      severity: 'ticket',
      of: 'node',
      condition: above(quantile(0.99, 'cleanup_seconds', 5 * MINUTE), 0.5),
      forMs: 5 * MINUTE,
      summary: 'Cleanups take longer than the 500 ms that they may take.',
      threshold: 'p99 > 0.5 s for 5 min',
    },
    {
      name: 'ZombieRatio',
      severity: 'ticket',
      of: 'deployment',
      condition: above(share(now('managers', { verdict: 'zombie' }), now('managers')), 0.2),
      forMs: 10 * MINUTE,
      summary: 'More than a fifth of the managers are zombies: they are found, and stay.',
      threshold: '> 20 % for 10 min',
    },
    {
      name: 'Quarantine',
      severity: 'ticket',
      of: 'node',
      condition: above(now('quarantined_transports'), 0),
      forMs: MINUTE,
      summary: 'Sockets that were destroyed do not close.',
      threshold: '> 0 for 1 min',
    },
    {
      name: 'Mismatch',
      severity: 'ticket',
      of: 'node',
      condition: above(increase(series('registry_mismatches_total'), 10 * MINUTE), 0),
      forMs: 0,
      summary: 'Registry, index, seats of the store and sockets disagree.',
      threshold: '> 0 in 10 min',
    },
    {
      name: 'BurstIsLimit',
      severity: 'ticket',
      of: 'deployment',
      condition: above(share(now('users_in_burst'), now('users_at_limit')), 0.2),
      forMs: 30 * MINUTE,
      summary: 'More than a fifth of the users at their limit live on bursts: the limit is too low for what people do.',
      threshold: '> 20 % for 30 min',
    },
    {
      name: 'PingPong',
      severity: 'ticket',
      of: 'deployment',
      condition: above(
        perMinute(series('evictions_total', { verdict: 'healthy', reason: ['lowest-value', 'burst-repaid'] }), 10 * MINUTE),
        atLeast(1, now('users_at_limit')),
      ),
      forMs: 0,
      summary: 'Cleanups evict healthy managers more often than once a minute for each user at the limit: sessions displace one another.',
      threshold: 'a minute > users at their limit, over 10 min',
    },
    {
      name: 'ProbesVoided',
      severity: 'ticket',
      of: 'node',
      condition: any(
        above(
          share(
            increase(series('probes_total', { result: ['stall_voided', 'correlated_voided'] }), 10 * MINUTE),
            increase(series('probes_total'), 10 * MINUTE),
          ),
          0.1,
        ),
        reaches(now('local_health_score'), 4),
      ),
      forMs: MINUTE,
      summary: 'This gateway stalls, or many clients fall silent together, so that findings against single managers do not count.',
      threshold: '> 10 % of probes in 10 min, or health score ≥ 4, for 1 min',
    },
    {
      name: 'FailOpen',
      severity: 'page',
      of: 'node',
      condition: equals(now('store_fail_open'), 1),
      forMs: MINUTE,
      summary: 'The store cannot be asked: who is seated stays; a gateway that shares it serves newcomers by its own limits, others tell them to try again.',
      threshold: '= 1 for 1 min',
    },
    {
      name: 'NodeDead',
      severity: 'ticket',
      of: 'deployment',
      condition: above(increase(series('node_deaths_total', { drained: 'no' }), 5 * MINUTE), 0),
      forMs: 0,
      summary: 'A gateway that shared the store is gone without a word: its users are back on others, and the answers it was giving have ended.',
      threshold: '> 0 in 5 min',
    },
    {
      name: 'StoreSlow',
      severity: 'ticket',
      of: 'node',
      condition: above({ is: 'quantile', quantile: 0.99, of: series('store_request_seconds', { op: SEAT_OPS }), withinMs: 5 * MINUTE }, 0.075),
      forMs: 5 * MINUTE,
      summary: 'Questions about seats take the store more than half of the time that they may take; beyond that time a gateway serves by its own limits.',
      threshold: 'p99 > 75 ms for 5 min',
    },
    {
      name: 'SeatsForgotten',
      severity: 'ticket',
      of: 'node',
      condition: above(share(increase(series('lease_renewals_total', { result: 'adopted' }), 10 * MINUTE), atLeast(1, now('seats'))), 0.1),
      forMs: 0,
      summary: 'The store had forgotten more than a tenth of the seats, which were put back: it lost its last writes or all of its data, or its clock jumped.',
      threshold: 'adopted > 10 % of the seats in 10 min',
    },
    {
      name: 'StoreClock',
      severity: 'ticket',
      of: 'node',
      condition: above(now('store_clock_skew_seconds'), 5),
      forMs: 5 * MINUTE,
      summary: 'The clocks of the store and of a gateway are more than 5 s apart: leases and tokens are judged by different times.',
      threshold: '> 5 s for 5 min',
    },
    {
      name: 'SweeperDead',
      severity: 'page',
      of: 'node',
      condition: above(silence('cleanup_heartbeat_timestamp_seconds'), 30),
      forMs: 0,
      summary: 'The background pass of a gateway has not run for 30 s, or no gateway is seen at all.',
      threshold: '> 30 s, or absent',
      absent: 'cleanup_heartbeat_timestamp_seconds',
    },
    {
      name: 'Gap',
      severity: 'page',
      of: 'node',
      condition: above(increase(series('gaps_total'), 5 * MINUTE), 0),
      forMs: 0,
      summary: 'A client came back for events that are not in the log any more; it was offered a snapshot.',
      threshold: '> 0 in 5 min',
    },
    {
      name: 'GoldenPathFailing',
      severity: 'page',
      of: 'node',
      condition: all(
        reaches(increase(series('golden_path_runs_total', { result: 'failed' }), twoRunsMs), 2),
        equals(increase(series('golden_path_runs_total', { result: ['ok', 'late'] }), twoRunsMs), 0),
      ),
      forMs: 0,
      summary: 'A client of our own that logs in, asks and checks the answer failed twice in a row: most likely people fail too.',
      threshold: 'failed 2 times in a row',
    },
    {
      name: 'QueueWait',
      severity: 'ticket',
      of: 'node',
      condition: above(quantile(0.95, 'queue_wait_seconds', 5 * MINUTE), 10),
      forMs: 0,
      summary: 'Whoever waits for a seat waits longer than 10 s.',
      threshold: 'p95 > 10 s in 5 min',
    },
    {
      name: 'LoopLag',
      severity: 'ticket',
      of: 'node',
      condition: above(quantile(0.99, 'event_loop_lag_seconds', 5 * MINUTE), 0.1),
      forMs: 5 * MINUTE,
      summary: 'The event loop of this gateway runs late.',
      threshold: 'p99 > 100 ms for 5 min',
    },
    {
      name: 'Regrets',
      severity: 'ticket',
      of: 'deployment',
      condition: above(share(increase(series('eviction_regrets_total'), HOUR), increase(series('evictions_total'), HOUR)), 0.0001),
      forMs: 0,
      summary: 'Managers were evicted whose sign of life had come and was read too late.',
      threshold: '> 0.01 % of evictions in 1 h',
    },
  ];
}

/** Lockouts over all admissions of persons that came to an end. */
function lockoutShare(withinMs: number) {
  const ended = ['seated', 'after_cleanup', 'burst', 'after_queue', 'force', 'abandoned'];
  return share(increase(series('lockouts_total'), withinMs), increase(series('admissions_total', { intent: 'user', outcome: ended }), withinMs));
}

/** Where the handbook says what to do about an alert. */
export const runbookOf = ({ name }: Pick<Alert, 'name'>): string => `docs/operations/alerts.md#${name.toLowerCase()}`;

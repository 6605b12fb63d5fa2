/** THE table of metrics: what there is, what each counts and when, and the closed sets of its labels. docs/metrics.md is made from it.
 *
 *  Names get the prefix `spillway_`. Units are seconds, bytes and counts. No label holds an id of a user, manager or thread. Every
 *  series starts at 0 with the gateway, so that a first event is a rise and not a new series. */

import { LEVELS } from '../core/levels.ts';
import {
  DEATHS,
  GOLDEN_PATH_RESULTS,
  LEASE_RESULTS,
  MISMATCHES,
  NOTICE_KINDS,
  OTHER,
  OUTCOMES,
  PROBE_RESULTS,
  RESUME_RESULTS,
  STORE_OPS,
  VERDICTS,
} from './label-sets.ts';

export const PREFIX = 'spillway_';

/** `tiers`: those configured, and `other`. `pairs`: combinations that can be, listed with the counter. `text`: any, of this process. */
export type LabelSet = readonly string[] | 'tiers' | 'pairs' | 'text';

export interface MetricSpec {
  readonly kind: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly labels?: Readonly<Record<string, LabelSet>>;
  /** Upper bounds, in the metric's unit. */
  readonly buckets?: readonly number[];
}

/** Decisions, which are due within half a second. */
const DECISION_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
/** What goes over a network and back, or waits for a person. */
const WAIT_S = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** A wait for room: it ends at `queue.waitMs`, 10 s by default, and a moment later; alerts tell how much later. */
const QUEUE_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 10.5, 11, 12.5, 15, 30, 60];
/** What this machine does alone. */
const LOCAL_S = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
/** Until somebody dead is found. */
const DEATH_S = [1, 2.5, 5, 10, 20, 30, 45, 60, 75, 90, 120, 300];

const gauge = (help: string, labels?: MetricSpec['labels']) => ({ kind: 'gauge', help, ...(labels === undefined ? {} : { labels }) }) as const;
const counter = (help: string, labels?: MetricSpec['labels']) => ({ kind: 'counter', help, ...(labels === undefined ? {} : { labels }) }) as const;
const histogram = (buckets: readonly number[], help: string, labels?: MetricSpec['labels']) =>
  ({ kind: 'histogram', help, buckets, ...(labels === undefined ? {} : { labels }) }) as const;

const OUTCOME_NAMES = Object.values(OUTCOMES);

export const METRICS = {
  // ---- how things stand
  managers: gauge('Managers that hold a seat, by verdict and tier.', { verdict: VERDICTS, tier: 'tiers' }),
  seats: gauge('Seats that are held.'),
  effective_seats: gauge('Seats without those of the dead and of managers being given up.'),
  transports: gauge('Transports that are really open. The admin API calls them sockets.'),
  quarantined_transports: gauge('Transports that were terminated and do not close.'),
  users: gauge('Users that hold a seat here.'),
  users_at_limit: gauge('Of them: those with all the seats that `limits.perUser` gives.'),
  users_in_burst: gauge('Users above their limit in a running burst lease.'),
  users_in_debt: gauge('Users whose burst lease is over and who still repay it.'),
  queue_length: gauge('Admissions that wait, in the queues of their users or of the full node.', { tier: 'tiers' }),
  unacked_events: gauge('Events that were sent to transports still open and are not acknowledged.'),
  buffered_bytes: gauge('Bytes handed to transports that the operating system has not taken.'),
  local_health_score: gauge('Our own health: 0 well … 8. From `health.sickScore` on, nothing is held against peers.'),
  store_fail_open: gauge(
    '1 while seats cannot be asked for in the store: who has one keeps it, and whoever comes is served by this node alone or tries again by itself.',
  ),
  node_lease_remaining_seconds: gauge('Until the seats of this node end if nobody renews them.'),
  nodes: gauge('Nodes that share the store, this one among them, as this one sees them; `dead`: of the last ten minutes.', {
    standing: ['alive', 'silent', 'dead'],
  }),
  store_clock_skew_seconds: gauge('How far the clocks of the store and of this node are apart; 0 for an embedded store.'),
  draining: gauge('1 while this node moves its clients away.'),
  cleanup_heartbeat_timestamp_seconds: gauge('When the background pass last came to its end, as Unix time; before the first, when this gateway was made.'),
  build_info: gauge('Always 1; its labels say what runs here.', { version: 'text', node_version: 'text' }),

  // ---- people and their seats
  admissions_total: counter('Answers to admissions. A reattachment to a seat still held is none; `abandoned`: it left while it waited.', {
    outcome: OUTCOME_NAMES,
    tier: 'tiers',
    intent: ['user', 'auto'],
  }),
  lockouts_total: counter('A promise of ours to a person was broken: refused, waited too long in the queue, or a promised place not given. Must stay 0.'),
  intents_total: counter(
    'What persons asked for, by how it ended. `connect` is `ok` if seated within `queue.waitMs` and 500 ms; sent away with a retry time it is `late`. `message` is `ok` if its first event came within 5 s. Who left by themselves before that is not counted.',
    { kind: ['connect', 'message'], result: ['ok', 'late', 'failed', 'provider_error'] },
  ),
  queue_entries_total: counter('Persons’ attempts that found a place in a queue, of their user or of the full node.', { tier: 'tiers' }),
  burst_grants_total: counter('Burst leases that began.'),
  notices_total: counter('Notices shown to people, by kind.', { kind: NOTICE_KINDS }),

  // ---- cleanup
  cleanup_runs_total: counter(
    'Runs of a level in a cleanup pass, at its end. `short`: it freed less than was needed; `failed`: something in it threw. A level that was skipped did not run.',
    {
      level: LEVELS,
      result: ['enough', 'short', 'failed'],
    },
  ),
  cleanup_targets_total: counter('Managers that a level examined.', { level: LEVELS }),
  cleanup_freed_total: counter('Seats that a level freed.', { level: LEVELS }),
  evictions_total: counter('Managers whose seat was taken, by cleanup, by their owner or by an operator.', {
    level: 'pairs',
    verdict: 'pairs',
    reason: 'pairs',
  }),
  eviction_regrets_total: counter('Evictions that a sign of life, given before and read after, contradicts.'),
  zombies_detected_total: counter('Managers found dead, by what gave it away.', { reason: [...DEATHS, OTHER] }),
  probes_total: counter('Questions to applications, at the answer, the end of patience, or voiding.', { result: PROBE_RESULTS }),
  registry_mismatches_total: counter('Differences between registry, index, seats and sockets that were seen twice.', { kind: [...MISMATCHES, OTHER] }),

  // ---- delivery
  disconnects_total: counter('Transports that closed, by close code (1006: none was sent or received) and what stood behind it.', {
    code: 'pairs',
    reason: 'pairs',
  }),
  events_sent_total: counter('Events written to transports, first deliveries alone.'),
  events_acked_total: counter('Events that were acknowledged, those written again too.'),
  events_replayed_total: counter('Events written again to clients that came back.'),
  duplicates_suppressed_total: counter('Sends that were answered from the log because their id was known.'),
  gaps_total: counter('Positions that were not in the log any more: the client was offered a snapshot.'),
  resumes_total: counter('Clients that came back. `gap`: retention was over for one of their threads; `expired`: there was no seat and no place any more.', {
    result: RESUME_RESULTS,
  }),

  // ---- what the node depends on
  lease_renewals_total: counter('Renewals of the seats of this node.', { result: LEASE_RESULTS }),
  node_deaths_total: counter('Other nodes that share the store and are gone. `drained`: they had moved their clients away before.', { drained: ['yes', 'no'] }),
  store_errors_total: counter('Requests to the store that failed, by its method.', { op: [...STORE_OPS, OTHER] }),
  golden_path_runs_total: counter('Runs of the synthetic client that logs in, asks and checks the answer.', { result: GOLDEN_PATH_RESULTS }),

  // ---- how long it took
  admission_seconds: histogram(DECISION_S, 'From the request for a seat to its answer, waiting included.', { outcome: OUTCOME_NAMES }),
  cleanup_seconds: histogram(DECISION_S, 'Cleanup passes, by the furthest level that they ran.', { level: LEVELS }),
  zombie_detection_delay_seconds: histogram(DEATH_S, 'From the last sign of an application to the verdict that it is dead.'),
  probe_seconds: histogram(WAIT_S, 'From the question to the answer of an application; questions that were answered alone.'),
  ack_delay_seconds: histogram(WAIT_S, 'From the write of an event to its acknowledgement; of several, the newest.'),
  queue_wait_seconds: histogram(QUEUE_S, 'How long attempts stood in a queue, however it ended.', { tier: 'tiers' }),
  resume_seconds: histogram(DECISION_S, 'From the greeting of a client that comes back to its seat.'),
  store_request_seconds: histogram(LOCAL_S, 'Requests to the store, by its method; failed ones too.', { op: [...STORE_OPS, OTHER] }),
  golden_path_seconds: histogram(WAIT_S, 'Runs of the synthetic client, from its log-in to the checked answer.'),
  event_loop_lag_seconds: histogram(LOCAL_S, 'How late a timer fired, sampled every 100 ms.'),
  attention_gap_seconds: histogram([0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30], 'Stalls of this process longer than `health.stallGapMs`.'),
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MetricName = keyof typeof METRICS;

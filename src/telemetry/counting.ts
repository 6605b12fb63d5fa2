import type { Gauges, TelemetrySource } from '../ports/events.ts';
import { parseTraceparent } from '../ports/trace.ts';
import { deepest } from './deepest.ts';
import type { Instruments } from './instruments.ts';
import { connectResult, messageResult } from './intents.ts';
import { DEATHS, disconnectLabels, MISMATCHES, OTHER, OUTCOMES, STORE_OPS, VERDICTS } from './label-sets.ts';

const MS_PER_S = 1_000;

const oneOf = (set: readonly string[], value: string): string => (set.includes(value) ? value : OTHER);

/** Counts what `source` tells of, at the instant at which it is told. Returns the undo. `waitMs`: `queue.waitMs`. */
export function countEvents(source: TelemetrySource, { count, time, tier }: Instruments, waitMs: number): () => void {
  const undo = [
    source.on('admission-ended', (record) => {
      if (record.outcome === 'reattach') return;
      const outcome = OUTCOMES[record.outcome];
      count('admissions_total', { outcome, tier: tier(record.tier), intent: record.intent });
      time('admission_seconds', record.durationMs, { outcome }, traceOf(record.trace));
      const result = connectResult(record, waitMs);
      if (result !== null) count('intents_total', { kind: 'connect', result });
    }),
    source.on('lockout', () => {
      count('lockouts_total');
      count('intents_total', { kind: 'connect', result: 'failed' });
    }),
    source.on('run-ended', (run) => {
      const result = messageResult(run);
      if (result !== null) count('intents_total', { kind: 'message', result });
    }),
    source.on('queue-entered', ({ tier: name }) => count('queue_entries_total', { tier: tier(name) })),
    source.on('queue-left', ({ tier: name, waitedMs }) => time('queue_wait_seconds', waitedMs, { tier: tier(name) })),
    source.on('burst-changed', ({ to }) => {
      if (to === 'active') count('burst_grants_total');
    }),
    source.on('notice-shown', ({ kind }) => count('notices_total', { kind })),

    source.on('cleanup-finished', (report) => {
      const { run, levels, victims, durationMs, trace } = report;
      for (const { level, examined, freed, result } of levels) {
        count('cleanup_runs_total', { level, result });
        count('cleanup_targets_total', { level }, examined);
        count('cleanup_freed_total', { level }, freed);
      }
      for (const { level, verdict, reason } of victims) count('evictions_total', { level, verdict, reason });
      time('cleanup_seconds', durationMs, { level: deepest(report) }, { cleanup_run: run, ...traceOf(trace) });
    }),
    source.on('eviction-regret', () => count('eviction_regrets_total')),
    source.on('zombie-found', ({ reason, delayMs }) => {
      count('zombies_detected_total', { reason: oneOf(DEATHS, reason) });
      time('zombie_detection_delay_seconds', delayMs);
    }),
    source.on('probe-ended', ({ result, durationMs }) => {
      count('probes_total', { result });
      if (result === 'answered') time('probe_seconds', durationMs);
    }),
    source.on('mismatch-found', ({ kind }) => count('registry_mismatches_total', { kind: oneOf(MISMATCHES, kind) })),

    source.on('transport-closed', ({ code, reason }) => count('disconnects_total', { ...disconnectLabels(code, reason) })),
    source.on('acknowledged', ({ delayMs }) => time('ack_delay_seconds', delayMs)),
    source.on('gap-told', () => count('gaps_total')),
    source.on('resumed', ({ result, durationMs }) => {
      count('resumes_total', { result });
      time('resume_seconds', durationMs);
    }),

    source.on('lease-renewed', ({ result, seats }) => count('lease_renewals_total', { result }, seats)),
    source.on('store-asked', ({ op, durationMs, failed }) => {
      const label = { op: oneOf(STORE_OPS, op) };
      time('store_request_seconds', durationMs, label);
      if (failed) count('store_errors_total', label);
    }),
    source.on('node-died', ({ drained }) => count('node_deaths_total', { drained: drained ? 'yes' : 'no' })),
    source.on('golden-path-ran', ({ result, durationMs }) => {
      count('golden_path_runs_total', { result });
      time('golden_path_seconds', durationMs);
    }),
    source.on('attention-lost', ({ gapMs }) => time('attention_gap_seconds', gapMs)),
  ];
  return () => {
    for (const stop of undo) stop();
  };
}

/** What leads from one observation to the trace that a client began. */
function traceOf(trace: string | undefined): Readonly<Record<string, string>> {
  const context = parseTraceparent(trace);
  return context === null ? {} : { trace_id: context.traceId, span_id: context.spanId };
}

/** Lets gauges and hot counters be read from `source` whenever somebody asks. `since`: Unix time in milliseconds at which counting began. */
export function readFigures(source: TelemetrySource, instruments: Instruments, since: number): void {
  const { follow, beforeRead } = instruments;
  follow('events_sent_total', () => source.delivery.sent);
  follow('events_acked_total', () => source.delivery.acked);
  follow('events_replayed_total', () => source.delivery.replayed);
  follow('duplicates_suppressed_total', () => source.delivery.duplicatesSuppressed);
  beforeRead(() => setGauges(source.gauges(), instruments, since));
}

function setGauges(g: Gauges, { set, tier, tiers }: Instruments, since: number): void {
  set('seats', g.seats);
  set('effective_seats', g.effectiveSeats);
  set('transports', g.transports);
  set('quarantined_transports', g.quarantinedTransports);
  set('users', g.users);
  set('users_at_limit', g.usersAtLimit);
  set('users_in_burst', g.usersInBurst);
  set('users_in_debt', g.usersInDebt);
  set('unacked_events', g.unackedEvents);
  set('buffered_bytes', g.bufferedBytes);
  set('local_health_score', g.localHealthScore);
  set('store_fail_open', g.storeFailOpen ? 1 : 0);
  set('node_lease_remaining_seconds', g.leaseRemainingMs / MS_PER_S);
  for (const standing of ['alive', 'silent', 'dead'] as const) set('nodes', g.nodes[standing], { standing });
  set('store_clock_skew_seconds', (g.storeClockSkewMs ?? 0) / MS_PER_S);
  set('draining', g.draining ? 1 : 0);
  set('cleanup_heartbeat_timestamp_seconds', (g.cleanupHeartbeatAt ?? since) / MS_PER_S);
  for (const verdict of VERDICTS) {
    const ofVerdict = g.managers.filter((group) => group.verdict === verdict);
    for (const [name, count] of byTier(ofVerdict, tiers, tier)) set('managers', count, { verdict, tier: name });
  }
  for (const [name, count] of byTier(g.queueLength, tiers, tier)) set('queue_length', count, { tier: name });
}

/** Sums by the tiers of labels; each has one, also with 0. */
function byTier(
  groups: readonly { readonly tier: string; readonly count: number }[],
  tiers: readonly string[],
  tier: (name: string) => string,
): Map<string, number> {
  const sums = new Map(tiers.map((name) => [name, 0]));
  for (const group of groups) sums.set(tier(group.tier), (sums.get(tier(group.tier)) ?? 0) + group.count);
  return sums;
}

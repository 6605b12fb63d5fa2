import type { AdminClient } from '../../src/admin/index.ts';
import { Exposition, type Facts, tally, tallyOf } from '../support/figures.ts';
import { connectionsOf } from '../support/processes.ts';
import type { Witness } from '../support/witness.ts';

/** A gateway and everybody who connected to it. */
export interface Scene {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly admin: AdminClient;
  readonly storeFile: string;
  /** Everybody who ever connected. */
  readonly all: Witness[];
  token(user: string): Promise<string>;
  log(): readonly LogLine[];
}

/** What each source has counted. */
export async function facts({ all, admin, pid, port, log }: Scene): Promise<Facts> {
  const status = await admin.status();
  const health = await admin.healthCheck();
  const history = (await admin.cleanups({ limit: 200 })).cleanups.map(({ cleanup }) => cleanup);
  const events = (await admin.events({ type: 'admission-ended', limit: 1_000 })).events.map(({ data }) => data as { outcome: string });
  const metrics = new Exposition(await admin.metrics());
  const lines = log();
  const of = (event: string): readonly LogLine[] => lines.filter((line) => line.event === event);
  const victims = history.flatMap((cleanup) => cleanup.victims);
  const logged = of('cleanup-finished').flatMap(({ cleanup }) => cleanup?.victims ?? []);
  const seated = all.flatMap(({ ready }) => (ready === null || ready.resume === 'attached' ? [] : [ready]));
  const evicted = all.flatMap(({ bye }) => (bye?.explain === undefined ? [] : [bye]));
  const queued = all.filter((one) => one.all('queued').length > 0);
  const open = all.filter(({ code }) => code === null).length;
  const accepted = all.flatMap((one) => one.all('run-accepted'));
  const sum = (pick: (one: Witness) => number): number => all.reduce((total, one) => total + pick(one), 0);
  const levels = ['conservative', 'moderate', 'aggressive', 'force'] as const;
  const outcomes = tallyOf(
    of('admission-ended')
      .map(({ admission }) => OUTCOME[admission?.outcome ?? ''] ?? '')
      .filter((outcome) => outcome !== ''),
  );
  const waited = queued.filter(({ ready }) => ready !== null).length;

  return {
    'sockets open': { clients: open, kernel: connectionsOf(pid, port), metrics: metrics.sum('transports'), admin: status.sockets },
    seats: { clients: open, metrics: metrics.sum('seats'), admin: status.seats, checked: health.checked, managers: metrics.sum('managers') },
    'effective seats': { metrics: metrics.sum('effective_seats'), admin: status.effective },
    users: { clients: new Set(all.filter(({ code }) => code === null).map(({ user }) => user)).size, metrics: metrics.sum('users'), admin: status.users },
    seated: {
      clients: seated.length,
      admin: status.created,
      metrics: ['seated', 'after_cleanup', 'burst', 'after_queue', 'force'].reduce((total, outcome) => total + metrics.sum('admissions_total', { outcome }), 0),
      log: of('manager-seated').filter((line) => line.resume !== 'attached').length,
    },
    outcomes: { metrics: metrics.by('admissions_total', 'outcome'), log: outcomes, admin: tallyOf(events.flatMap(({ outcome }) => OUTCOME[outcome] ?? [])) },
    'on a burst': {
      clients: seated.filter((ready) => ready.seat === 'burst').length,
      log: of('manager-seated').filter((line) => line.seat === 'burst').length,
    },
    'bursts granted': {
      clients: new Set(all.filter(({ ready }) => ready?.seat === 'burst').map(({ user }) => user)).size,
      metrics: metrics.sum('burst_grants_total'),
      log: of('burst-changed').filter(({ to }) => to === 'active').length,
    },
    queued: { clients: queued.length, metrics: metrics.sum('queue_entries_total'), log: of('queue-entered').length },
    'seated after waiting': {
      clients: waited,
      metrics: metrics.sum('admissions_total', { outcome: 'after_queue' }) + metrics.sum('admissions_total', { outcome: 'force' }),
    },
    'waiting now': { clients: 0, metrics: metrics.sum('queue_length'), admin: status.queued },
    'left the queue': { clients: queued.length - waited, metrics: metrics.sum('admissions_total', { outcome: 'abandoned' }) },
    'told a time': {
      clients: all.filter(({ code }) => code !== null && Math.floor(code / 100) === 41).length,
      log: of('admission-ended').filter(({ admission }) => admission?.outcome === 'retry-later').length,
    },
    'freed by level': {
      clients: tallyOf(evicted.map(({ explain }) => explain.level as string)),
      metrics: metrics.by('cleanup_freed_total', 'level'),
      admin: tally(levels.map((level) => [level, status.freed[level]])),
      log: tallyOf(logged.map(({ level }) => level)),
    },
    'evicted for': {
      clients: tallyOf(evicted.map(({ reason }) => reason as string)),
      metrics: metrics.by('evictions_total', 'reason'),
      admin: tallyOf(victims.map(({ reason }) => reason)),
      log: tallyOf(logged.map(({ reason }) => reason)),
    },
    'cleanup records': { admin: history.length, log: of('cleanup-finished').length },
    'passes by level': {
      metrics: metrics.by('cleanup_runs_total', 'level'),
      admin: tally(history.flatMap((one) => one.levels.map(({ level }) => [level, 1] as const))),
    },
    zombies: { clients: 1, metrics: metrics.sum('zombies_detected_total'), admin: status.zombiesDetected, log: of('zombie-found').length },
    'closed with': { clients: tallyOf(all.flatMap(({ code }) => (code === null ? [] : String(code)))), metrics: metrics.by('disconnects_total', 'code') },
    resumed: {
      clients: tallyOf(all.flatMap(({ ready }) => (ready === null || ready.resume === 'fresh' ? [] : [ready.resume as string]))),
      metrics: metrics.by('resumes_total', 'result'),
    },
    notices: {
      clients: tallyOf(all.flatMap((one) => one.all('notice').flatMap(({ kind, cleared }) => (cleared === true ? [] : (kind as string))))),
      metrics: metrics.by('notices_total', 'kind'),
    },
    'events sent': { clients: sum(({ live }) => live), metrics: metrics.sum('events_sent_total') },
    'events sent again': { clients: sum(({ replayed }) => replayed), metrics: metrics.sum('events_replayed_total') },
    'events acknowledged': { clients: sum(({ acked }) => acked), metrics: metrics.sum('events_acked_total') },
    'unacknowledged now': { clients: 0, metrics: metrics.sum('unacked_events') },
    'answers asked for': {
      clients: accepted.filter(({ duplicate }) => duplicate === false).length,
      metrics: metrics.sum('intents_total', { kind: 'message' }),
    },
    'asked twice': { clients: accepted.filter(({ duplicate }) => duplicate === true).length, metrics: metrics.sum('duplicates_suppressed_total') },
    'never happened': {
      should: 0,
      lockouts: metrics.sum('lockouts_total'),
      gaps: metrics.sum('gaps_total'),
      mismatches: metrics.sum('registry_mismatches_total'),
      regrets: metrics.sum('eviction_regrets_total'),
      failed: metrics.sum('cleanup_runs_total', { result: 'failed' }),
      'failed by the admin API': status.failedCleanups,
      quarantined: status.quarantined,
    },
  };
}

/** As metrics spell the outcomes of admissions. */
const OUTCOME: Readonly<Record<string, string>> = {
  direct: 'seated',
  'after-cleanup': 'after_cleanup',
  burst: 'burst',
  'after-queue': 'after_queue',
  force: 'force',
  'retry-later': 'retry_later',
  abandoned: 'abandoned',
};

/** A line of the gateway's log. */
export interface LogLine {
  readonly event: string;
  readonly resume?: string;
  readonly seat?: string;
  readonly to?: string;
  readonly admission?: { readonly outcome: string };
  readonly cleanup?: { readonly victims: readonly { readonly level: string; readonly reason: string }[] };
}

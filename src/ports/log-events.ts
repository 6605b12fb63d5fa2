/** The closed list of what log records tell: name → severity, where it has one, and the sentence of docs/events.md. Whoever writes a new
 *  kind of record adds it here. */

import type { Severity } from './telemetry.ts';

interface LogEvent {
  /** Several where it depends on how it ended. */
  readonly severity: Severity | readonly Severity[];
  readonly means: string;
}

const of = (severity: Severity | readonly Severity[], means: string) => ({ severity, means }) as const;

export const LOG_EVENTS = {
  // ---- the process
  listening: of('INFO', 'The gateway answers: where, and for operators where.'),
  'admin-key-unknown': of('WARNING', 'The key of the admin API could not be shown; where it stands.'),
  'signing-key-differs': of('ERROR', 'The gateways that share the store have agreed on another signing key since it lost its data: start this one again.'),
  'signing-key-random': of('WARNING', 'A gateway that shares its store signs resume tokens with a key of its own: the others do not know its clients again.'),
  'worker-ended': of('ERROR', 'One of several gateway processes of this machine ended; it is started again.'),
  stopping: of('INFO', 'It was asked to stop; answers under way may end.'),
  stopped: of('INFO', 'It has stopped.'),
  'drain-started': of('INFO', 'Clients are moved away from this node one by one.'),
  'drain-finished': of('INFO', 'Nobody is left on this node.'),
  'drain-failed': of('ERROR', 'Something failed while clients were moved away; those that are left are still here.'),
  'attention-lost': of(
    ['INFO', 'DEBUG'],
    'The event loop of this process did not turn for so long: a second or more, else `DEBUG`. Nothing is held against peers for that time.',
  ),
  // ---- people
  lockout: of('CRITICAL', 'A promise of ours to a person was broken. Must never happen.'),
  'admission-stuck': of('CRITICAL', 'An admission came to no end; the person was told to come back.'),
  'pass-failed': of('CRITICAL', 'A pass over a user’s admissions broke off.'),
  'admission-ended': of('DEBUG', 'How an admission ended, with the levels it took.'),
  'burst-changed': of(['WARNING', 'INFO'], 'A burst lease of a user began (`WARNING`), turned into debt, or was repaid.'),
  'queue-entered': of('WARNING', 'A person waits for a seat, in the queue of its user or of the full node.'),
  'queue-left': of('DEBUG', 'It waits no more: seated, sent away with a time, or gone by itself.'),
  'manager-seated': of('DEBUG', 'A manager took its seat.'),
  'manager-ended': of('DEBUG', 'A manager gave its seat back.'),
  'gap-told': of('WARNING', 'A client asked for positions that are not in the log any more, and was offered a snapshot.'),
  'limits-not-told': of('WARNING', 'A client could not be told how many seats are left.'),
  // ---- cleanup
  'cleanup-finished': of(
    ['INFO', 'WARNING', 'ERROR', 'DEBUG'],
    'The one record of a cleanup pass: who went at which level on which evidence, who stayed and why. `DEBUG` where nobody had to go, `WARNING` where Force took a seat, `ERROR` where something threw or Force found nobody.',
  ),
  'cleanup-failed': of('ERROR', 'A cleanup broke off before it had a record.'),
  'cleanup-heartbeat': of('DEBUG', 'The background pass ran.'),
  'eviction-failed': of('ERROR', 'A seat could not be taken; the next candidate was tried.'),
  'eviction-regret': of('WARNING', 'An evicted session had given a sign of life that was read too late.'),
  'zombie-found': of('DEBUG', 'A manager was found dead, and how long after its last sign of life.'),
  'transport-quarantined': of('WARNING', 'A terminated socket does not close. Its seat is free; it is destroyed again and again.'),
  'registry-mismatch': of('WARNING', 'Registry, index, seats and sockets disagreed in two looks.'),
  'release-failed': of('WARNING', 'The store could not be told of a seat that is free; its lease ends by itself.'),
  'watch-failed': of('ERROR', 'Looking at managers broke off; it is tried again.'),
  'probe-failed': of('WARNING', 'A question to an application could not be asked. That is held against nobody.'),
  'ping-failed': of('WARNING', 'A transport could not be asked for its pong.'),
  // ---- connections and runs
  'connection-failed': of('ERROR', 'A connection ended by an error of ours.'),
  'transport-failed': of('WARNING', 'Writing to a transport failed.'),
  'request-failed': of('ERROR', 'A request could not be answered.'),
  'http-problem': of('ERROR', 'An HTTP request was answered with an internal error.'),
  'send-failed': of('ERROR', 'A message could not be taken; its sender was told.'),
  'agent-failed': of('ERROR', 'An agent threw or fell silent; its run has failed.'),
  'agent-broke-vocabulary': of('ERROR', 'An agent yielded what is no event.'),
  'model-failed': of('WARNING', 'The endpoint of a model refused or broke off.'),
  'run-producer-lost': of('WARNING', 'A run whose process had died was ended.'),
  'recovery-failed': of('ERROR', 'Runs that a killed process left could not be looked up yet.'),
  // ---- the store
  'store-unreachable': of('ERROR', 'The store cannot be used; it is tried again.'),
  'store-lost': of('WARNING', 'The store cannot be asked; who has a seat keeps it, and whoever comes is served by this node alone or tries again by itself.'),
  'store-back': of('INFO', 'The store answers again.'),
  'store-failing': of('ERROR', 'The log is not written; events wait in memory.'),
  'store-recovered': of('INFO', 'The log is written again; what had waited is on its way.'),
  'commit-broken': of('ERROR', 'A stream could not be written and was given up here.'),
  'retention-failed': of('WARNING', 'Old entries could not be removed.'),
  'lease-renewal-failed': of('WARNING', 'Seats could not be renewed; it is tried again.'),
  // ---- nodes that share a store
  'node-died': of('WARNING', 'A node that shared the store is gone; the seats that it held count no more.'),
  'node-name-taken': of('ERROR', 'Two processes live under one name. To the other nodes only one of them lives.'),
  'letter-failed': of('WARNING', 'What another node said could not be heard.'),
  // ---- operators
  'operator-acted': of(['INFO', 'WARNING', 'ERROR'], 'What an operator did, to whom, and why; `WARNING` where it was refused, `ERROR` where it failed.'),
  'alert-changed': of(['ERROR', 'WARNING', 'INFO'], 'An alert began (`ERROR` where it pages) or ended.'),
  'alerts-not-evaluated': of('ERROR', 'Alerts could not be evaluated.'),
  'webhook-failed': of('WARNING', 'The webhook for alerts did not take one.'),
  'golden-path-off': of('INFO', 'The synthetic client does not run, and what would let it.'),
  'golden-path-failed': of('WARNING', 'The synthetic client was not served in time, or not at all.'),
  'golden-path-works': of('INFO', 'The synthetic client is served again.'),
  'live-failed': of('ERROR', 'A live connection of an operator ended by an error of ours.'),
  'listener-failed': of('ERROR', 'Somebody who listens to events threw.'),
} as const satisfies Readonly<Record<string, LogEvent>>;

export type LogEventName = keyof typeof LOG_EVENTS;

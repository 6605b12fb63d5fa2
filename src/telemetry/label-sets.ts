/** The closed sets from which labels of metrics take their values. What is in none of them is counted under `other`. */

import { LEVELS } from '../core/levels.ts';
import type { ProbeResult, SeatedHow, SpillwayEvents } from '../ports/events.ts';
import type { Store } from '../ports/store.ts';
import { CLOSE, closeFor } from '../protocol/close-codes.ts';
import type { NoticeKind, VerdictName } from '../protocol/messages.ts';
import { END_REASONS, EVICT_REASONS, PEOPLE_REASONS, RETRY_REASONS, type ReasonCode, TRANSPORT_REASONS } from '../protocol/reasons.ts';

/** Where a value is in no closed set. */
export const OTHER = 'other';

/** Every member of a union, each once. */
const all =
  <U extends string>() =>
  <const T extends readonly U[]>(...members: T & ([U] extends [T[number]] ? unknown : never)): T =>
    members;

export const VERDICTS = all<VerdictName>()('healthy', 'idle', 'suspect', 'zombie', 'inactive', 'unknown');
export const NOTICE_KINDS = all<NoticeKind>()('limit-near', 'burst', 'queue', 'cleaned-up', 'evicting', 'draining');
export const PROBE_RESULTS = all<ProbeResult>()('answered', 'timeout', 'failed', 'stall_voided', 'correlated_voided');
export const RESUME_RESULTS = all<SpillwayEvents['resumed']['result']>()('attached', 'readmitted', 'gap', 'expired');
export const LEASE_RESULTS = all<SpillwayEvents['lease-renewed']['result']>()('ok', 'adopted', 'ended', 'failed');
export const GOLDEN_PATH_RESULTS = all<SpillwayEvents['golden-path-ran']['result']>()('ok', 'late', 'failed');

/** How admissions end, in the words of metrics. A reattachment is none: it takes no seat. */
export const OUTCOMES = {
  direct: 'seated',
  'after-cleanup': 'after_cleanup',
  burst: 'burst',
  'after-queue': 'after_queue',
  force: 'force',
  'retry-later': 'retry_later',
  abandoned: 'abandoned',
} as const satisfies Record<Exclude<SeatedHow, 'reattach'> | 'retry-later' | 'abandoned', string>;

type Port = 'seats' | 'log' | 'threads' | 'credentials';
/** A question to the store, such as `seats.admit`. */
type StoreOp = 'health' | Exclude<{ [P in Port]: `${P}.${keyof Store[P] & string}` }[Port], 'log.watch'>;

export const STORE_OPS = all<StoreOp>()(
  'health',
  'seats.facts',
  'seats.admit',
  'seats.replace',
  'seats.evict',
  'seats.release',
  'seats.renew',
  'seats.adopt',
  'seats.enqueue',
  'seats.cancel',
  'log.state',
  'log.claim',
  'log.append',
  'log.read',
  'log.renewEpoch',
  'log.trim',
  'threads.list',
  'threads.snapshot',
  'threads.findSend',
  'threads.findRun',
  'threads.openRuns',
  'credentials.putTicket',
  'credentials.consumeTicket',
  'credentials.putRefresh',
  'credentials.rotateRefresh',
  'credentials.revokeRefresh',
);

/** Why an application is found dead, its transport alive or not. */
const APPLICATION_DEATHS = ['ack-timeout', 'probe-timeout'] as const;
/** Why a manager is found without a transport. */
const TRANSPORT_DEATHS = ['transport-lost', 'half-open', 'write-stalled', 'ghost', 'node-dead'] as const;
export const DEATHS = [...APPLICATION_DEATHS, ...TRANSPORT_DEATHS] as const;

export const MISMATCHES = ['manager-without-seat', 'seat-without-manager', 'socket-without-manager', 'attachment-without-socket', 'index'] as const;

/** Level, verdict and reason of every eviction that can be: the dead at any level, the living as far as their level reaches. */
export function evictionLabels(): { readonly level: string; readonly verdict: string; readonly reason: string }[] {
  const living = VERDICTS.filter((verdict) => verdict !== 'zombie' && verdict !== 'inactive');
  const kinds: [readonly string[], readonly string[], readonly string[]][] = [
    [LEVELS, ['zombie'], APPLICATION_DEATHS],
    [LEVELS, ['inactive'], ['client-closed', ...TRANSPORT_DEATHS]],
    [LEVELS, VERDICTS, ['burst-repaid']],
    [['moderate', 'aggressive', 'force'], ['suspect', 'unknown'], ['unresponsive']],
    [['moderate', 'aggressive', 'force'], ['idle'], ['idle-over-limit']],
    [['force'], living, ['lowest-value']],
    [['force'], VERDICTS, PEOPLE_REASONS],
  ];
  return kinds.flatMap(([levels, verdicts, reasons]) =>
    levels.flatMap((level) => verdicts.flatMap((verdict) => reasons.map((reason) => ({ level, verdict, reason })))),
  );
}

/** Close codes of the WebSocket standard. */
const STANDARD: Readonly<Record<number, string>> = {
  1000: 'normal',
  1001: 'going-away',
  1002: 'protocol-error',
  1003: 'unsupported-data',
  1005: 'no-code',
  1006: 'abnormal',
  1007: 'invalid-payload',
  1008: 'policy-violation',
  1009: 'message-too-big',
  1011: 'internal-error',
  1012: 'service-restart',
  1013: 'try-again-later',
};

const REASONS: readonly ReasonCode[] = [...END_REASONS, ...EVICT_REASONS, ...PEOPLE_REASONS, ...RETRY_REASONS, ...TRANSPORT_REASONS];

/** Close code → its own name, and the reason codes that may stand behind it. */
const DISCONNECTS: ReadonlyMap<number, readonly string[]> = new Map([
  ...Object.values(CLOSE).map(
    (close) => [close.code, [...new Set<string>([close.name, ...REASONS.filter((reason) => closeFor(reason).code === close.code)])]] as const,
  ),
  ...Object.entries(STANDARD).map(
    ([code, name]) => [Number(code), code === '1000' || code === '1006' ? [name, ...END_REASONS] : [name]] as [number, readonly string[]],
  ),
]);

export interface DisconnectLabels {
  readonly code: string;
  readonly reason: string;
}

/** The labels of a closed transport. A reason that does not belong to its code counts as the code's own name. */
export function disconnectLabels(code: number, reason: string): DisconnectLabels {
  const reasons = DISCONNECTS.get(code);
  if (reasons === undefined) return { code: OTHER, reason: OTHER };
  return { code: String(code), reason: reasons.includes(reason) ? reason : (reasons[0] as string) };
}

/** Every pair that `disconnectLabels` can give. */
export const DISCONNECT_LABELS: readonly DisconnectLabels[] = [
  ...[...DISCONNECTS].flatMap(([code, reasons]) => reasons.map((reason) => ({ code: String(code), reason }))),
  { code: OTHER, reason: OTHER },
];

/** Every sentence that a person reads because of the gateway. Their words: session, tab, device. */

import { CLOSE, type CloseCode } from './close-codes.ts';
import type { Notice } from './messages.ts';
import type { ReasonCode } from './reasons.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** A span of time in words, rounded up so that nothing is promised too early: "3 s", "2 min", "1 h". */
export function durationText(ms: number): string {
  if (ms <= 90 * SECOND_MS) return `${Math.max(1, Math.ceil(ms / SECOND_MS))} s`;
  if (ms <= 90 * MINUTE_MS) return `${Math.ceil(ms / MINUTE_MS)} min`;
  return `${Math.ceil(ms / HOUR_MS)} h`;
}

/** What stands where a device or tab has no name of its own. */
const SOMEWHERE = 'another tab';

const labelOrElse = (label: string | null | undefined): string => (label == null || label.trim() === '' ? SOMEWHERE : label.trim());

export interface CloseDetails {
  readonly retryAfterMs?: number | undefined;
  /** Name of the tab or device that the person went on in. */
  readonly label?: string | null | undefined;
  /** An administrator's reason, in their words; for 4503 the versions that are spoken. */
  readonly reason?: string | null | undefined;
}

/** The text of a close code with its blanks filled in. Empty where nothing is shown. */
export function closeText(close: CloseCode, details: CloseDetails = {}): string {
  const reason = details.reason?.trim() ?? '';
  // The versions that would do belong to the text: a client of another version has nothing else to show.
  if (close === CLOSE.unsupportedVersion && reason !== '') return `${close.text} ${reason}`;
  const text = reason === '' ? close.text.replace(': {reason}', '') : close.text;
  // Functions, since a label may hold `$&`.
  return text
    .replace('{t}', () => durationText(details.retryAfterMs ?? 0))
    .replace('{label}', () => labelOrElse(details.label))
    .replace('{reason}', () => reason.replace(/\.$/, ''));
}

/** A notice without the identity that its sender gives it. */
export type NoticeBody = Omit<Notice, 'id' | 'version' | 'cleared'>;

/** Share of the limit from which on people are told that it is near. */
export const NEAR_SHARE = 0.7;

/** To all sessions of a user, from `NEAR_SHARE` of the limit on; also while more than the limit are left from extra room that is over. */
export function limitNearNotice(o: { readonly used: number; readonly limit: number }): NoticeBody {
  const what = `You have ${o.used} of ${o.limit} sessions open.`;
  const text =
    o.used > o.limit
      ? `${what} The extra room is over: those unused for longest are paused until ${o.limit} are left, and nothing is lost. You can choose what to close.`
      : `${what} New ones still open: what has stopped responding is closed first. This stays until fewer than ${Math.ceil(NEAR_SHARE * o.limit)} are open. You can choose what to close.`;
  return { kind: 'limit-near', level: 'info', text, actions: ['free'], data: { used: o.used, limit: o.limit } };
}

/** To all sessions of a user while extra room is lent. `untilAt` is milliseconds since the Unix epoch. */
export function burstNotice(o: {
  readonly used: number;
  readonly limit: number;
  readonly burst: number;
  readonly untilAt: number;
  readonly leftMs: number;
}): NoticeBody {
  return {
    kind: 'burst',
    level: 'info',
    text: `You have more tabs open than usual (${o.used} of ${o.limit}). All of them work; the extra room stays for another ${durationText(o.leftMs)}. You can choose what to close.`,
    until: o.untilAt,
    actions: ['free'],
    data: { used: o.used, limit: o.limit, burst: o.burst },
  };
}

/** To a user's seated sessions while others of theirs wait. `untilAt`, milliseconds since the Unix epoch: by then the first has its room. */
export function queueNotice(o: { readonly waiting: number; readonly etaMs: number; readonly untilAt: number }): NoticeBody {
  const who = o.waiting === 1 ? 'One of your tabs is' : `${o.waiting} of your tabs are`;
  return {
    kind: 'queue',
    level: 'info',
    text: `${who} waiting for room, about ${durationText(o.etaMs)}. Closing a session you do not need lets it in at once.`,
    until: o.untilAt,
    actions: ['free'],
    data: { waiting: o.waiting, etaMs: o.etaMs },
  };
}

const STOPPED: ReadonlySet<string> = new Set<ReasonCode>([
  'transport-lost',
  'half-open',
  'write-stalled',
  'ghost',
  'node-dead',
  'ack-timeout',
  'probe-timeout',
  'unresponsive',
]);

/** To the session for which room was made. `reasons` counts the closed ones by reason code. */
export function cleanedUpNotice(o: {
  readonly freed: number;
  readonly level: string;
  readonly durationMs: number;
  readonly reasons: Readonly<Partial<Record<ReasonCode, number>>>;
}): NoticeBody {
  const stopped = Object.entries(o.reasons).reduce((sum, [reason, count]) => (STOPPED.has(reason) ? sum + count : sum), 0);
  const many = o.freed === 1 ? 'one of your sessions' : `${o.freed} of your sessions`;
  const text =
    stopped >= o.freed
      ? `We closed ${many} that had stopped responding.`
      : `We closed ${many} to make room${stopped === 0 ? '' : `; ${stopped} had stopped responding`}. Nothing is lost.`;
  return { kind: 'cleaned-up', level: 'info', text, actions: ['free'], data: { freed: o.freed, level: o.level, durationMs: o.durationMs, reasons: o.reasons } };
}

/** To the session that is being closed, before its farewell. The close code then says whether it comes back by itself. */
export function evictingNotice(o: {
  readonly level: string;
  readonly reason: ReasonCode;
  readonly graceMs: number;
  readonly label: string | null;
}): NoticeBody {
  const label = labelOrElse(o.label);
  const comesBack = STOPPED.has(o.reason);
  return {
    kind: 'evicting',
    level: 'warning',
    text: `${whyEvicted(o.reason, label)} Nothing is lost; ${comesBack ? 'it comes back by itself' : 'it stays paused until you resume it here'}.`,
    actions: comesBack ? [] : ['resume-here'],
    data: { level: o.level, reason: o.reason, graceMs: o.graceMs, by: { label } },
  };
}

const WHY_EVICTED: Readonly<Partial<Record<ReasonCode, (label: string) => string>>> = {
  'idle-over-limit': () => 'This tab is being paused because it was unused and its room was needed.',
  'burst-repaid': () => 'This tab is being paused because the extra room is over.',
  'user-freed': (label) => `You are closing this tab from ${label}.`,
  'admin-evicted': () => 'An administrator is ending this session.',
};

function whyEvicted(reason: ReasonCode, label: string): string {
  if (STOPPED.has(reason)) return 'This tab had stopped answering, so its room was given back.';
  return WHY_EVICTED[reason]?.(label) ?? `This tab is being paused because you went on in ${label}.`;
}

/** To everybody on a server that is about to stop. `slotMs` is this session's own turn. */
export function drainingNotice(o: { readonly slotMs: number; readonly reason: string }): NoticeBody {
  return {
    kind: 'draining',
    level: 'info',
    text: `Moving you to another server in ${durationText(o.slotMs)}. Nothing is lost and there is nothing to do.`,
    actions: [],
    data: { slotMs: o.slotMs, reason: o.reason },
  };
}

/** Why an answer did not finish, for a run's `agent_error`. `recoverable`: asking again can help. */
export const AGENT_FAILURES = {
  /** The process that ran the agent is gone. */
  producerLost: {
    code: 'producer_lost',
    error_message: 'The answer did not finish because the server stopped. What you see is kept. Try again.',
    recoverable: true,
  },
  /** The agent threw. */
  failed: { code: 'agent_failed', error_message: 'The answer did not finish. Try again.', recoverable: true },
  /** Nothing came from the agent for too long. */
  silent: { code: 'agent_silent', error_message: 'The answer did not finish because nothing came for too long. Try again.', recoverable: true },
  /** The agent yielded something that is no event, or ended without its last one. */
  invalid: { code: 'agent_invalid', error_message: 'The answer did not finish because of an error on our side. Try again.', recoverable: true },
  /** The run logged more than it may. */
  tooLong: { code: 'run_too_long', error_message: 'The answer became too long and was ended here. Ask for a shorter one.', recoverable: true },
  /** Its log could not be written. */
  storeUnavailable: { code: 'store_unavailable', error_message: 'The answer did not finish because it could not be saved. Try again.', recoverable: true },
} as const satisfies Readonly<Record<string, { readonly code: string; readonly error_message: string; readonly recoverable: boolean }>>;

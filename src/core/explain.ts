/** Evidence in plain words, for operators and log records. Every figure comes from the evidence; nothing is judged here. */

import type { Attentive } from './clocks.ts';
import { applicationAt, type Evidence, owedSince } from './evidence.ts';
import type { Verdict } from './judge.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A ping whose pong is this late is worth a word. */
const PONG_LATE_MS = 1_000;

/** A span of time as people read it: `9.2s`, `37m58s`, `2h05m`, `3d4h`. Never rounded up; below 0 it is 0. */
export function spanText(ms: number): string {
  const span = Math.max(0, ms);
  if (span < MINUTE_MS) return `${(Math.floor(span / 100) / 10).toFixed(1)}s`;
  const [of, unit, part, partUnit, digits] =
    span < HOUR_MS
      ? ([MINUTE_MS, 'm', SECOND_MS, 's', 2] as const)
      : span < DAY_MS
        ? ([HOUR_MS, 'h', MINUTE_MS, 'm', 2] as const)
        : ([DAY_MS, 'd', HOUR_MS, 'h', 1] as const);
  return `${Math.floor(span / of)}${unit}${String(Math.floor((span % of) / part)).padStart(digits, '0')}${partUnit}`;
}

/** Why a manager got verdict `v`, in one sentence without a full stop, such as `37 events unacknowledged for 9.2s, probe unanswered;
 *  its socket still answers pings`. */
export function explainEvidence(e: Evidence, v: Verdict, now: Attentive): string {
  if (e.owner === 'answering') return toldText(e, v, now);
  const noLink = withoutLink(e, now);
  if (noLink !== null) return noLink;
  if (e.owner === 'dead') return 'the node that held it is gone';
  if (e.owner === 'silent') return 'the node that holds it does not answer';
  switch (v.is) {
    case 'healthy':
      return join([e.run ? 'a run is in progress' : null, owedText(e, now), signText(e, now)]);
    case 'idle':
      return join([`unused for ${spanText(v.quietMs)}`, signText(e, now)]);
    case 'suspect':
    case 'zombie':
    case 'inactive':
      return `${accusation(e, now)}; ${socketText(e, now)}`;
    case 'unknown':
      return `${accusation(e, now)}; ${doubt(v.reason) ?? socketText(e, now)}`;
  }
}

function withoutLink({ link, class: kind }: Evidence, now: Attentive): string | null {
  if (link.is === 'open') return null;
  if (link.is === 'ended') return ENDED[link.reason];
  const isOver = kind === 'unverifiable' ? 'its client cannot come back to it' : 'its client has not come back';
  return `${LOST[link.reason]} ${spanText(now - link.since)} ago; ${isOver}`;
}

const ENDED = {
  'client-closed': 'its client said goodbye',
  parked: 'its client put it aside',
  ghost: 'seat and manager did not belong together',
  superseded: 'another connection holds its seat now',
  'node-dead': 'the node that held it is gone',
} as const;

const LOST = {
  'transport-lost': 'its connection was lost',
  'half-open': 'its connection answered no ping and was given up',
  'write-stalled': 'its connection took no more data and was given up',
} as const;

/** What its own node told of it. The evidence is there. */
function toldText(e: Evidence, v: Verdict, now: Attentive): string {
  const known = `by its own node's word it has been ${v.is} (${v.reason}) for ${spanText(now - v.since)}`;
  return join([known, e.run ? 'a run is in progress' : `unused for ${spanText(v.quietMs)}`]);
}

/** What speaks against it, or what is missing. */
function accusation(e: Evidence, now: Attentive): string {
  const stuck = e.outputStuckSince === null ? null : `output stuck for ${spanText(now - e.outputStuckSince)}`;
  const life = owedText(e, now) ?? `no sign of its application for ${spanText(now - applicationAt(e))}`;
  return join([life, probeText(e), stuck, e.run ? 'a run is in progress' : null]);
}

function probeText({ probe, class: kind }: Evidence): string | null {
  if (kind === 'unverifiable') return 'its wire cannot acknowledge';
  if (probe === null) return 'not asked yet';
  if (probe.failed) return 'our probe could not be sent';
  return probe.flushedAt === null ? 'a probe is on its way' : 'probe unanswered';
}

function doubt(reason: Extract<Verdict, { is: 'unknown' }>['reason']): string | null {
  switch (reason) {
    case 'self-slow':
      return 'not held against it, because this node itself was slow';
    case 'correlated':
      return 'not held against it yet, because many others fell silent with it';
    case 'probe-failed':
      return 'not held against it';
    case 'node-silent':
    case 'unverifiable':
    case 'not-asked':
      return null;
  }
}

function owedText(e: Evidence, now: Attentive): string | null {
  const since = owedSince(e);
  if (e.owed === null || since === null) return null;
  return `${e.owed.events} ${e.owed.events === 1 ? 'event' : 'events'} unacknowledged for ${spanText(now - since)}`;
}

/** Its latest sign of life. */
function signText(e: Evidence, now: Attentive): string {
  const at = applicationAt(e);
  const what = at === e.ackAt && at > e.seatedAt ? 'acknowledged an event' : at === e.answerAt && at > e.seatedAt ? 'answered a probe' : 'was heard';
  return `${what} ${spanText(now - at)} ago`;
}

function socketText(e: Evidence, now: Attentive): string {
  const isLate = e.pingFlushedAt !== null && now - e.pingFlushedAt >= PONG_LATE_MS;
  return isLate ? `its socket has answered no ping for ${spanText(now - e.pongAt)}` : 'its socket still answers pings';
}

const join = (parts: readonly (string | null)[]): string => parts.filter((part) => part !== null).join(', ');

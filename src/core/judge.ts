/** Evidence to verdict. Dead is said only with proof; without it a peer is at worst `suspect`, which ranks and kills nobody. */

import type { ALIVE_REASONS, EndReason, LostReason, SUSPECT_REASONS, UnknownReason } from '../protocol/reasons.ts';
import type { Attentive } from './clocks.ts';
import { applicationAt, type Evidence, isVoid, owedSince, quietMs, type SignalId } from './evidence.ts';
import type { Options } from './options.ts';
import { patienceMs } from './patience.ts';
import { appDeadMs } from './pressure.ts';
import type { SelfHealth } from './self-health.ts';

export interface Facts {
  /** Since when the verdict has been this one. */
  readonly since: Attentive;
  readonly quietMs: number;
  /** The signals at this instant, for whoever asks why. */
  readonly evidence: readonly Signal[];
}
export interface Signal {
  readonly signal: SignalId;
  readonly ageMs: number;
  readonly value?: number;
}

export type AliveReason = (typeof ALIVE_REASONS)[number];
export type SuspectReason = (typeof SUSPECT_REASONS)[number];

/** `proof`: dead, its seat may be given to whoever needs it. */
export type Verdict = (
  | { readonly is: 'healthy' | 'idle'; readonly reason: AliveReason; readonly proof: false }
  /** `overdue`: age of the oldest unanswered question / patience. */
  | { readonly is: 'suspect'; readonly reason: SuspectReason; readonly overdue: number; readonly proof: false }
  | { readonly is: 'zombie'; readonly reason: 'ack-timeout' | 'probe-timeout'; readonly proof: true }
  | { readonly is: 'inactive'; readonly reason: EndReason | LostReason; readonly lostForMs: number; readonly proof: true }
  | { readonly is: 'unknown'; readonly reason: UnknownReason; readonly proof: false }
) &
  Facts;

type Finding = Verdict extends infer V ? (V extends Facts ? Omit<V, keyof Facts> : never) : never;

/** The verdict on one manager at pressure `p`: the first row V1…V11 that holds. `previous` is its last verdict, which keeps a
 *  `zombie` one until new application evidence and says since when. */
export function judge(e: Evidence, previous: Verdict | null, self: SelfHealth, p: number, o: Options, now: Attentive): Verdict {
  const found = find(e, previous, self, p, o, now);
  const since = previous?.is === found.is ? previous.since : now;
  return { ...found, since, quietMs: quietMs(e, now), evidence: signals(e, now) } as Verdict;
}

function find(e: Evidence, previous: Verdict | null, self: SelfHealth, p: number, o: Options, now: Attentive): Finding {
  // V1
  if (e.link.is === 'ended') return { is: 'inactive', reason: e.link.reason, lostForMs: 0, proof: true };
  if (e.link.is === 'lost') {
    // V1 for an unverifiable one, which cannot re-attach: its client hung up, unless we know of a worse cause. V2 for the others.
    const reason = e.class === 'unverifiable' && e.link.reason === 'transport-lost' ? 'client-closed' : e.link.reason;
    return { is: 'inactive', reason, lostForMs: Math.max(0, now - e.link.since), proof: true };
  }
  // V3
  if (e.owner === 'dead') return { is: 'inactive', reason: 'node-dead', lostForMs: 0, proof: true };
  const evidenceAt = applicationAt(e);
  // V4. When it was found, its evidence was older by far than `since`.
  if (previous?.is === 'zombie' && evidenceAt < previous.since) return { is: 'zombie', reason: previous.reason, proof: true };
  // V5
  if (e.owner === 'silent') return { is: 'unknown', reason: 'node-silent', proof: false };

  const against = findAgainst(e, self.score, o, now);
  const isStale = now - evidenceAt >= appDeadMs(p, o);
  // V6
  if (e.class === 'acking' && against === null && !isStale) return alive(e, o, now);
  // V7
  if (against !== null || isStale) {
    const why = isVoided(e, self, o);
    if (why !== null) return { is: 'unknown', reason: why, proof: false };
  }
  // V8
  if (e.class === 'acking' && isStale && isUnanswered(e, self.score, o.health.confirmMaxMs, o, now)) {
    return { is: 'zombie', reason: e.owed === null ? 'probe-timeout' : 'ack-timeout', proof: true };
  }
  // V9
  if (against !== null) return { is: 'suspect', ...against, proof: false };
  // V10, V11
  return { is: 'unknown', reason: e.class === 'unverifiable' ? 'unverifiable' : 'not-asked', proof: false };
}

function alive(e: Evidence, o: Options, now: Attentive): Finding {
  if (e.run) return { is: 'healthy', reason: 'run', proof: false };
  if (e.owed !== null) return { is: 'healthy', reason: 'owed', proof: false };
  return quietMs(e, now) < o.health.freshMs ? { is: 'healthy', reason: 'active', proof: false } : { is: 'idle', reason: 'quiet', proof: false };
}

/** N1, N2, N3: the first that holds, and how long overdue the oldest of all is. */
function findAgainst(e: Evidence, score: number, o: Options, now: Attentive): { reason: SuspectReason; overdue: number } | null {
  const owed = owedSince(e);
  const stalledMs = owed !== null && now - owed >= ackStalledMs(e, o) ? now - owed : null;
  const isOld = now - applicationAt(e) >= o.health.freshMs;
  const missedMs = isOld && isUnanswered(e, score, o.health.suspectMaxMs, o, now) ? now - (e.probe?.flushedAt ?? now) : null;
  const stuckMs = e.outputStuckSince !== null && now - e.outputStuckSince >= o.health.writeStalledMs ? now - e.outputStuckSince : null;
  const reason = stalledMs !== null ? 'ack-stalled' : missedMs !== null ? 'probe-missed' : stuckMs !== null ? 'write-stalled' : null;
  if (reason === null) return null;
  const patience = Math.min(patienceMs(e, score, o), o.health.suspectMaxMs);
  return { reason, overdue: Math.max(stalledMs ?? 0, missedMs ?? 0, stuckMs ?? 0) / patience };
}

const ackStalledMs = (e: Evidence, o: Options): number => Math.max(o.health.ackStalledMs, 8 * e.srttMs);

/** Whether a probe flushed after the last evidence has been unanswered for its patience, at most `maxMs` of it. */
function isUnanswered(e: Evidence, score: number, maxMs: number, o: Options, now: Attentive): boolean {
  const flushedAt = e.probe?.flushedAt ?? null;
  return flushedAt !== null && flushedAt >= applicationAt(e) && now - flushedAt >= Math.min(patienceMs(e, score, o), maxMs);
}

/** From when on the silence of the question that is out speaks against its manager; null while none is out since its last sign of
 *  life. Who is to be proved dead is waited for at most `health.confirmMaxMs`, any other `health.suspectMaxMs`. */
export function silentFrom(e: Evidence, score: number, p: number, o: Options, now: Attentive): Attentive | null {
  const flushedAt = e.probe?.flushedAt ?? null;
  if (flushedAt === null || flushedAt < applicationAt(e)) return null;
  const isStale = now - applicationAt(e) >= appDeadMs(p, o);
  return (flushedAt + Math.min(patienceMs(e, score, o), isStale ? o.health.confirmMaxMs : o.health.suspectMaxMs)) as Attentive;
}

function isVoided(e: Evidence, self: SelfHealth, o: Options): UnknownReason | null {
  if (self.score >= o.health.sickScore) return 'self-slow';
  // Voided once: the second question counts whoever else is silent.
  if ((self.correlated && e.probe?.standing !== 'second') || e.probe?.standing === 'voided') return 'correlated';
  if (e.probe?.failed === true) return 'probe-failed';
  return e.probe !== null && isVoid(e.probe, o.health.stallGapMs) ? 'self-slow' : null;
}

function signals(e: Evidence, now: Attentive): readonly Signal[] {
  const age = (at: Attentive): number => Math.max(0, Math.round(now - at));
  const list: Signal[] = [
    { signal: 'E1', ageMs: age(e.ackAt), value: e.owed?.events ?? 0 },
    { signal: 'E2', ageMs: age(e.answerAt) },
    { signal: 'E3', ageMs: age(e.inboundAt) },
    { signal: 'E4', ageMs: age(e.pongAt) },
  ];
  if (e.outputStuckSince !== null) list.push({ signal: 'E6', ageMs: age(e.outputStuckSince) });
  if (e.run) list.push({ signal: 'E7', ageMs: 0 });
  if (e.link.is !== 'open')
    list.push({ signal: e.link.is === 'ended' && e.link.reason === 'ghost' ? 'E9' : 'E8', ageMs: e.link.is === 'lost' ? age(e.link.since) : 0 });
  return list;
}

/** When a verdict could next be another one if nothing is observed until then. The wheel judges again there. */
export function judgeAgainAt(e: Evidence, self: SelfHealth, p: number, o: Options, now: Attentive): Attentive {
  let next = now + o.health.freshMs;
  const consider = (at: number) => {
    if (at > now && at < next) next = at;
  };
  const evidenceAt = applicationAt(e);
  consider(evidenceAt + appDeadMs(p, o));
  consider(evidenceAt + o.health.freshMs);
  consider(e.activityAt + o.health.freshMs);
  const owed = owedSince(e);
  if (owed !== null) consider(owed + ackStalledMs(e, o));
  if (e.outputStuckSince !== null) consider(e.outputStuckSince + o.health.writeStalledMs);
  const flushedAt = e.probe?.flushedAt ?? null;
  if (flushedAt !== null) {
    const patience = patienceMs(e, self.score, o);
    consider(flushedAt + Math.min(patience, o.health.confirmMaxMs));
    consider(flushedAt + Math.min(patience, o.health.suspectMaxMs));
  }
  return next as Attentive;
}

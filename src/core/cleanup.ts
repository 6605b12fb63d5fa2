/** Whom to free, and whether a plan is still true when it is carried out. */

import type { ManagerId, UserId } from '../protocol/ids.ts';
import type { EvictReason, KeepReason } from '../protocol/reasons.ts';
import type { Verdict } from './judge.ts';
import { type CleanupLevel, lingerMs, liveQuota } from './levels.ts';
import type { Options } from './options.ts';
import { type Candidate, compareRepayment, compareVictims, isDeadEligible, isLivingEligible, type Trigger } from './victims.ts';

export interface CleanupRequest {
  readonly level: CleanupLevel;
  /** Seats still missing: admissions of this user in this pass that room does not cover, or seats above the limit to repay. */
  readonly need: number;
  /** Living managers this step may take at most, besides the level's own bound: 0 takes only the dead. */
  readonly liveMax: number;
  /** Pressure, taken once a pass. */
  readonly p: number;
  readonly trigger: Trigger;
  /** Whose seats these are; candidates of anybody else are never taken. */
  readonly userId: UserId;
  /** Who asks, and so never pays. */
  readonly requester: ManagerId | null;
  readonly candidates: readonly Candidate[];
}

export interface Victim {
  readonly managerId: ManagerId;
  /** Of its evidence, as the plan saw it. */
  readonly version: number;
  readonly token: number;
  readonly verdict: Verdict;
  readonly reason: EvictReason;
  /** How long its transport may take its farewell; 0 for the dead. */
  readonly lingerMs: number;
}

export interface CleanupPlan {
  /** In the order in which they go. */
  readonly victims: readonly Victim[];
  readonly kept: readonly { readonly managerId: ManagerId; readonly because: KeepReason }[];
  /** Whether the victims cover the need. */
  readonly result: 'enough' | 'short';
}

/** Chooses who gives up a seat at `r.level`, cheapest loss first, among one user's managers. The dead are taken beyond the need
 *  (but one that lost its transport only just now, one of a dead node, and any in a repayment, only as needed); the living never. Gives a reason for
 *  everyone kept. Does not depend on the order of `r.candidates`. Never throws. */
export function planCleanup(r: CleanupRequest, o: Options): CleanupPlan {
  const ordered = [...r.candidates].sort(victimOrder(r));
  const taken = new Set<Candidate>();
  const isFree = (c: Candidate) => protection(c, r) === null;
  const dead = ordered.filter((c) => isFree(c) && isDeadEligible(c, r.level, r.trigger, o));

  // A node that seemed dead may only have stalled: it finds in place what nobody needed.
  const isSpared = (c: Candidate) => r.trigger === 'repay' || c.owner === 'dead' || (r.trigger === 'admission' && isFreshlyLost(c, o));
  for (const c of dead) if (!isSpared(c)) taken.add(c);
  for (const c of dead.filter(isSpared).sort(byLoss)) if (taken.size < r.need) taken.add(c);

  const quota = Math.min(r.need - taken.size, r.liveMax, liveQuota(r.level, o));
  const living = ordered.filter((c) => isFree(c) && !c.verdict.proof && isLivingEligible(c, r.level, r.trigger, r.p, o));
  for (const c of living.slice(0, Math.max(0, quota))) taken.add(c);

  const victims = ordered.filter((c) => taken.has(c)).map((c) => toVictim(c, r, o));
  const isCovered = victims.length >= r.need;
  const eligible = new Set([...dead, ...living]);
  const kept = ordered.filter((c) => !taken.has(c)).map((c) => ({ managerId: c.managerId, because: keepReason(c, r, eligible.has(c), isCovered) }));
  return { victims, kept, result: isCovered ? 'enough' : 'short' };
}

/** In which order they go. Debt that is not overdue is repaid by whoever was quiet longest. */
export const victimOrder = (r: Pick<CleanupRequest, 'trigger' | 'level'>): ((a: Candidate, b: Candidate) => number) =>
  r.trigger === 'repay' && r.level !== 'force' ? compareRepayment : compareVictims;

/** Why nobody may take it, whatever the level. */
function protection(c: Candidate, r: CleanupRequest): KeepReason | null {
  if (c.userId !== r.userId) return 'not-needed';
  if (c.managerId === r.requester) return 'requester';
  if (c.promised) return 'promised';
  return c.pinned && !c.verdict.proof ? 'pinned' : null;
}

/** A transport that was lost this recently is probably on its way back. */
const isFreshlyLost = (c: Candidate, o: Options): boolean =>
  c.link.is === 'lost' && c.class === 'acking' && c.verdict.is === 'inactive' && c.verdict.lostForMs < o.health.reattachGraceMs;

const lostForMs = (c: Candidate): number => (c.verdict.is === 'inactive' ? c.verdict.lostForMs : 0);

/** Ended ones first, then the longest lost. */
const byLoss = (a: Candidate, b: Candidate): number =>
  Number(a.link.is === 'lost') - Number(b.link.is === 'lost') || lostForMs(b) - lostForMs(a) || compareVictims(a, b);

function toVictim(c: Candidate, r: CleanupRequest, o: Options): Victim {
  return {
    managerId: c.managerId,
    version: c.version,
    token: c.token,
    verdict: c.verdict,
    reason: evictReason(c, r),
    lingerMs: c.verdict.proof ? 0 : lingerMs(r.level, o),
  };
}

function evictReason(c: Candidate, r: CleanupRequest): EvictReason {
  if (c.verdict.is === 'inactive' || c.verdict.is === 'zombie') return c.verdict.reason;
  if (r.trigger === 'repay') return 'burst-repaid';
  if (r.trigger === 'user') return 'user-freed';
  if (r.trigger === 'operator') return 'admin-evicted';
  if (c.verdict.is === 'suspect') return 'unresponsive';
  return r.level === 'force' ? 'lowest-value' : 'idle-over-limit';
}

function keepReason(c: Candidate, r: CleanupRequest, isEligible: boolean, isCovered: boolean): KeepReason {
  const because = protection(c, r);
  if (because !== null) return because;
  if (isEligible) return isCovered ? 'not-needed' : 'level-quota';
  if (c.verdict.proof) return r.trigger === 'proactive' ? 'not-needed' : 'level-quota';
  if (c.run) return 'run';
  if (c.verdict.is === 'healthy') return c.owed?.critical === true ? 'critical-unacked' : 'functional';
  if (c.newborn) return 'newborn';
  if (c.verdict.is === 'idle') return 'quiet-below-limit';
  return c.verdict.is === 'suspect' ? 'level-quota' : 'unknown';
}

export type Reserve = { readonly ok: true } | { readonly ok: false; readonly because: 'gone' | 'revived' | 'taken' };

/** RESERVE, the first step of an eviction: whether the victim is still what the plan saw. Any evidence since (its version rose)
 *  aborts; at `force` only identity and whether it is dead are compared, because a healthy manager changes all the time. */
export function checkReserve(seen: Victim, current: Candidate | null, level: CleanupLevel): Reserve {
  if (current === null || current.managerId !== seen.managerId) return { ok: false, because: 'gone' };
  if (current.token !== seen.token || current.promised) return { ok: false, because: 'taken' };
  if (current.pinned && !current.verdict.proof) return { ok: false, because: 'revived' };
  const isSame = level === 'force' ? !seen.verdict.proof || current.verdict.proof : current.version === seen.version;
  return isSame ? { ok: true } : { ok: false, because: 'revived' };
}

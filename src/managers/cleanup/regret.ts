import type { Victim } from '../../core/cleanup.ts';
import type { SignalId } from '../../core/evidence.ts';
import type { CleanupLevel } from '../../core/levels.ts';
import type { ManagerId, UserId } from '../../protocol/ids.ts';
import type { VerdictName } from '../../protocol/messages.ts';
import type { EvictReason } from '../../protocol/reasons.ts';

/** An eviction that its victim's own sign of life contradicts: it had come before the seat was taken and was read only after. Nothing
 *  is undone, because the seat is somebody else's; the session comes back with all its story. */
export interface RegretRecord {
  readonly managerId: ManagerId;
  readonly user: UserId;
  readonly level: CleanupLevel;
  readonly verdict: VerdictName;
  readonly reason: EvictReason;
  /** The sign of life. */
  readonly signal: SignalId;
}

/** Signs of life of an application. */
export type LifeSignal = Extract<SignalId, 'E1' | 'E2' | 'E3'>;

/** Whether `signal` would have spared `victim`. Answering a probe does not end quiet, a person's own decision needs no evidence, and
 *  Force takes the living whatever they do. */
export function isRegret(victim: Pick<Victim, 'verdict' | 'reason'>, level: CleanupLevel, signal: LifeSignal): boolean {
  if (victim.reason === 'user-freed' || victim.reason === 'admin-evicted') return false;
  if (victim.verdict.proof) return true;
  if (level === 'force') return false;
  return victim.verdict.is === 'suspect' || signal !== 'E2';
}

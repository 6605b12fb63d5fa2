import type { Victim } from '../../core/cleanup.ts';
import type { SignalId } from '../../core/evidence.ts';
import type { CleanupLevel } from '../../core/levels.ts';

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

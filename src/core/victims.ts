/** Who may be taken, and who goes first. */

import type { Attentive } from './clocks.ts';
import { type Evidence, isOver } from './evidence.ts';
import type { Verdict } from './judge.ts';
import { type CleanupLevel, reaches } from './levels.ts';
import type { Options } from './options.ts';
import { idleMs } from './pressure.ts';

/** A seated manager as a plan sees it. */
export interface Candidate extends Evidence {
  readonly verdict: Verdict;
  /** Rises with application evidence, verdict, run and transport. */
  readonly version: number;
  /** Of its seat. */
  readonly token: number;
  readonly pinned: boolean;
  /** Its seat is kept for the admission that paid for it. */
  readonly promised: boolean;
  /** Seated less than `health.newbornMs` ago. */
  readonly newborn: boolean;
}

export const toCandidate = (
  e: Evidence,
  verdict: Verdict,
  seat: Pick<Candidate, 'version' | 'token' | 'pinned' | 'promised'>,
  o: Options,
  now: Attentive,
): Candidate => ({
  ...e,
  verdict,
  ...seat,
  newborn: now - e.seatedAt < o.health.newbornMs,
});

/** Cheapest loss first: the dead by proof, then by what a person would miss. A bare wire's stream would break, so it goes last. */
function rank(c: Candidate): number {
  switch (c.verdict.is) {
    case 'inactive':
      return 0;
    case 'zombie':
      return 1;
    case 'suspect':
      return 2;
    case 'idle':
      return 3;
    case 'unknown':
      return c.run ? 7 : 4;
    case 'healthy':
      return c.run ? 6 : 5;
  }
}

const overdue = (c: Candidate): number => (c.verdict.is === 'suspect' ? c.verdict.overdue : 0);
const isCritical = (c: Candidate): boolean => c.owed?.critical === true;
const isVisible = (c: Candidate): boolean => c.visibility === 'visible' || c.visibility === 'unknown';

/** Orders victims, cheapest loss first: rank, newborn last, critical last, hidden before visible, for suspects the longest
 *  overdue, for others the longest quiet, then the oldest, then the id. Total, so that a plan never depends on the order in
 *  which managers were found. */
export function compareVictims(a: Candidate, b: Candidate): number {
  return (
    rank(a) - rank(b) ||
    Number(a.newborn) - Number(b.newborn) ||
    Number(isCritical(a)) - Number(isCritical(b)) ||
    Number(isVisible(a)) - Number(isVisible(b)) ||
    compare(overdue(b), overdue(a)) ||
    (a.verdict.is === 'suspect' ? 0 : compare(b.verdict.quietMs, a.verdict.quietMs)) ||
    compare(a.seatedAt, b.seatedAt) ||
    compare(a.managerId, b.managerId)
  );
}

/** Orders the repayment of a burst: rank, then the longest quiet, whatever else speaks for a session. */
export const compareRepayment = (a: Candidate, b: Candidate): number =>
  rank(a) - rank(b) || compare(b.verdict.quietMs, a.verdict.quietMs) || compareVictims(a, b);

const compare = <T extends number | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

export type Trigger = 'admission' | 'proactive' | 'repay' | 'operator' | 'user';

/** Whether a dead manager may go: `conservative` takes the inactive ones, `moderate` the zombies too. A proactive pass leaves a
 *  lost transport its seat until its resume window ends, and a dead node's manager until its lease ends. */
export function isDeadEligible(c: Candidate, level: CleanupLevel, trigger: Trigger, o: Options): boolean {
  if (c.verdict.is === 'zombie') return reaches(level, 'moderate');
  if (c.verdict.is !== 'inactive') return false;
  if (trigger !== 'proactive' || isOver(c)) return true;
  return c.link.is === 'lost' && c.verdict.lostForMs >= o.resume.windowMs;
}

/** Whether a living manager may go at `level` and pressure `p`. A burst's repayment takes only long idle ones, or at the end of
 *  its debt (`force`) anybody. */
export function isLivingEligible(c: Candidate, level: CleanupLevel, trigger: Trigger, p: number, o: Options): boolean {
  if (trigger === 'proactive' || level === 'conservative') return false;
  if (level === 'force') return true;
  if (c.run) return false;
  const isQuietAtLimit = c.verdict.quietMs >= Math.min(o.cleanup.idleFullMs, idleMs(p, o));
  if (trigger === 'repay') return reaches(level, 'aggressive') && c.verdict.is === 'idle' && isQuietAtLimit;
  if (reaches(level, 'moderate') && c.verdict.is === 'idle' && c.verdict.quietMs >= idleMs(p, o) && !isCritical(c) && !c.newborn) return true;
  if (!reaches(level, 'aggressive')) return false;
  switch (c.verdict.is) {
    case 'suspect':
      return !c.newborn;
    case 'idle':
      return isQuietAtLimit;
    case 'unknown':
      return c.verdict.reason === 'unverifiable' && isQuietAtLimit;
    case 'healthy':
    case 'zombie':
    case 'inactive':
      return false;
  }
}

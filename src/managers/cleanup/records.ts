import type { CleanupPlan, Victim } from '../../core/cleanup.ts';
import { explainEvidence } from '../../core/explain.ts';
import type { CleanupLevel } from '../../core/levels.ts';
import type { Candidate } from '../../core/victims.ts';
import type { ManagerId, NodeId, UserId } from '../../protocol/ids.ts';
import type { Context } from '../context.ts';
import type { CleanupReport, KeptRecord, VictimRecord } from '../events.ts';

/** What is kept of an eviction: the victim as it was seen at that instant. */
export const recordOf = (context: Context, victim: Victim, seen: Candidate, level: CleanupLevel): VictimRecord => ({
  managerId: victim.managerId,
  level,
  verdict: victim.verdict.is,
  reason: victim.reason,
  evidence: victim.verdict.evidence,
  text: explainEvidence(seen, seen.verdict, context.now()),
  ...heldBy(context, seen.userId, victim.managerId),
});

/** Which node holds it, where that is another one. */
function heldBy({ elsewhere }: Context, user: UserId, manager: ManagerId): { readonly node?: NodeId } {
  const found = elsewhere.find(user, manager);
  return found === null ? {} : { node: found.digest.node };
}

/** Who stays after a level: whom the plan kept, and victims that were spared at the last instant. */
export function keptOf(
  context: Context,
  plan: CleanupPlan,
  candidates: readonly Candidate[],
  victims: readonly { readonly managerId: ManagerId }[],
): readonly KeptRecord[] {
  const because = new Map(plan.kept.map((kept) => [kept.managerId, kept.because]));
  const gone = new Set(victims.map((victim) => victim.managerId));
  return candidates
    .filter((c) => !gone.has(c.managerId))
    .map((c) => ({
      managerId: c.managerId,
      verdict: c.verdict.is,
      because: because.get(c.managerId) ?? 'revived',
      evidence: c.verdict.evidence,
      text: explainEvidence(c, c.verdict, context.now()),
      ...heldBy(context, c.userId, c.managerId),
    }));
}

/** Levels of one pass as the one record that is kept of it. */
export function joinReports(reports: readonly CleanupReport[]): CleanupReport | null {
  const first = reports[0];
  const last = reports.at(-1);
  if (!first || !last) return null;
  return {
    ...first,
    levels: reports.flatMap((r) => r.levels),
    after: last.after,
    victims: reports.flatMap((r) => r.victims),
    kept: last.kept,
    result: reports.some((r) => r.result === 'failed') ? 'failed' : last.result,
    durationMs: reports.reduce((sum, r) => sum + r.durationMs, 0),
  };
}

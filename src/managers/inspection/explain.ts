import { planCleanup } from '../../core/cleanup.ts';
import { explainEvidence } from '../../core/explain.ts';
import { type CleanupLevel, LEVELS } from '../../core/levels.ts';
import { type Candidate, compareVictims } from '../../core/victims.ts';
import type { ManagerId, UserId } from '../../protocol/ids.ts';
import type { KeepReason } from '../../protocol/reasons.ts';
import { withElsewhere } from '../cluster/elsewhere.ts';
import type { Context } from '../context.ts';
import type { WebSocketManager } from '../manager.ts';
import type { Explanation, ManagerHealth } from '../reports.ts';

/** The managers of a user that hold a seat on this node, as a plan would see them now. Looking changes nothing. */
export function glancesOf(context: Context, user: UserId): readonly Candidate[] {
  const seen: Candidate[] = [];
  for (const manager of context.registry.of(user)) {
    const candidate = manager.glance();
    if (candidate) seen.push(candidate);
  }
  return seen;
}

/** The same, and what stands for those that other nodes hold. */
export const allOf = (context: Context, user: UserId): readonly Candidate[] => withElsewhere(context, user, glancesOf(context, user));

export const healthOf = (context: Context, { managerId, userId, verdict }: Candidate): ManagerHealth => ({
  managerId,
  userId,
  verdict: verdict.is,
  reason: verdict.reason,
  evidence: verdict.evidence,
  sinceMs: Math.max(0, Math.round(context.now() - verdict.since)),
});

/** Explains a manager by the very decisions that a cleanup would take. `peers`: all seated managers of its user, on all nodes, seen at this instant.
 *  Null for one without a seat. */
export function explanationOf(context: Context, manager: WebSocketManager, peers = allOf(context, manager.user.userId)): Explanation | null {
  const seen = peers.find((c) => c.managerId === manager.id);
  if (!seen) return null;
  const { goesAt, kept } = fateOf(context, seen);
  return {
    ...healthOf(context, seen),
    node: context.node,
    tier: manager.user.tier,
    label: manager.client.label,
    client: manager.client.name,
    seat: manager.seat?.kind ?? 'soft',
    connected: manager.attachment !== null,
    pinned: seen.pinned,
    running: seen.run,
    quietMs: Math.round(seen.verdict.quietMs),
    openedAt: manager.openedAt,
    rank: { position: placeOf(seen, peers), of: peers.length },
    goesAt,
    kept,
    text: explainEvidence(seen, seen.verdict, context.now()),
  };
}

const placeOf = (seen: Candidate, peers: readonly Candidate[]): number => 1 + peers.filter((c) => c !== seen && compareVictims(c, seen) < 0).length;

/** The mildest level at which an admission that needs one seat could take it, were nobody cheaper there. */
function fateOf(context: Context, seen: Candidate): { goesAt: CleanupLevel | null; kept: { level: CleanupLevel; because: KeepReason }[] } {
  const p = context.pressure(seen.userId);
  const kept: { level: CleanupLevel; because: KeepReason }[] = [];
  for (const level of LEVELS) {
    const one = { level, need: 1, liveMax: 1, p, trigger: 'admission', userId: seen.userId, requester: null as ManagerId | null, candidates: [seen] } as const;
    const spared = planCleanup(one, context.options).kept[0];
    if (spared === undefined) return { goesAt: level, kept };
    kept.push({ level, because: spared.because });
  }
  return { goesAt: null, kept };
}

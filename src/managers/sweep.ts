import { type CleanupPlan, planCleanup } from '../core/cleanup.ts';
import type { CleanupLevel } from '../core/levels.ts';
import type { Candidate, Trigger } from '../core/victims.ts';
import { newId } from '../ports/random.ts';
import type { ManagerId, UserId } from '../protocol/ids.ts';
import type { Context } from './context.ts';
import type { CleanupReport, KeptRecord, VictimRecord } from './events.ts';
import { evict } from './evict.ts';

export interface SweepRequest {
  readonly user: UserId;
  readonly level: CleanupLevel;
  /** Seats still missing. */
  readonly need: number;
  /** Living managers that may be taken at most. */
  readonly liveMax: number;
  readonly trigger: Trigger;
  readonly requester: ManagerId | null;
  /** Name of the device for which room is made. */
  readonly label: string | null;
}

/** The managers of a user that hold a seat on this node, as a plan sees them. */
export function candidatesOf(context: Context, user: UserId): readonly Candidate[] {
  const candidates: Candidate[] = [];
  for (const manager of context.registry.of(user)) {
    const candidate = manager.candidate();
    if (candidate) candidates.push(candidate);
  }
  return candidates;
}

export function planFor(context: Context, r: SweepRequest): CleanupPlan {
  const p = context.pressure(r.user);
  return planCleanup(
    {
      level: r.level,
      need: r.need,
      liveMax: r.liveMax,
      p,
      trigger: r.trigger,
      userId: r.user,
      requester: r.requester,
      candidates: candidatesOf(context, r.user),
    },
    context.options,
  );
}

/** One level of cleanup over one user: plans, then carries the plan out. A victim that fails takes nobody with it. */
export async function sweep(context: Context, r: SweepRequest): Promise<CleanupReport> {
  const startedAt = context.mono();
  const candidates = candidatesOf(context, r.user);
  const plan = planFor(context, r);
  const victims: VictimRecord[] = [];
  let failed = false;
  for (const victim of plan.victims) {
    try {
      const record = await evict(context, victim, { level: r.level, label: r.label });
      if (record) victims.push(record);
    } catch (error) {
      failed = true;
      context.telemetry.record({
        severity: 'ERROR',
        event: 'eviction-failed',
        message: `A seat could not be freed: ${error instanceof Error ? error.message : String(error)}`,
        manager: victim.managerId,
      });
    }
  }
  const durationMs = Math.round(context.mono() - startedAt);
  return {
    run: newId(context.random, 'cln'),
    user: r.user,
    trigger: r.trigger,
    levels: [{ level: r.level, examined: candidates.length, freed: victims.length, durationMs }],
    before: candidates.length,
    after: candidates.length - victims.length,
    victims,
    kept: keptOf(plan, candidates, victims),
    result: failed ? 'failed' : victims.length >= r.need ? 'enough' : 'short',
    durationMs,
  };
}

/** Who stays after a level: whom the plan kept, and victims that were spared at the last instant. */
export function keptOf(plan: CleanupPlan, candidates: readonly Candidate[], victims: readonly { readonly managerId: ManagerId }[]): readonly KeptRecord[] {
  const because = new Map(plan.kept.map((kept) => [kept.managerId, kept.because]));
  const gone = new Set(victims.map((victim) => victim.managerId));
  return candidates
    .filter((c) => !gone.has(c.managerId))
    .map((c) => ({ managerId: c.managerId, verdict: c.verdict.is, because: because.get(c.managerId) ?? 'revived', evidence: c.verdict.evidence }));
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
    result: last.result,
    durationMs: reports.reduce((sum, r) => sum + r.durationMs, 0),
  };
}

import { type CleanupPlan, planCleanup } from '../core/cleanup.ts';
import type { CleanupLevel } from '../core/levels.ts';
import type { Candidate, Trigger } from '../core/victims.ts';
import { newId } from '../ports/random.ts';
import type { ManagerId, UserId } from '../protocol/ids.ts';
import type { Context } from './context.ts';
import type { CleanupReport, VictimRecord } from './events.ts';
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
    result: failed ? 'failed' : victims.length >= r.need ? 'enough' : 'short',
    durationMs,
  };
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
    result: last.result,
    durationMs: reports.reduce((sum, r) => sum + r.durationMs, 0),
  };
}

import { type CleanupPlan, planCleanup } from '../../core/cleanup.ts';
import { explainEvidence } from '../../core/explain.ts';
import { type CleanupLevel, LEVELS, liveQuota, reaches } from '../../core/levels.ts';
import type { Candidate, Trigger } from '../../core/victims.ts';
import { newId } from '../../ports/random.ts';
import type { ManagerId, UserId } from '../../protocol/ids.ts';
import type { Context } from '../context.ts';
import type { CleanupReport, KeptRecord, VictimRecord } from '../events.ts';
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
  /** Called for each seat in the instant in which it is free. */
  readonly freed?: () => void;
}

/** What an eviction costs of a turn of the event loop: a notice, a farewell, a close frame. */
const EVICTION_COST = 3;

/** The managers of a user that hold a seat on this node, as a plan sees them. */
export function candidatesOf(context: Context, user: UserId): readonly Candidate[] {
  const candidates: Candidate[] = [];
  for (const manager of context.registry.of(user)) {
    const candidate = manager.candidate();
    if (candidate) candidates.push(candidate);
  }
  return candidates;
}

export function planFor(context: Context, r: SweepRequest, candidates = candidatesOf(context, r.user)): CleanupPlan {
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
      candidates,
    },
    context.options,
  );
}

/** One level of cleanup over one user: plans, then carries the plan out. Where a victim is spared at the last instant, or cannot be
 *  freed, the next ones go, once. */
export async function sweep(context: Context, r: SweepRequest): Promise<CleanupReport> {
  const candidates = candidatesOf(context, r.user);
  const plan = planFor(context, r, candidates);
  const report = await carryOut(context, plan, candidates, r);
  const freed = report.victims.length;
  if (freed >= r.need || plan.victims.length === freed) return report;
  const tried = new Set(plan.victims.map((victim) => victim.managerId));
  const others = candidatesOf(context, r.user).filter((c) => !tried.has(c.managerId));
  const living = report.victims.filter(({ verdict }) => verdict !== 'inactive' && verdict !== 'zombie').length;
  const rest = { ...r, need: r.need - freed, liveMax: Math.min(r.liveMax, liveQuota(r.level, context.options)) - living };
  const next = planFor(context, rest, others);
  if (next.victims.length === 0) return report;
  const second = await carryOut(context, next, others, { ...rest, isSecondTry: true });
  const kept = [...report.kept.filter(({ managerId }) => tried.has(managerId)), ...second.kept];
  return { ...(joinReports([report, { ...second, kept }]) as CleanupReport), levels: [oneLevel(report, second)] };
}

/** Two tries of one level are one level. */
function oneLevel(first: CleanupReport, second: CleanupReport): CleanupReport['levels'][number] {
  const [a, b] = [first.levels[0], second.levels[0]] as [CleanupReport['levels'][number], CleanupReport['levels'][number]];
  return { ...b, examined: a.examined, freed: a.freed + b.freed, result: a.result === 'failed' ? 'failed' : b.result, durationMs: a.durationMs + b.durationMs };
}

/** Evicts the victims of `plan`, which was made from `candidates`, and tells what became of everybody. */
export async function carryOut(
  context: Context,
  plan: CleanupPlan,
  candidates: readonly Candidate[],
  r: Pick<SweepRequest, 'user' | 'level' | 'need' | 'trigger' | 'label' | 'freed'> & { readonly detail?: string; readonly isSecondTry?: boolean },
): Promise<CleanupReport> {
  const startedAt = context.mono();
  if (r.isSecondTry !== true) context.counters.levelRan(r.level);
  const victims: VictimRecord[] = [];
  let failed = false;
  for (const victim of plan.victims) {
    await context.turns.spend(EVICTION_COST);
    try {
      const record = await evict(context, victim, { level: r.level, label: r.label, ...(r.detail === undefined ? {} : { detail: r.detail }) });
      if (record) {
        victims.push(record);
        r.freed?.();
      }
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
  const result = failed ? 'failed' : victims.length >= r.need ? 'enough' : 'short';
  return {
    run: newId(context.random, 'cln'),
    user: r.user,
    trigger: r.trigger,
    admissions: [],
    levels: [{ level: r.level, examined: candidates.length, freed: victims.length, result, durationMs }],
    before: candidates.length,
    after: candidates.length - victims.length,
    victims,
    kept: keptOf(context, plan, candidates, victims),
    result,
    durationMs,
  };
}

/** An operator's cleanup: level by level up to `upTo`, until `need` seats are free; with a need of 0 all the dead, and nobody else. */
export async function climb(context: Context, user: UserId, upTo: CleanupLevel, need: number): Promise<CleanupReport> {
  const reports: CleanupReport[] = [];
  let missing = need;
  for (const level of LEVELS) {
    if ((need > 0 && missing <= 0) || !reaches(upTo, level)) break;
    const done = await sweep(context, { user, level, need: missing, liveMax: missing, trigger: 'operator', requester: null, label: null });
    reports.push(done);
    missing = Math.max(0, missing - done.victims.length);
  }
  // The mildest level always runs.
  return joinReports(reports) as CleanupReport;
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

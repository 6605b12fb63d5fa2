import { type CleanupPlan, planCleanup, type Victim } from '../../core/cleanup.ts';
import { type CleanupLevel, LEVELS, liveQuota, reaches } from '../../core/levels.ts';
import type { Candidate, Trigger } from '../../core/victims.ts';
import { newId } from '../../ports/random.ts';
import type { ManagerId, UserId } from '../../protocol/ids.ts';
import { withElsewhere } from '../cluster/elsewhere.ts';
import { type ElsewhereRequest, evictElsewhere } from '../cluster/evict-elsewhere.ts';
import type { Context } from '../context.ts';
import type { CleanupReport, VictimRecord } from '../events.ts';
import { evict } from './evict.ts';
import { joinReports, keptOf } from './records.ts';

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
  /** Called for each seat of this node in the instant in which it is free. */
  readonly freed?: () => void;
  /** Only what this node holds. Default: what all nodes hold, as the store told it last. */
  readonly isHereOnly?: true;
}

/** What an eviction costs of a turn of the event loop: a notice, a farewell, a close frame. */
const EVICTION_COST = 3;

/** The managers of a user that hold a seat, as a plan sees them: those of this node, and what stands for those of others. */
export const candidatesOf = (context: Context, user: UserId): readonly Candidate[] => withElsewhere(context, user, candidatesHere(context, user));

/** Those that hold their seat on this node. */
export function candidatesHere(context: Context, user: UserId): readonly Candidate[] {
  const candidates: Candidate[] = [];
  for (const manager of context.registry.of(user)) {
    const candidate = manager.candidate();
    if (candidate && context.elsewhere.mayHold(user, candidate.token)) candidates.push(candidate);
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
  const candidatesNow = () => (r.isHereOnly === true ? candidatesHere : candidatesOf)(context, r.user);
  const candidates = candidatesNow();
  const plan = planFor(context, r, candidates);
  const report = await carryOut(context, plan, candidates, r);
  const freed = report.victims.length;
  if (freed >= r.need || plan.victims.length === freed) return report;
  const tried = new Set(plan.victims.map((victim) => victim.managerId));
  const others = candidatesNow().filter((c) => !tried.has(c.managerId));
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
  const away = new Set(candidates.filter(({ owner }) => owner !== 'local').map(({ managerId }) => managerId));
  const isHere = ({ managerId }: Victim): boolean => !away.has(managerId);
  const abroad = plan.victims.filter((victim) => !isHere(victim));
  // Other nodes are at work on theirs meanwhile.
  const others = abroad.length === 0 ? null : evictElsewhere(context, abroad, candidates, causeOf(r));
  for (const victim of plan.victims.filter(isHere)) {
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
  const elsewhere = await others;
  victims.push(...(elsewhere?.victims ?? []));
  failed ||= elsewhere?.failed === true;
  const unknown = (elsewhere?.unanswered ?? []).map((managerId) => ({ managerId, because: 'unknown' }) as const);
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
    kept: keptOf(context, { ...plan, kept: [...plan.kept, ...unknown] }, candidates, victims),
    result,
    durationMs,
  };
}

const causeOf = ({ user, level, trigger, label, detail }: Parameters<typeof carryOut>[3]): ElsewhereRequest => ({
  user,
  level,
  trigger,
  label,
  ...(detail === undefined ? {} : { detail }),
});

/** An operator's cleanup: level by level up to `upTo`, until `need` seats are free; with a need of 0 all the dead, and nobody else. */
export async function climb(context: Context, user: UserId, upTo: CleanupLevel, need: number): Promise<CleanupReport> {
  const reports: CleanupReport[] = [];
  let missing = need;
  // What other nodes hold is known from the store's latest answer.
  if (context.cluster !== null) await context.store.seats.facts(user, context.seatLimits);
  for (const level of LEVELS) {
    if ((need > 0 && missing <= 0) || !reaches(upTo, level)) break;
    const done = await sweep(context, { user, level, need: missing, liveMax: missing, trigger: 'operator', requester: null, label: null });
    reports.push(done);
    missing = Math.max(0, missing - done.victims.length);
  }
  // The mildest level always runs.
  return joinReports(reports) as CleanupReport;
}

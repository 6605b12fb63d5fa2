import type { CleanupPlan, Victim } from '../../core/cleanup.ts';
import { type Mono, mono } from '../../core/clocks.ts';
import { type CleanupLevel, LEVELS, reaches } from '../../core/levels.ts';
import type { Candidate } from '../../core/victims.ts';
import { newId } from '../../ports/random.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import type { ManagerId, UserId } from '../../protocol/ids.ts';
import { joinReports } from '../cleanup/records.ts';
import { candidatesOf, carryOut, planFor } from '../cleanup/sweep.ts';
import type { Context } from '../context.ts';
import type { CleanupReport } from '../events.ts';
import type { LevelPlan, PlannedCleanup, PlanOutcome } from '../reports.ts';
import { allOf } from './explain.ts';

const GOOD_FOR_MS = 30_000;
const PLANS_KEPT = 1_000;

interface Step {
  readonly level: CleanupLevel;
  /** Seats still missing when this level begins. */
  readonly need: number;
  readonly plan: CleanupPlan;
}

interface KnownPlan {
  readonly planned: PlannedCleanup;
  readonly steps: readonly Step[];
  readonly until: Mono;
}

/** Dry runs for operators, and their execution: what was shown is what happens, or nothing does. */
export class Plans {
  readonly #context: Context;
  readonly #cleaned: (report: CleanupReport) => void;
  readonly #plans = new Map<string, KnownPlan>();

  constructor(context: Context, cleaned: (report: CleanupReport) => void) {
    this.#context = context;
    this.#cleaned = cleaned;
  }

  /** What a cleanup would do at each level, each after the milder ones. It changes nothing, not even a verdict. */
  async plan(user: UserId, need: number): Promise<PlannedCleanup> {
    if (!Number.isInteger(need) || need < 0)
      throw new SpillwayError('SPILLWAY_BAD_ARGUMENT', `Expected \`need\` to be the number of seats to free, 0 (only the dead) or more, got ${need}.`);
    const { clock, random, store, seatLimits } = this.#context;
    const facts = await store.seats.facts(user, seatLimits);
    // Nothing is awaited from here on: all levels see the same instant.
    const steps: Step[] = [];
    const levels: LevelPlan[] = [];
    let candidates = allOf(this.#context, user);
    let seats = facts.seats.length;
    let missing = need;
    for (const level of LEVELS) {
      const step = this.#step(user, level, Math.max(0, missing), candidates);
      const gone = new Set(step.plan.victims.map((v) => v.managerId));
      seats -= gone.size;
      missing -= gone.size;
      steps.push(step);
      levels.push(shown(step, candidates, Math.max(0, facts.cap - seats)));
      candidates = candidates.filter((c) => !gone.has(c.managerId));
    }
    const planned = { planId: newId(random, 'pln'), expiresAt: Math.round(clock.wall() + GOOD_FOR_MS), user, need, levels, stopsAt: stopOf(steps) };
    this.#keep({ planned, steps, until: mono(clock.mono() + GOOD_FOR_MS) });
    return planned;
  }

  #step(user: UserId, level: CleanupLevel, need: number, candidates: readonly Candidate[]): Step {
    const request = { user, level, need, liveMax: need, trigger: 'operator', requester: null, label: null } as const;
    return { level, need, plan: planFor(this.#context, request, candidates) };
  }

  #keep(known: KnownPlan): void {
    const now = this.#context.mono();
    this.#plans.set(known.planned.planId, known);
    for (const [id, { until }] of this.#plans) {
      if (until > now && this.#plans.size <= PLANS_KEPT) return;
      this.#plans.delete(id);
    }
  }

  /** Evicts exactly whom the plan names up to `level` (default: where it stops, never those that only `force` would take), if their
   *  evidence is what the plan saw. */
  async run(planId: string, o: { readonly level?: CleanupLevel; readonly reason?: string }): Promise<PlanOutcome> {
    const known = this.#plans.get(planId);
    if (known === undefined || known.until <= this.#context.mono()) return { is: 'unknown' };
    const { user, stopsAt } = known.planned;
    const upTo = o.level ?? stopsAt ?? 'aggressive';
    const steps = known.steps.filter(({ level }) => reaches(upTo, level));
    return await this.#context.lanes.run(user, async () => {
      const { cluster, store, seatLimits } = this.#context;
      // What other nodes hold is known from the store's latest answer.
      if (cluster !== null) await store.seats.facts(user, seatLimits);
      const differences = steps.flatMap(({ plan }) => plan.victims).flatMap((victim) => this.#differenceOf(user, victim));
      if (differences.length > 0) return { is: 'stale', differences };
      const reports: CleanupReport[] = [];
      const seen = new Set(examinedBy(known.steps[0]));
      for (const { level, need, plan } of steps) {
        const candidates = candidatesOf(this.#context, user);
        const newcomers = candidates.filter((c) => !seen.has(c.managerId)).map((c) => ({ managerId: c.managerId, because: 'not-needed' }) as const);
        const detail = o.reason === undefined ? {} : { detail: o.reason };
        const whole = { ...plan, kept: [...plan.kept, ...newcomers] };
        reports.push(await carryOut(this.#context, whole, candidates, { user, level, need, trigger: 'operator', label: null, ...detail }));
      }
      const report = joinReports(reports) as CleanupReport;
      this.#cleaned(report);
      return { is: 'done', report };
    });
  }

  /** What is not as the plan saw it. A healthy manager gives signs of life all the time; of it only that it is healthy is compared. */
  #differenceOf(user: UserId, victim: Victim): readonly { readonly manager: Victim['managerId']; readonly change: string }[] {
    const { managerId: manager, verdict } = victim;
    const changed = (change: string) => [{ manager, change }];
    const { registry, elsewhere } = this.#context;
    const now = registry.find(manager)?.candidate() ?? elsewhere.candidates(user).find((c) => c.managerId === manager) ?? null;
    if (now === null) return changed('It holds no seat any more.');
    if (now.token !== victim.token) return changed('Its seat was given anew.');
    if (now.promised) return changed('Its newcomer is arriving just now.');
    if (now.pinned && !now.verdict.proof) return changed('It is pinned now.');
    if (now.verdict.is !== verdict.is) return changed(`It was ${verdict.is} and is ${now.verdict.is} now.`);
    if (verdict.is !== 'healthy' && now.version !== victim.version) return changed('It gave a sign of life, or its connection changed.');
    return [];
  }
}

function shown({ level, plan }: Step, candidates: readonly Candidate[], freeAfter: number): LevelPlan {
  const verdicts = new Map(candidates.map((c) => [c.managerId, c.verdict.is]));
  return {
    level,
    examined: candidates.length,
    evict: plan.victims.map((v) => ({ manager: v.managerId, verdict: v.verdict.is, reason: v.reason, evidence: v.verdict.evidence })),
    keep: plan.kept.map((k) => ({ manager: k.managerId, verdict: verdicts.get(k.managerId) ?? 'unknown', because: k.because })),
    freeAfter,
  };
}

/** The mildest level that covers the need, unless it takes healthy managers for it. */
function stopOf(steps: readonly Step[]): CleanupLevel | null {
  for (const { level, plan } of steps) {
    if (plan.victims.some((v) => v.verdict.is === 'healthy')) return null;
    if (plan.result === 'enough') return level;
  }
  return null;
}

/** Whom a step saw: all that were there when it is the first. */
const examinedBy = (step: Step | undefined): readonly ManagerId[] =>
  [...(step?.plan.victims ?? []), ...(step?.plan.kept ?? [])].map(({ managerId }) => managerId);

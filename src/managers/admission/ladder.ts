import type { AdmissionStep, Done, DoneStep } from '../../core/admission-facts.ts';
import { NOTHING_DONE } from '../../core/admission-facts.ts';
import type { Mono } from '../../core/clocks.ts';
import type { CleanupLevel } from '../../core/levels.ts';
import type { SeatFacts } from '../../ports/store.ts';
import type { ManagerId, UserId } from '../../protocol/ids.ts';
import { joinReports } from '../cleanup/records.ts';
import { sweep } from '../cleanup/sweep.ts';
import type { CleanupReport } from '../events.ts';
import { freeGhosts } from '../inspection/consistency.ts';
import type { AdmissionRun } from './admission-run.ts';
import type { KeptSeat } from './node-seats.ts';
import type { PassDeps } from './pass-facts.ts';
import { ambiguousElsewhere, ambiguousHere, probeEverywhere } from './probe-round.ts';

/** Answers of a round stand for whoever joins within this time; nobody would be asked again sooner. */
const ROUND_STANDS_MS = 500;
/** How long an admission waits at most for the dead of others when the node is full. They are freed all the same. */
const NODE_SWEEP_MS = 150;

type CleanStep = Extract<AdmissionStep, { do: 'clean' }>;

/** What one pass does once for all its admissions: levels of cleanup and a probe round. */
export class Ladder {
  readonly #deps: PassDeps;
  readonly #user: UserId;
  /** Seats of this node that this pass freed: they are kept for its own admissions, whoever waits at the gate. */
  readonly #kept: KeptSeat[] = [];
  readonly #reports: CleanupReport[] = [];
  /** Admissions for which a level was run. */
  readonly #served = new Set<ManagerId>();
  #trace: string | null = null;
  #told = 0;
  #done: Done = NOTHING_DONE;
  #probedAt: Mono | null = null;

  constructor(deps: PassDeps, user: UserId) {
    this.#deps = deps;
    this.#user = user;
  }

  get done(): Done {
    return this.#done;
  }

  #mark(step: DoneStep, result: Done[DoneStep]): void {
    this.#done = { ...this.#done, [step]: result };
  }

  /** Somebody joined. A newcomer enlarges the need, so the levels are run again; it inherits the probe. For those who waited already
   *  only the free steps are taken anew: the change that brought them may have made somebody dead. */
  joined(isNewcomer: boolean): void {
    this.#done = { ...this.#done, node: 'no', conservative: 'no', 'moderate-dead': 'no' };
    if (!isNewcomer) return;
    const stands = this.#probedAt !== null && this.#deps.context.mono() - this.#probedAt < ROUND_STANDS_MS;
    this.#done = { ...this.#done, moderate: 'no', aggressive: 'no', probe: stands ? this.#done.probe : 'no' };
  }

  // ---- seats of the node

  get hasKept(): boolean {
    return this.#kept.length > 0;
  }

  takeKept(): KeptSeat | null {
    return this.#kept.pop() ?? null;
  }

  /** Lets go what is kept beyond `most`. */
  keepAtMost(most: number): void {
    for (const seat of this.#kept.splice(most)) seat.release();
  }

  // ---- levels

  /** `facts`: what the step was decided from. */
  async clean(step: CleanStep, runs: readonly AdmissionRun[], claimant: AdmissionRun, facts: SeatFacts): Promise<void> {
    if (step.of === 'node') {
      this.#mark('node', (await this.#cleanNode(step, runs, claimant)) ? 'enough' : 'short');
      return;
    }
    const key: DoneStep = step.level === 'moderate' && step.liveMax === 0 ? 'moderate-dead' : step.level;
    if (step.level === 'conservative') await freeGhosts(this.#deps.context, this.#user, facts);
    // Whoever waits looks often; where nobody is dead there is nothing to run and nothing to record.
    if (runs.every((run) => run.ticket?.at === 'queue') && !this.#isSomebodyDead()) {
      this.#mark(key, 'short');
      if (step.liveMax === 0) this.#mark('moderate-dead', 'short');
      return;
    }
    if (this.#deps.faults.isSkipped(this.#user, step.level)) {
      this.#mark(key, 'skipped');
      for (const run of runs) run.noteLevel(step.level, 'skipped', 0);
      return;
    }
    const report = await this.#sweep(step, runs, claimant);
    this.#mark(key, report.result === 'enough' ? 'enough' : 'short');
  }

  #isSomebodyDead(): boolean {
    return this.#isSomebodyDeadHere() || this.#deps.context.elsewhere.dead(this.#user) > 0;
  }

  #isSomebodyDeadHere(): boolean {
    for (const m of this.#deps.context.registry.of(this.#user)) if (m.seat !== null && m.verdict.proof) return true;
    return false;
  }

  async #sweep(step: CleanStep, runs: readonly AdmissionRun[], claimant: AdmissionRun): Promise<CleanupReport> {
    const { context, faults, claims, gate } = this.#deps;
    const { manager: requester, label } = claimant.applicant;
    const { level, need, liveMax } = step;
    const freed = (): number => this.#kept.push(gate.seats.keep());
    // Seats on other nodes make no room on this one.
    const where = step.of === 'node' ? ({ isHereOnly: true } as const) : {};
    const report = await sweep(context, { user: this.#user, level, need, liveMax, trigger: 'admission', requester, label, freed, ...where });
    this.keepAtMost(runs.length);
    this.#note(level, report, runs);
    for (const victim of report.victims) if (victim.verdict !== 'inactive' && victim.verdict !== 'zombie') claims.note(this.#user);
    if (report.result === 'failed') faults.failed(this.#user, level);
    return report;
  }

  #note(level: CleanupLevel, report: CleanupReport, runs: readonly AdmissionRun[]): void {
    this.#reports.push(report);
    for (const run of runs) {
      this.#served.add(run.id);
      this.#trace ??= run.applicant.trace ?? null;
      run.noteLevel(level, report.result, report.victims.length);
    }
  }

  /** The dead of any user of this node, the own ones first. True: some seat was freed. */
  async #cleanNode(step: CleanStep, runs: readonly AdmissionRun[], claimant: AdmissionRun): Promise<boolean> {
    if (this.#isSomebodyDeadHere()) {
      const report = await this.#sweep(step, runs, claimant);
      if (report.victims.length >= runs.length) return true;
    }
    const { context, nodeSweep } = this.#deps;
    const swept = nodeSweep.free(
      runs.length,
      runs.map((run) => run.id),
    );
    let cancel = (): void => {};
    const late = new Promise<number>((resolve) => {
      cancel = context.clock.after(NODE_SWEEP_MS, () => resolve(0));
    });
    // Another user's lane may be busy, even with waiting for this one's: nobody waits for it without bound.
    const freed = await Promise.race([swept, late]);
    cancel();
    return freed > 0 || this.hasKept;
  }

  /** What Force took. */
  forced(report: CleanupReport, run: AdmissionRun): void {
    this.#note('force', report, [run]);
    for (const _ of report.victims) this.#deps.claims.note(this.#user);
  }

  // ---- probes

  /** Whom a probe could tell apart. */
  ambiguous(): readonly ManagerId[] {
    const { context } = this.#deps;
    return [...ambiguousHere(context, this.#user), ...ambiguousElsewhere(context, this.#user)];
  }

  async probe(step: Extract<AdmissionStep, { do: 'probe' }>, runs: readonly AdmissionRun[]): Promise<void> {
    const { context, probes } = this.#deps;
    this.#mark('probe', 'enough');
    const over = probes.begin(this.#user);
    try {
      const asked = await probeEverywhere(context, this.#user, step.managers, step.deadlineMs);
      for (const run of runs) run.probed += asked;
    } finally {
      over();
      this.#probedAt = context.mono();
    }
  }

  // ---- records

  /** What was freed since somebody was told last. */
  news(): CleanupReport | null {
    const untold = joinReports(this.#reports.slice(this.#told).filter((report) => report.victims.length > 0));
    this.#told = this.#reports.length;
    return untold;
  }

  /** The one record of the pass; null where it ran no level. */
  get record(): CleanupReport | null {
    const report = joinReports(this.#reports);
    return report === null ? null : { ...report, admissions: [...this.#served], ...(this.#trace === null ? {} : { trace: this.#trace }) };
  }
}

import { decideAdmission } from '../core/admission.ts';
import { type AdmissionFacts, type AdmissionStep, type Done, NOTHING_DONE, type StepResult } from '../core/admission-facts.ts';
import { type Mono, mono } from '../core/clocks.ts';
import { applicationAt } from '../core/evidence.ts';
import { newId } from '../ports/random.ts';
import type { AdmitRequest, SeatFacts } from '../ports/store.ts';
import type { Intent } from '../protocol/frames.ts';
import type { ManagerId, Tier, UserId } from '../protocol/ids.ts';
import type { RetryReason } from '../protocol/reasons.ts';
import type { Context } from './context.ts';
import type { CleanupReport, SeatedHow } from './events.ts';
import { partFrom, recordOf } from './evict.ts';
import type { Seat } from './manager.ts';
import { probeRound } from './probe-round.ts';
import { candidatesOf, joinReports, keptOf, planFor, sweep } from './sweep.ts';

/** Who asks for a seat. */
export interface Applicant {
  readonly manager: ManagerId;
  readonly user: UserId;
  readonly tier: Tier;
  readonly intent: Intent;
  /** Shorter patience than the queue's own; null: the queue's. */
  readonly waitMs: number | null;
  readonly promise: string | null;
  /** Name of its device, told to whoever gives way. */
  readonly label: string | null;
  /** Times it was sent away in a row. */
  readonly refusals: number;
}

export type StepOutcome =
  | { readonly is: 'seated'; readonly seat: Seat; readonly how: SeatedHow; readonly facts: SeatFacts }
  | { readonly is: 'queued'; readonly facts: SeatFacts }
  | { readonly is: 'retry'; readonly reason: RetryReason; readonly retryAfterMs: number; readonly promise: string | null };

/** What an admission is told about its user and this node besides the store's facts. */
export interface Surroundings {
  /** Evictions of living managers on this user's claim in the last minute. */
  forcesLastMinute(user: UserId): number;
  noteForce(user: UserId): void;
  /** Whether another probe round is within the user's budget; takes it if so. */
  probeBudget(user: UserId): boolean;
  heapShare(): number;
  stalledSince(at: Mono): boolean;
  seatsOfNode(): number;
}

/** Steps after which something is wrong with the facts rather than with the user: each step changes something, so that an
 *  admission needs about a dozen. */
const STEPS_MAX = 64;

/** One admission from its first step to its end. `advance` runs in the user's lane, once at the start and, while it waits, on each
 *  change and at its deadline. */
export class AdmissionRun {
  readonly applicant: Applicant;
  readonly startedAt: Mono;
  readonly #context: Context;
  readonly #around: Surroundings;
  readonly #attach: string;
  readonly #reports: CleanupReport[] = [];
  #done: Done = NOTHING_DONE;
  #probed = 0;
  #ticket: AdmissionFacts['ticket'] = null;
  #refusal: AdmissionFacts['refusal'] = null;

  constructor(context: Context, around: Surroundings, applicant: Applicant, startedAt: Mono) {
    this.#context = context;
    this.#around = around;
    this.applicant = applicant;
    this.startedAt = startedAt;
    this.#attach = newId(context.random, 'mgr');
  }

  get probed(): number {
    return this.#probed;
  }
  get ticket(): AdmissionFacts['ticket'] {
    return this.#ticket;
  }
  /** The one record of its cleanup, or null if it needed none. */
  get cleanup(): CleanupReport | null {
    return joinReports(this.#reports);
  }
  get durationMs(): number {
    return Math.round(this.#context.mono() - this.startedAt);
  }

  /** Goes as far as it can: to a seat, a place in the queue or a retry time. */
  async advance(): Promise<StepOutcome> {
    // Each change may have made somebody dead: the free steps are taken anew.
    this.#done = { ...this.#done, conservative: 'no', 'moderate-dead': 'no', force: 'no' };
    for (let i = 0; i < STEPS_MAX; i++) {
      const facts = await this.#context.store.seats.facts(this.applicant.user, this.#context.seatLimits);
      const now = this.#now(facts);
      const step = decideAdmission(this.#facts(facts, now), this.#context.options, now);
      const outcome = await this.#take(step, facts);
      if (outcome !== null) return outcome;
    }
    this.#context.telemetry.record({
      severity: 'CRITICAL',
      event: 'admission-stuck',
      message: `An admission came to no end in ${STEPS_MAX} steps.`,
      user: this.applicant.user,
    });
    return { is: 'retry', reason: 'no-seat-yet', retryAfterMs: this.#context.options.queue.waitMs, promise: null };
  }

  /** Instants of the facts are the store's; deadlines are compared on its clock. */
  #now(facts: SeatFacts): Mono {
    return mono(facts.now);
  }

  async #take(step: AdmissionStep, facts: SeatFacts): Promise<StepOutcome | null> {
    switch (step.do) {
      case 'reattach':
        return null;
      case 'seat':
        return await this.#seat(step.how, false);
      case 'start-burst': {
        const seated = await this.#seat('burst', true);
        if (seated === null) this.#mark('burst', 'short');
        return seated;
      }
      case 'clean':
        await this.#clean(step);
        return null;
      case 'probe':
        this.#probed += step.managers.length;
        this.#mark('probe', 'enough');
        await probeRound(this.#context, step.managers, step.deadlineMs);
        return null;
      case 'force':
        return await this.#force();
      case 'enqueue':
        return await this.#enqueue(step.class);
      case 'wait':
        return { is: 'queued', facts };
      case 'retry-later':
        return { is: 'retry', reason: step.reason, retryAfterMs: Math.ceil(step.afterMs), promise: step.promise };
    }
  }

  #mark(step: keyof Done, result: StepResult): void {
    this.#done = { ...this.#done, [step]: result };
  }

  #request(mayBurst: boolean): AdmitRequest {
    const { applicant, node, seatLimits } = { applicant: this.applicant, node: this.#context.node, seatLimits: this.#context.seatLimits };
    return { user: applicant.user, manager: applicant.manager, attach: this.#attach, node, class: applicant.intent, mayBurst, limits: seatLimits };
  }

  async #seat(how: SeatedHow, mayBurst: boolean): Promise<StepOutcome | null> {
    const answer = await this.#context.store.seats.admit(this.#request(mayBurst));
    if (answer.is === 'full') return null;
    return { is: 'seated', seat: { token: answer.token, kind: answer.seat }, how, facts: answer.facts };
  }

  async #clean(step: Extract<AdmissionStep, { do: 'clean' }>): Promise<void> {
    const { user, manager, label } = this.applicant;
    if (step.of === 'node') {
      this.#mark('node', (await this.#cleanNode()) ? 'enough' : 'short');
      return;
    }
    const report = await sweep(this.#context, {
      user,
      level: step.level,
      need: step.need,
      liveMax: step.liveMax,
      trigger: 'admission',
      requester: manager,
      label,
    });
    this.#reports.push(report);
    for (const victim of report.victims) if (victim.verdict !== 'inactive' && victim.verdict !== 'zombie') this.#around.noteForce(user);
    const key = step.level === 'moderate' && step.liveMax === 0 ? 'moderate-dead' : step.level === 'force' ? 'force' : step.level;
    this.#mark(key, report.result === 'enough' ? 'enough' : 'short');
  }

  /** The dead of any user of this node go before anybody waits; nobody's living do. */
  async #cleanNode(): Promise<boolean> {
    for (const other of this.#context.registry.all()) {
      if (other.seat === null || !other.verdict.proof) continue;
      const report = await sweep(this.#context, {
        user: other.user.userId,
        level: 'moderate',
        need: 1,
        liveMax: 0,
        trigger: 'admission',
        requester: this.applicant.manager,
        label: null,
      });
      this.#reports.push(report);
      if (report.victims.length > 0) return true;
    }
    return false;
  }

  /** One for one: the cheapest manager gives up its seat in the very step that gives it away. */
  async #force(): Promise<StepOutcome | null> {
    const { user, manager, label } = this.applicant;
    const startedAt = this.#context.mono();
    const candidates = candidatesOf(this.#context, user);
    const plan = planFor(this.#context, { user, level: 'force', need: 1, liveMax: 1, trigger: 'admission', requester: manager, label });
    const victim = plan.victims[0];
    if (!victim) {
      const settling = [...this.#context.registry.of(user)].flatMap((m) => m.attachment?.settling ?? []);
      // Newcomers whose seats are promised arrive within a bounded time, and can be named then.
      if (settling.length > 0) await Promise.race(settling);
      else this.#mark('force', 'short');
      return null;
    }
    const taken = this.#context.registry.find(victim.managerId);
    const replace = async () => {
      const answered = await this.#context.store.seats.replace({
        ...this.#request(false),
        victims: [{ manager: victim.managerId, token: victim.token }],
        reason: victim.reason,
      });
      if (taken) partFrom(this.#context, taken, victim, { level: 'force', label });
      return answered;
    };
    const answer = await (taken ? taken.whileLeaving(replace) : replace());
    // Stale: the store knows nothing of that seat any more; its handle is gone now, and the next round names another.
    if (answer.is === 'stale') return null;
    this.#around.noteForce(user);
    this.#mark('force', 'enough');
    const durationMs = Math.round(this.#context.mono() - startedAt);
    const before = answer.facts.seats.length;
    this.#reports.push({
      run: newId(this.#context.random, 'cln'),
      user,
      trigger: 'admission',
      levels: [{ level: 'force', examined: before, freed: 1, durationMs }],
      before,
      after: before - 1,
      victims: [recordOf(victim, 'force')],
      kept: keptOf(plan, candidates, [victim]),
      result: 'enough',
      durationMs,
    });
    return { is: 'seated', seat: { token: answer.token, kind: answer.seat }, how: 'force', facts: answer.facts };
  }

  async #enqueue(wanted: 'user' | 'auto'): Promise<StepOutcome | null> {
    const { manager, user, waitMs, promise } = this.applicant;
    const answer = await this.#context.store.seats.enqueue({ user, ticket: { id: manager, class: wanted, waitMs, promise }, limits: this.#context.seatLimits });
    if (answer.is === 'queued') {
      this.#ticket = { at: 'queue', class: answer.ticket.class, deadline: answer.ticket.deadline };
      return { is: 'queued', facts: answer.facts };
    }
    this.#refusal = { promiseAt: mono(answer.promiseAt), promise: answer.promise };
    return null;
  }

  #facts(facts: SeatFacts, now: Mono): AdmissionFacts {
    const { manager, user, intent, tier, refusals } = this.applicant;
    const context = this.#context;
    const index = facts.tickets.findIndex((t) => t.id === manager);
    const ahead = index >= 0 ? index : facts.tickets.filter((t) => intent === 'auto' || t.class === 'user').length;
    // An automatic ticket may be pushed out; a person's holds to its end, also where our own stall let the store forget it.
    if (this.#ticket?.class === 'auto' && index < 0) this.#ticket = null;
    return {
      request: { managerId: manager, intent, tier, resumes: false, refusals },
      seats: facts.seats.length,
      cap: facts.cap,
      promised: 0,
      paid: 0,
      ahead,
      joined: 1,
      burst: facts.burst,
      queue: { tickets: facts.tickets, promises: facts.promises, lastWaits: [], lastReleases: [] },
      node: {
        seats: this.#around.seatsOfNode(),
        gate: 0,
        turn: false,
        gateAfterMs: context.options.queue.waitMs,
        score: context.self().score,
        stalled: this.#around.stalledSince(this.startedAt),
        probeBudget: this.#done.probe === 'no' && this.#around.probeBudget(user),
        heapShare: this.#around.heapShare(),
      },
      store: 'ok',
      done: this.#done,
      ambiguous: this.#ambiguous(),
      forcesLastMinute: this.#around.forcesLastMinute(user),
      // The cut-over is measured on our own clock; facts are dated by the store's.
      startedAt: mono(now - (context.mono() - this.startedAt)),
      ticket: this.#ticket,
      refusal: this.#refusal,
      jitter: context.random.share(),
    };
  }

  #ambiguous(): readonly ManagerId[] {
    const { options } = this.#context;
    const now = this.#context.now();
    const ids: ManagerId[] = [];
    for (const m of this.#context.registry.of(this.applicant.user)) {
      if (m.seat !== null && m.attachment !== null && m.evidence.class === 'acking' && now - applicationAt(m.evidence) > options.health.freshMs) ids.push(m.id);
    }
    return ids;
  }
}

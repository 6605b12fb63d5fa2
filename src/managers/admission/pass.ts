import { decideAdmission } from '../../core/admission.ts';
import type { AdmissionStep } from '../../core/admission-facts.ts';
import { type Mono, mono } from '../../core/clocks.ts';
import { findPromise } from '../../core/promises.ts';
import type { SeatFacts } from '../../ports/store.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import type { UserId } from '../../protocol/ids.ts';
import { tellTakenOver } from '../cluster/take-over.ts';
import type { Context } from '../context.ts';
import type { SeatedHow } from '../events.ts';
import type { Seat } from '../manager.ts';
import type { AdmissionRun, StepOutcome } from './admission-run.ts';
import { forceSeat } from './force.ts';
import { Ladder } from './ladder.ts';
import { factsFor, firstOf, type Member, type PassDeps } from './pass-facts.ts';

/** Steps after which something is wrong with the facts rather than with the user: each step changes something, so that an admission
 *  needs about a dozen. */
const STEPS_MAX = 64;
/** A call of the store that failed is repeated, first after this time. */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 100;

/** One pass over one user's admissions, in the user's lane. Whoever arrives meanwhile joins: levels run once for all, there is one
 *  probe round, and each admission is seated, queued or told a time in the order of the queue, as if they had come one after the other. */
export class Pass {
  readonly #deps: PassDeps;
  readonly #context: Context;
  readonly #user: UserId;
  readonly #ladder: Ladder;
  #members: Member[] = [];
  #arrived: Member[] = [];
  /** Something changed for them since the facts were asked for from which their step is decided. */
  readonly #called = new Set<Member>();
  /** Whose step is being taken. */
  #current: Member | null = null;
  #trouble: { readonly since: Mono; readonly pauseMs: number } | null = null;

  constructor(deps: PassDeps, user: UserId) {
    this.#deps = deps;
    this.#context = deps.context;
    this.#user = user;
    this.#ladder = new Ladder(deps, user);
  }

  join(member: Member): void {
    if (this.#members.includes(member)) this.#called.add(member);
    else if (!this.#arrived.includes(member)) this.#arrived.push(member);
  }

  /** Goes on until nobody is left in it, then calls `over` in the same turn. Never rejects. */
  async run(over: () => void): Promise<void> {
    while (this.#members.length + this.#arrived.length > 0) {
      try {
        await this.#round();
        this.#trouble = null;
      } catch (error) {
        await this.#stumble(error);
      }
    }
    over();
    this.#ladder.keepAtMost(0);
    const { record } = this.#ladder;
    if (record) this.#deps.cleaned(record);
  }

  /** One step, for whoever is first. */
  async #round(): Promise<void> {
    this.#current = null;
    await this.#context.turns.spend(1);
    this.#takeIn();
    const gone = this.#members.find(({ run }) => run.hasLeft);
    if (gone) {
      await this.#giveBack(gone);
      this.#settle(gone, { is: 'left' });
      return;
    }
    this.#called.clear();
    const facts = await this.#context.store.seats.facts(this.#user, this.#context.seatLimits);
    this.#takeIn();
    const member = firstOf(this.#members, facts);
    if (member === null) return;
    this.#current = member;
    if (++member.run.steps > STEPS_MAX) {
      await this.#giveUp(member);
      return;
    }
    if (member.run.isForcing) {
      await this.#force(member);
      return;
    }
    const runs = this.#members.map(({ run }) => run);
    const step = decideAdmission(factsFor(this.#deps, this.#ladder, runs, member.run, facts), this.#context.options, mono(facts.now));
    await this.#take(member, step, runs, facts);
  }

  #takeIn(): void {
    for (const member of this.#arrived.splice(0)) {
      const { run } = member;
      this.#ladder.joined(run.isNew);
      run.isNew = false;
      run.steps = 0;
      run.force = 'no';
      this.#members.push(member);
    }
  }

  // ---- steps

  async #take(member: Member, step: AdmissionStep, runs: readonly AdmissionRun[], facts: SeatFacts): Promise<void> {
    switch (step.do) {
      case 'reattach':
        return await this.#seat(member, 'reattach', false);
      case 'seat':
        return await this.#seat(member, step.how, false);
      case 'start-burst':
        return await this.#seat(member, 'burst', true);
      case 'clean':
        return await this.#ladder.clean(step, runs, member.run, facts);
      case 'probe':
        return await this.#ladder.probe(step, runs);
      case 'force':
        return await this.#force(member);
      case 'enqueue':
        return step.at === 'gate' ? await this.#enterGate(member, step.class, facts) : await this.#enqueue(member, step.class, facts);
      case 'wait':
        return this.#settle(member, { is: 'queued', facts });
      case 'retry-later':
        await this.#giveBack(member);
        return this.#settle(member, { is: 'retry', reason: step.reason, retryAfterMs: Math.ceil(step.afterMs), promise: step.promise });
    }
  }

  async #seat(member: Member, how: SeatedHow, mayBurst: boolean): Promise<void> {
    const { run } = member;
    const { gate } = this.#deps;
    // Nothing is awaited between the decision and this: no other user's admission takes the same seat of the node.
    run.turn ??= this.#ladder.takeKept() ?? gate.takePromised(this.#user);
    const kept = run.turn === null ? gate.seats.keep() : null;
    try {
      const answer = await this.#context.store.seats.admit(run.request(mayBurst));
      if (answer.is === 'ok') {
        tellTakenOver(this.#context, run.applicant, answer.from);
        const isHeldElsewhere = answer.from !== null && answer.from.incarnation !== this.#context.life.incarnation;
        // Back at another node, its seat was never gone.
        const came = isHeldElsewhere && run.applicant.isReturning ? 'reattach' : how;
        await this.#seated(member, { token: answer.token, kind: answer.seat }, came, answer.facts);
      } else if (mayBurst) run.burst = 'short';
    } finally {
      kept?.release();
    }
    gate.seated();
  }

  async #seated(member: Member, seat: Seat, how: SeatedHow, facts: SeatFacts): Promise<void> {
    const { run } = member;
    const { user, manager, isReturning } = run.applicant;
    if (!run.hasLeft || isReturning || this.#context.registry.find(manager)) {
      this.#settle(member, { is: 'seated', seat, how, facts, freed: this.#ladder.news() });
      return;
    }
    // It left in the very moment in which it was seated: nobody is there to hold that seat.
    await this.#context.store.seats.release(user, manager, seat.token, this.#context.seatLimits).catch((error: unknown) => {
      // The seat's lease ends by itself, since nobody renews it.
      this.#context.telemetry.record({ severity: 'WARNING', event: 'release-failed', message: String(error), user });
    });
    this.#settle(member, { is: 'left' });
    this.#context.changed(user);
  }

  async #force(member: Member): Promise<void> {
    const { run } = member;
    run.isForcing = true;
    const forced = await forceSeat(this.#context, this.#deps.gate.seats, run);
    run.isForcing = false;
    if (forced.is === 'seated') {
      this.#ladder.forced(forced.report, run);
      await this.#seated(member, forced.seat, 'force', forced.facts);
      forced.kept?.release();
      return;
    }
    if (forced.is === 'stale') return;
    run.force = forced.is === 'promised' ? 'promised' : 'short';
    // The lane is not held until a newcomer has arrived: whoever asks waits, and is looked at again then.
    if (forced.is === 'promised') void forced.settled.then(() => this.#context.changed(this.#user));
  }

  async #enqueue(member: Member, wanted: 'user' | 'auto', facts: SeatFacts): Promise<void> {
    const { run } = member;
    const { manager, user, waitMs: patience, promise } = run.applicant;
    // Whoever waited at the gate before waits for the rest of that time only.
    const leftMs = run.ticket?.at === 'gate' ? run.leftMs : null;
    const waitMs = leftMs === null ? patience : Math.min(leftMs, patience ?? leftMs);
    const answer = await this.#context.store.seats.enqueue({ user, ticket: { id: manager, class: wanted, waitMs, promise }, limits: this.#context.seatLimits });
    if (answer.is === 'full') {
      const kept = findPromise(facts.promises, promise);
      run.isPromiseBroken ||= kept !== null && kept.at <= facts.now;
      run.refusal = { promiseAt: mono(this.#context.mono() + answer.afterMs), promise: answer.promise };
      return;
    }
    run.queued(answer.ticket, answer.facts.now);
    this.#settle(member, { is: 'queued', facts: answer.facts });
  }

  async #enterGate(member: Member, wanted: 'user' | 'auto', facts: SeatFacts): Promise<void> {
    const { run } = member;
    const { options } = this.#context;
    const leftMs = run.ticket?.at === 'queue' ? run.leftMs : null;
    const ticket = this.#deps.gate.enter(run, wanted, Math.min(leftMs ?? options.queue.waitMs, run.applicant.waitMs ?? options.queue.waitMs));
    if (ticket === 'full') return;
    const left = this.#giveBack(member);
    // It stands at the gate from this turn on, in which the next seat may be offered to it.
    run.ticket = { at: 'gate', class: ticket.class, deadline: ticket.deadline };
    this.#settle(member, { is: 'queued', facts });
    await left;
  }

  async #giveUp(member: Member): Promise<void> {
    const message = `An admission came to no end in ${STEPS_MAX} steps.`;
    this.#context.telemetry.record({ severity: 'CRITICAL', event: 'admission-stuck', message, user: this.#user });
    await this.#giveBack(member);
    this.#settle(member, { is: 'retry', reason: 'no-seat-yet', retryAfterMs: this.#context.options.queue.waitMs, promise: null });
  }

  // ---- leaving the pass

  #remove(member: Member): void {
    this.#members = this.#members.filter((m) => m !== member);
    this.#arrived = this.#arrived.filter((m) => m !== member);
    this.#ladder.keepAtMost(this.#members.length);
  }

  #settle(member: Member, outcome: StepOutcome): void {
    this.#remove(member);
    member.settle(outcome);
    this.#endTurn(member);
    // It may rest on facts that were true no more.
    if (outcome.is === 'queued' && this.#called.has(member)) this.join(member);
  }

  /** The seat of the node that was kept for it: its manager holds one by now, or it needs none. */
  #endTurn({ run }: Member): void {
    run.turn?.release();
    run.turn = null;
  }

  /** Its ticket in the user's queue, if it has one that no other attempt of its client shares. */
  async #giveBack({ run }: Member): Promise<void> {
    if (run.ticket?.at !== 'queue' || this.#deps.room.isShared(run)) return;
    try {
      await this.#context.store.seats.cancel(this.#user, run.id, this.#context.seatLimits);
      this.#context.changed(this.#user);
    } catch {
      // The store forgets tickets at their deadline by itself.
    }
  }

  /** Something threw. A store that does not answer is asked again for as long as an admission may take, which is one time for all that
   *  wait for it; every call may be repeated. */
  async #stumble(error: unknown): Promise<void> {
    const now = this.#context.mono();
    const trouble = this.#trouble ?? { since: now, pauseMs: FIRST_PAUSE_MS };
    this.#trouble = { ...trouble, pauseMs: Math.min(LONGEST_PAUSE_MS, 2 * trouble.pauseMs) };
    const isPassing = SpillwayError.is(error) && error.code === 'SPILLWAY_STORE_UNAVAILABLE';
    const mayWait = ({ run }: Member): boolean => isPassing && now - Math.max(trouble.since, run.startedAt) < this.#context.options.cleanup.cutOverMs;
    const concerned = this.#current ? [this.#current] : this.#members;
    const failing = (concerned.length > 0 ? concerned : this.#arrived).filter((member) => !mayWait(member));
    if (failing.length === 0) {
      await new Promise<void>((resolve) => this.#context.clock.after(trouble.pauseMs, resolve));
      return;
    }
    for (const member of failing) {
      await this.#giveBack(member);
      this.#remove(member);
      member.fail(error);
      this.#endTurn(member);
    }
  }
}

import type { AdmissionFacts, StepResult } from '../../core/admission-facts.ts';
import { type Mono, mono } from '../../core/clocks.ts';
import { type CleanupLevel, LEVELS } from '../../core/levels.ts';
import type { Ticket } from '../../core/queue.ts';
import { newId } from '../../ports/random.ts';
import type { AdmitRequest, SeatFacts } from '../../ports/store.ts';
import type { Intent } from '../../protocol/frames.ts';
import type { ManagerId, Tier, UserId } from '../../protocol/ids.ts';
import type { RetryReason } from '../../protocol/reasons.ts';
import type { Context } from '../context.ts';
import type { AdmissionRecord, CleanupReport, LevelResult, SeatedHow } from '../events.ts';
import type { Seat } from '../manager.ts';
import type { KeptSeat } from './node-seats.ts';

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
  /** It was a manager before, so its client has a token that leads to the seat. */
  readonly isReturning: boolean;
  /** The `traceparent` of whoever asks. */
  readonly trace?: string;
}

/** What a pass came to for one admission. */
export type StepOutcome =
  /** `freed`: what its pass took from others up to here and has not told anybody yet. */
  | { readonly is: 'seated'; readonly seat: Seat; readonly how: SeatedHow; readonly facts: SeatFacts; readonly freed: CleanupReport | null }
  | { readonly is: 'queued'; readonly facts: SeatFacts }
  | { readonly is: 'retry'; readonly reason: RetryReason; readonly retryAfterMs: number; readonly promise: string | null }
  /** Whoever asked has gone. */
  | { readonly is: 'left' };

/** One admission from its `hello` to its end: what it asked for, and how far it has come. Passes of its user carry it on. */
export class AdmissionRun {
  readonly applicant: Applicant;
  readonly startedAt: Mono;
  /** One attempt of the store's, however often it is repeated. */
  readonly attach: string;
  /** Whoever asked has gone: nothing is done for it any more. */
  hasLeft = false;
  /** No pass has served it yet. */
  isNew = true;
  /** Steps of the pass that serves it now. */
  steps = 0;
  burst: StepResult = 'no';
  force: StepResult = 'no';
  /** Its deadline is by our own clock: another store, or a step of its clock, makes nobody wait longer. */
  ticket: AdmissionFacts['ticket'] = null;
  /** `promiseAt` by our own clock. */
  refusal: AdmissionFacts['refusal'] = null;
  /** Force has asked the store, and no answer came yet: it is asked the same again before anything else, since it may have acted. */
  isForcing = false;
  /** The place that was kept for it was not there. */
  isPromiseBroken = false;
  /** The seat of this node that the gate gave it. */
  turn: KeptSeat | null = null;
  probed = 0;
  readonly #context: Context;
  readonly #tried = new Map<CleanupLevel, { freed: number; result: LevelResult | 'skipped' }>();

  constructor(context: Context, applicant: Applicant, startedAt: Mono) {
    this.#context = context;
    this.applicant = applicant;
    this.startedAt = startedAt;
    this.attach = newId(context.random, 'mgr');
  }

  get id(): ManagerId {
    return this.applicant.manager;
  }

  noteLevel(level: CleanupLevel, result: LevelResult | 'skipped', freed: number): void {
    const before = this.#tried.get(level);
    if (result === 'skipped' && before !== undefined) return;
    this.#tried.set(level, { freed: (before?.freed ?? 0) + freed, result });
  }

  request(mayBurst: boolean): AdmitRequest {
    const { user, manager, intent } = this.applicant;
    const { life, seatLimits } = this.#context;
    return { user, manager, attach: this.attach, ...life, class: intent, mayBurst, limits: seatLimits };
  }

  /** What is kept of it. */
  record(outcome: AdmissionRecord['outcome'], reason: RetryReason | null): AdmissionRecord {
    const { manager, user, tier, intent, trace } = this.applicant;
    const levels = LEVELS.flatMap((level) => {
      const tried = this.#tried.get(level);
      return tried === undefined ? [] : [{ level, ...tried }];
    });
    return {
      managerId: manager,
      user,
      tier,
      intent,
      outcome,
      reason,
      levels,
      probed: this.probed,
      durationMs: this.#elapsedMs(),
      ...(trace === undefined ? {} : { trace }),
    };
  }

  #elapsedMs(): number {
    return Math.round(this.#context.mono() - this.startedAt);
  }

  /** It has a place in its user's queue, as the store said at `storeNow` by its own clock. */
  queued({ class: kind, deadline }: Pick<Ticket, 'class' | 'deadline'>, storeNow: number): void {
    const ours = mono(this.#context.mono() + (deadline - storeNow));
    // Whoever asks again keeps its place, and the end of its wait.
    const known = this.ticket?.at === 'queue' ? this.ticket.deadline : ours;
    this.ticket = { at: 'queue', class: kind, deadline: mono(Math.min(known, ours)) };
  }

  /** Until it has waited as long as it may; at least 1 ms. */
  get leftMs(): number | null {
    return this.ticket === null ? null : Math.max(1, this.ticket.deadline - this.#context.mono());
  }

  /** Takes in what the store says of its ticket. Returns how many rank ahead of it. */
  placed(facts: SeatFacts): number {
    const { manager, intent } = this.applicant;
    const index = facts.tickets.findIndex((t) => t.id === manager);
    // An automatic ticket may be pushed out; a person's holds to its end, also where our own stall let the store forget it.
    if (index < 0 && this.ticket?.at === 'queue' && this.ticket.class === 'auto') this.ticket = null;
    return index >= 0 ? index : facts.tickets.filter((t) => intent === 'auto' || t.class === 'user').length;
  }

  /** Facts that are this admission's own. Instants are by the store's clock, which `facts` tell: our own spans are carried over to it. */
  facts(facts: SeatFacts): Pick<AdmissionFacts, 'request' | 'ahead' | 'startedAt' | 'ticket' | 'refusal' | 'jitter'> {
    const { manager, intent, tier, refusals } = this.applicant;
    const toStore = facts.now - this.#context.mono();
    const ahead = this.placed(facts);
    const { ticket, refusal } = this;
    return {
      request: { managerId: manager, intent, tier, resumes: facts.seats.some((s) => s.manager === manager), refusals },
      ahead,
      startedAt: mono(this.startedAt + toStore),
      ticket: ticket === null ? null : { ...ticket, deadline: mono(ticket.deadline + toStore) },
      refusal: refusal === null ? null : { ...refusal, promiseAt: mono(refusal.promiseAt + toStore) },
      jitter: this.#context.random.share(),
    };
  }
}

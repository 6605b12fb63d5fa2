import type { AdmissionFacts, StepResult } from '../../core/admission-facts.ts';
import { type Mono, mono } from '../../core/clocks.ts';
import { type CleanupLevel, LEVELS } from '../../core/levels.ts';
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
  ticket: AdmissionFacts['ticket'] = null;
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
    return { user, manager, attach: this.attach, node: this.#context.node, class: intent, mayBurst, limits: this.#context.seatLimits };
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
    const { ticket } = this;
    return {
      request: { managerId: manager, intent, tier, resumes: facts.seats.some((s) => s.manager === manager), refusals },
      ahead,
      startedAt: mono(this.startedAt + toStore),
      ticket: ticket?.at === 'gate' ? { ...ticket, deadline: mono(ticket.deadline + toStore) } : ticket,
      refusal: this.refusal,
      jitter: this.#context.random.share(),
    };
  }
}

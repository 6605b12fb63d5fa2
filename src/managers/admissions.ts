import type { Mono } from '../core/clocks.ts';
import { newId } from '../ports/random.ts';
import type { SeatFacts } from '../ports/store.ts';
import { closeFor } from '../protocol/close-codes.ts';
import type { ManagerId, UserId } from '../protocol/ids.ts';
import type { ReasonCode } from '../protocol/reasons.ts';
import { cleanedUpNotice } from '../protocol/texts.ts';
import type { Admission, AdmissionRequest, Queued, Retry, Seated } from './admission.ts';
import { AdmissionRun, type StepOutcome, type Surroundings } from './admit.ts';
import type { Attachment } from './attachment.ts';
import { BareWire } from './bare-wire.ts';
import type { Claims } from './claims.ts';
import type { Context } from './context.ts';
import type { CleanupReport, FactoryEmitter, FactoryEvents } from './events.ts';
import { sayGoodbye } from './farewell.ts';
import { type UserContext, WebSocketManager } from './manager.ts';
import type { Notifier } from './notify.ts';
import type { CountedSocket } from './sockets.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** What admissions need of their factory. */
interface AdmissionDeps {
  readonly claims: Claims;
  readonly room: WaitingRoom;
  readonly notifier: Notifier;
  readonly events: FactoryEmitter;
  readonly around: Surroundings;
  cleaned(report: CleanupReport): void;
  leave(manager: WebSocketManager, reason: 'client-closed' | 'parked'): Promise<void>;
  transportClosed(manager: WebSocketManager, attachment: Attachment): void;
}

/** Somebody at the door. */
interface Guest {
  readonly user: UserContext;
  readonly request: AdmissionRequest;
  readonly socket: CountedSocket | null;
  readonly askedAt: Mono;
}

type Concluded = Exclude<StepOutcome, { is: 'queued' }>;

/** How managers come to their seats: back to the one they still hold, or through an admission. */
export class Admissions {
  readonly #context: Context;
  readonly #deps: AdmissionDeps;
  #created = 0;

  constructor(context: Context, deps: AdmissionDeps) {
    this.#context = context;
    this.#deps = deps;
  }

  /** Managers made so far. */
  get created(): number {
    return this.#created;
  }

  /** Resolves to an outcome; rejects only while the store cannot be asked, and then nothing is left behind. */
  async admit(user: UserContext, request: AdmissionRequest): Promise<Admission> {
    const socket = request.transport ? this.#context.sockets.count(user.userId, request.transport) : null;
    if (socket && request.closed) void request.closed.then(() => socket.gone());
    const guest: Guest = { user, request, socket, askedAt: this.#context.mono() };
    try {
      const admission = (await this.#comeBack(guest)) ?? (await this.#context.lanes.run(user.userId, () => this.#enter(guest)));
      if (admission.kind === 'retry') this.#handBack(guest);
      return admission;
    } catch (error) {
      this.#handBack(guest);
      throw error;
    }
  }

  /** An unattended transport that got no seat is its owner's business again. */
  #handBack({ request, socket }: Guest): void {
    if (!request.closed) socket?.gone();
  }

  /** In the user's lane. */
  async #enter(guest: Guest): Promise<Admission> {
    // Whoever came with the same token may have been quicker.
    const again = await this.#comeBack(guest);
    if (again) return again;
    const { user, request } = guest;
    const manager = this.#idFor(request);
    const run = new AdmissionRun(
      this.#context,
      this.#deps.around,
      {
        manager,
        user: user.userId,
        tier: user.tier,
        intent: request.intent ?? 'user',
        waitMs: request.waitMs ?? null,
        promise: request.promise ?? null,
        label: request.client?.label ?? null,
        refusals: this.#deps.claims.refusals(manager),
      },
      guest.askedAt,
    );
    const outcome = await run.advance();
    return outcome.is === 'queued' ? this.#queue(run, outcome.facts, guest) : this.#conclude(run, outcome, guest);
  }

  /** A manager that is not seated any more comes back under its id, unless somebody else has that id here. */
  #idFor({ resume }: AdmissionRequest): ManagerId {
    return resume && !this.#context.registry.find(resume.manager) ? resume.manager : (newId(this.#context.random, 'mgr') as ManagerId);
  }

  // ---- coming back to a seat that is still held

  async #comeBack(guest: Guest): Promise<Seated | null> {
    for (;;) {
      if (this.#ownOf(guest) === null) return null;
      const facts = await this.#factsOf(guest.user.userId);
      const manager = this.#ownOf(guest);
      if (manager === null) return null;
      // Nothing is awaited between this look and the attachment.
      if (manager.leaving === null) return this.#reattach(manager, facts, guest);
      await manager.leaving;
    }
  }

  /** The manager that the guest's token leads to, if it is the newest one, or the one before while nobody has used the newest. */
  #ownOf({ user, request: { resume, transport } }: Guest): WebSocketManager | null {
    if (!resume || !transport) return null;
    const manager = this.#context.registry.find(resume.manager);
    if (!manager || manager.user.userId !== user.userId || manager.seat === null) return null;
    const isGood = resume.serial === manager.serial || (resume.serial === manager.serial - 1 && !manager.confirmed);
    return isGood ? manager : null;
  }

  /** How the user's seats stand. Who holds a seat here returns to it also while the store cannot be asked. */
  async #factsOf(user: UserId): Promise<SeatFacts | null> {
    try {
      return await this.#context.store.seats.facts(user, this.#context.seatLimits);
    } catch (error) {
      this.#context.telemetry.record({ severity: 'WARNING', event: 'limits-not-told', message: String(error) });
      return null;
    }
  }

  #reattach(manager: WebSocketManager, facts: SeatFacts | null, guest: Guest): Seated {
    const { user, request } = guest;
    const seated = this.#attach(manager, facts, guest, 'attached', 'reattach');
    this.#record({
      managerId: manager.id,
      user: user.userId,
      tier: user.tier,
      intent: request.intent ?? 'user',
      outcome: 'reattach',
      reason: null,
      levels: [],
      probed: 0,
      durationMs: Math.round(this.#context.mono() - guest.askedAt),
    });
    return seated;
  }

  /** Gives a seated manager the guest's transport. An older one is fenced first, then told. */
  #attach(manager: WebSocketManager, facts: SeatFacts | null, guest: Guest, resume: Seated['resume'], how: Seated['how']): Seated {
    const { user, request, socket } = guest;
    const positions = manager.attachment?.positions() ?? [];
    const old = request.transport && socket ? manager.reattach(request.transport, socket, request.visibility) : null;
    if (request.client) manager.client = request.client;
    if (request.attended !== true) this.#attend(manager);
    if (old) {
      // Never two transports on one manager; the old one may be half-open, so nothing waits for it.
      sayGoodbye(old.transport, { close: closeFor('superseded'), reason: 'superseded', positions, manager: manager.id, label: manager.client.label });
      old.socket.terminate(this.#context.options.cleanup.lingerForceMs);
    }
    this.#context.changed(user.userId);
    const limits = this.#deps.notifier.limits(user.userId, user.tier, facts);
    return { kind: 'seated', manager, attachment: manager.attachment, seat: manager.seat?.kind ?? 'soft', resume, how, limits };
  }

  // ---- a place in the queue

  #queue(run: AdmissionRun, facts: SeatFacts, guest: Guest): Queued {
    const { user, request } = guest;
    let isOver = false;
    let hasLeft = false;
    const entered = this.#deps.room.enter(run, facts, (end) => {
      isOver = true;
      request.signal?.removeEventListener('abort', leave);
      return this.#conclude(run, end, guest);
    });
    const leave = (): void => {
      if (hasLeft) return;
      hasLeft = true;
      if (isOver) return;
      entered.leave();
      this.#recordRun(run, 'abandoned', null);
    };
    const outcome = entered.outcome.then(async (end) => {
      if (end.kind === 'retry') this.#handBack(guest);
      // It left in the very moment in which it was seated: nobody is there to hold that seat.
      else if (hasLeft) await this.#deps.leave(end.manager, 'client-closed');
      return end;
    });
    this.#deps.notifier.urgent(user.userId, facts);
    this.#context.changed(user.userId);
    // Whoever has gone by now is not told by an event any more.
    if (request.signal?.aborted) leave();
    else request.signal?.addEventListener('abort', leave, { once: true });
    return { kind: 'queued', ...entered.place, outcome, onPlace: entered.onPlace, cancel: leave };
  }

  // ---- the end of an admission

  /** Runs in the user's lane, without awaiting: what the store decided and what is known here never differ for others. */
  #conclude(run: AdmissionRun, end: Concluded, guest: Guest): Seated | Retry {
    const { user, request } = guest;
    const { manager: id } = run.applicant;
    const { claims, notifier } = this.#deps;
    const cleanup = run.cleanup;
    if (cleanup && cleanup.victims.length > 0) this.#deps.cleaned(cleanup);
    if (end.is === 'retry') {
      claims.refused(id);
      this.#recordRun(run, 'retry-later', end.reason);
      return { kind: 'retry', manager: id, reason: end.reason, retryAfterMs: end.retryAfterMs, promise: end.promise };
    }
    claims.seated(id);
    const isReturning = request.resume?.manager === id;
    const seated = this.#seat(id, end, guest, isReturning ? 'readmitted' : 'fresh');
    this.#recordRun(run, end.how, null);
    const { manager } = seated;
    if (manager.attachment && user.threadId !== undefined && request.attended !== true) manager.follow(user.threadId);
    // After `ready`, which its owner sends in this turn.
    if (end.seat.kind === 'burst') this.#context.clock.soon(() => notifier.urgent(user.userId, end.facts));
    if (cleanup && cleanup.victims.length > 0) this.#tellCleanedUp(manager, cleanup);
    return seated;
  }

  #seat(id: ManagerId, end: Extract<Concluded, { is: 'seated' }>, guest: Guest, resume: Seated['resume']): Seated {
    const { user, request, socket } = guest;
    const known = this.#context.registry.find(id);
    if (known && known.user.userId === user.userId && known.seat !== null) {
      // Another attempt under this id was seated while this one waited: it is taken over.
      known.reseated(end.seat);
      return this.#attach(known, end.facts, guest, resume, end.how);
    }
    const manager = new WebSocketManager(this.#context, id, user, request.visibility ?? 'unknown');
    if (request.client) manager.client = request.client;
    // Serials go on where the client's token stands, so that this token still leads here should `ready` be lost.
    if (resume === 'readmitted') manager.serial = request.resume?.serial ?? 0;
    this.#context.registry.add(manager);
    manager.seated(end.seat, request.transport && socket ? { transport: request.transport, socket } : null, request.visibility);
    if (request.attended === true) manager.attachment?.arrive();
    else this.#attend(manager);
    this.#created++;
    this.#context.changed(user.userId);
    const limits = this.#deps.notifier.limits(user.userId, user.tier, end.facts);
    return { kind: 'seated', manager, attachment: manager.attachment, seat: end.seat.kind, resume, how: end.how, limits };
  }

  #attend(manager: WebSocketManager): void {
    const { attachment } = manager;
    if (!attachment) return;
    attachment.transport.listen(
      new BareWire(manager, attachment, {
        left: (reason) => {
          this.#deps
            .leave(manager, reason)
            .catch((error: unknown) => this.#context.telemetry.record({ severity: 'WARNING', event: 'release-failed', message: String(error) }));
        },
        closed: () => this.#deps.transportClosed(manager, attachment),
      }),
    );
  }

  #tellCleanedUp(manager: WebSocketManager, cleanup: CleanupReport): void {
    const reasons: Partial<Record<ReasonCode, number>> = {};
    for (const victim of cleanup.victims) reasons[victim.reason] = (reasons[victim.reason] ?? 0) + 1;
    const level = cleanup.levels.at(-1)?.level ?? 'conservative';
    this.#context.clock.soon(() =>
      this.#deps.notifier.one(manager, cleanedUpNotice({ freed: cleanup.victims.length, level, durationMs: cleanup.durationMs, reasons })),
    );
  }

  #recordRun(run: AdmissionRun, outcome: FactoryEvents['admission-ended']['outcome'], reason: Retry['reason'] | null): void {
    const { manager, user, tier, intent } = run.applicant;
    const levels = (run.cleanup?.levels ?? []).map(({ level, freed }) => ({ level, freed }));
    this.#record({ managerId: manager, user, tier, intent, outcome, reason, levels, probed: run.probed, durationMs: run.durationMs });
  }

  #record(record: FactoryEvents['admission-ended']): void {
    this.#deps.events.emit('admission-ended', record);
    this.#context.telemetry.record({ severity: 'DEBUG', event: 'admission-ended', message: `An admission ended: ${record.outcome}.`, admission: record });
  }
}

import type { Mono } from '../../core/clocks.ts';
import { newId } from '../../ports/random.ts';
import type { SeatFacts } from '../../ports/store.ts';
import type { ManagerId, Tier, UserId } from '../../protocol/ids.ts';
import type { Context } from '../context.ts';
import type { Attachment } from '../delivery/attachment.ts';
import type { AdmissionRecord, CleanupReport, FactoryEmitter } from '../events.ts';
import type { UserContext, WebSocketManager } from '../manager.ts';
import type { Notifier } from '../notify.ts';
import type { QueuedTicket } from '../reports.ts';
import type { Admission, AdmissionRequest, Retry, Seated } from './admission.ts';
import { AdmissionRun } from './admission-run.ts';
import { Attempt, type AttemptOwner, type Ending, type Guest } from './attempt.ts';
import type { Claims } from './claims.ts';
import { GateRoom } from './gate-room.ts';
import { heapGauge } from './heap.ts';
import { LevelFaults } from './level-faults.ts';
import { NodeSweep } from './node-sweep.ts';
import { Passes } from './passes.ts';
import { ProbeBudget } from './probe-budget.ts';
import { Seating } from './seating.ts';
import { WaitLog } from './wait-log.ts';
import { WaitingRoom } from './waiting-room.ts';

/** What admissions need of their factory. */
interface AdmissionDeps {
  readonly claims: Claims;
  readonly notifier: Notifier;
  readonly events: FactoryEmitter;
  /** Whether we stalled since then. */
  stalledSince(at: Mono): boolean;
  cleaned(report: CleanupReport): void;
  leave(manager: WebSocketManager, reason: 'client-closed' | 'parked'): Promise<void>;
  transportClosed(manager: WebSocketManager, attachment: Attachment): void;
}

/** How managers come to their seats: back to the one they still hold, or through a pass of their user. */
export class Admissions implements AttemptOwner {
  readonly #context: Context;
  readonly #deps: AdmissionDeps;
  readonly #seating: Seating;
  readonly #room: WaitingRoom;
  readonly #gate: GateRoom;
  readonly #waits: WaitLog;
  readonly #nodeSweep: NodeSweep;
  readonly #passes: Passes;
  readonly #stopListening: () => void;
  #isStopped = false;

  constructor(context: Context, deps: AdmissionDeps) {
    this.#context = context;
    this.#deps = deps;
    this.#seating = new Seating(context, deps);
    this.#waits = new WaitLog(context);
    this.#nodeSweep = new NodeSweep(context, (report) => deps.cleaned(report));
    // Only attempts wait.
    this.#room = new WaitingRoom(context, (waiting) => this.#passes.join(waiting as Attempt));
    this.#gate = new GateRoom(context, this.#nodeSweep, (waiting) => this.#passes.join(waiting as Attempt));
    this.#passes = new Passes({
      context,
      claims: deps.claims,
      probes: new ProbeBudget(() => context.mono()),
      faults: new LevelFaults(() => context.mono()),
      room: this.#room,
      gate: this.#gate,
      nodeSweep: this.#nodeSweep,
      heapShare: heapGauge(() => context.mono()),
      stalledSince: (at) => deps.stalledSince(at),
      cleaned: (report) => deps.cleaned(report),
    });
    this.#stopListening = deps.events.on('manager-ended', ({ user, reason }) => {
      // What a person frees is promised to their own queue.
      if (reason === 'user-freed' && (this.#room.waitingOf(user) > 0 || this.#gate.waits(user))) this.#gate.promise(user);
      this.#gate.freed();
    });
  }

  /** Managers made so far. */
  get created(): number {
    return this.#seating.created;
  }

  /** Everybody who waits, in users' queues and at the gate. */
  get tickets(): readonly QueuedTicket[] {
    return [...this.#room.tickets, ...this.#gate.tickets];
  }

  /** How many admissions wait, in users' queues and at the gate. */
  get waiting(): number {
    return this.#waits.size;
  }

  /** The same by tier, without those of which there are none. */
  get waitingByTier(): WaitLog['byTier'] {
    return this.#waits.byTier;
  }

  /** How many wait in a user's queue. */
  waitingOf(user: UserId): number {
    return this.#room.waitingOf(user);
  }

  /** Whether that manager waits in its user's queue here. */
  waits(user: UserId, manager: ManagerId): boolean {
    return this.#room.holds(user, manager);
  }

  /** In how long it is worth trying again where even the gate of this node has no place; null while it has one. */
  get overloadedForMs(): number | null {
    return this.#gate.isFull ? this.#gate.estimateMs : null;
  }

  /** Whoever of this user waits at the gate counts in another tier from now on. */
  retier(user: UserId, tier: Tier): void {
    this.#gate.retier(user, tier);
  }

  /** Seats, queue or burst of a user changed. */
  changed(user: UserId): void {
    this.#room.poke(user);
    this.#nodeSweep.changed(user);
    this.#gate.freed();
  }

  /** Resolves to an outcome; rejects only while the store cannot be asked, and then nothing is left behind. */
  async admit(user: UserContext, request: AdmissionRequest): Promise<Admission> {
    const socket = request.transport ? this.#context.sockets.count(user.userId, request.transport) : null;
    const gone = (): void => socket?.gone();
    // However it is told of its end.
    void request.closed?.then(gone, gone);
    const guest: Guest = { user, request, socket, askedAt: this.#context.mono() };
    this.#context.cutOff?.comes(user.userId, user.tier);
    try {
      const back = await this.#comeBack(guest);
      if (back) return back;
      const attempt = new Attempt(this.#runFor(guest), guest, this, () => this.#context.mono());
      this.#passes.join(attempt);
      return await attempt.answer;
    } catch (error) {
      this.#handBack(guest);
      throw error;
    }
  }

  /** An unattended transport that got no seat is its owner's business again. */
  #handBack({ request, socket }: Guest): void {
    if (!request.closed) socket?.gone();
  }

  #runFor(guest: Guest): AdmissionRun {
    const { user, request, askedAt } = guest;
    const manager = this.#idFor(guest);
    return new AdmissionRun(
      this.#context,
      {
        manager,
        user: user.userId,
        tier: user.tier,
        intent: request.intent ?? 'user',
        waitMs: request.waitMs ?? null,
        promise: request.promise ?? null,
        label: request.client?.label ?? null,
        refusals: this.#deps.claims.refusals(manager),
        isReturning: request.resume?.manager === manager,
        ...(request.trace === undefined ? {} : { trace: request.trace }),
      },
      askedAt,
    );
  }

  /** A manager that is not seated any more, or on another node, comes back under its id, unless somebody else has that id here. */
  #idFor(guest: Guest): ManagerId {
    const { resume } = guest.request;
    const isFree = resume !== undefined && (!this.#context.registry.find(resume.manager) || this.#ownOf(guest) !== null);
    return isFree ? resume.manager : (newId(this.#context.random, 'mgr') as ManagerId);
  }

  // ---- coming back to a seat that is still held

  async #comeBack(guest: Guest): Promise<Seated | null> {
    for (;;) {
      if (this.#ownOf(guest) === null) return null;
      const facts = await this.#factsOf(guest.user.userId);
      const manager = this.#ownOf(guest);
      if (manager === null || this.#isElsewhere(manager, facts)) return null;
      // Nothing is awaited between this look and the attachment.
      if (manager.leaving === null) return this.#reattach(manager, facts, guest);
      await manager.leaving;
    }
  }

  /** Another node has taken it over, and we have not heard of it yet: its client has been there since, and takes it over in its turn. */
  #isElsewhere(manager: WebSocketManager, facts: SeatFacts | null): boolean {
    const { cluster, life } = this.#context;
    const seat = cluster === null ? undefined : facts?.seats.find((s) => s.manager === manager.id);
    return seat !== undefined && (seat.node !== life.node || seat.incarnation !== life.incarnation);
  }

  /** The manager that the guest's token leads to, if it is the newest one, or the one before while nobody has used the newest. A newer
   *  one than ours is from another node, where its client has been since. */
  #ownOf({ user, request: { resume, transport } }: Guest): WebSocketManager | null {
    if (!resume || !transport) return null;
    const manager = this.#context.registry.find(resume.manager);
    if (!manager || manager.user.userId !== user.userId || manager.seat === null) return null;
    const isGood = resume.serial >= manager.serial || (resume.serial === manager.serial - 1 && !manager.confirmed);
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
    const { user, request, askedAt } = guest;
    const seated = this.#seating.attach(manager, facts, guest, 'attached', 'reattach');
    this.#record({
      managerId: manager.id,
      user: user.userId,
      tier: user.tier,
      intent: request.intent ?? 'user',
      outcome: 'reattach',
      reason: null,
      levels: [],
      probed: 0,
      durationMs: Math.round(this.#context.mono() - askedAt),
      ...(request.trace === undefined ? {} : { trace: request.trace }),
    });
    return seated;
  }

  // ---- how an attempt goes on

  held(attempt: Attempt, facts: SeatFacts, isFirst: boolean): void {
    const { user } = attempt.run.applicant;
    if (this.#isStopped) {
      attempt.close();
      return;
    }
    if (attempt.run.ticket?.at === 'gate') {
      this.#room.release(attempt);
      this.#gate.hold(attempt);
    } else {
      this.#gate.release(attempt);
      this.#room.hold(attempt, facts);
    }
    this.#waits.holds(attempt.run, attempt.place?.position ?? 1);
    if (!isFirst) return;
    this.#deps.notifier.urgent(user, facts);
    this.#context.changed(user);
  }

  left(attempt: Attempt): void {
    this.#passes.join(attempt);
  }

  failed(attempt: Attempt): void {
    this.#release(attempt);
    this.#handBack(attempt.guest);
    this.#waits.ended(attempt.run, 'retry-later');
    if (!attempt.run.hasLeft) this.#waits.sentAway(attempt.run, 'failed');
  }

  listenerFailed(error: unknown): void {
    this.#context.telemetry.record({ severity: 'ERROR', event: 'listener-failed', message: String(error) });
  }

  ended(attempt: Attempt, end: Ending): Seated | Retry {
    const { run, guest } = attempt;
    const { claims } = this.#deps;
    this.#release(attempt);
    if (end.is === 'seated') {
      claims.seated(run.id);
      this.#waits.ended(run, 'seated');
      const seated = this.#seating.seat(run.id, end, guest);
      this.#record(run.record(end.how, null));
      return seated;
    }
    this.#handBack(guest);
    if (end.is === 'left') {
      this.#waits.ended(run, 'abandoned');
      this.#record(run.record('abandoned', null));
      return { kind: 'retry', manager: run.id, reason: 'no-seat-yet', retryAfterMs: 0, promise: null };
    }
    claims.refused(run.id);
    this.#waits.ended(run, 'retry-later');
    this.#waits.sentAway(run, end.reason);
    this.#record(run.record('retry-later', end.reason));
    return { kind: 'retry', manager: run.id, reason: end.reason, retryAfterMs: end.retryAfterMs, promise: end.promise };
  }

  #release(attempt: Attempt): void {
    this.#room.release(attempt);
    this.#gate.release(attempt);
  }

  #record(record: AdmissionRecord): void {
    this.#deps.events.emit('admission-ended', record);
    this.#context.telemetry.record({
      severity: 'DEBUG',
      event: 'admission-ended',
      message: `An admission ended: ${record.outcome}.`,
      trace: record.trace,
      admission: record,
    });
  }

  /** Whoever waits hears that it is over, and nobody is woken any more. */
  stop(): void {
    this.#isStopped = true;
    this.#stopListening();
    for (const waiting of [...this.#room.all, ...this.#gate.all]) (waiting as Attempt).close();
    this.#room.stop();
    this.#gate.stop();
    this.#waits.stop();
  }
}

import type { CleanupPlan } from '../core/cleanup.ts';
import { type Attentive, mono } from '../core/clocks.ts';
import { type CleanupLevel, LEVELS } from '../core/levels.ts';
import type { Options, PartialOptions } from '../core/options.ts';
import { pressure } from '../core/pressure.ts';
import { resolveOptions } from '../core/resolve-options.ts';
import { type Clock, systemClock } from '../ports/clock.ts';
import { newId, type Random, systemRandom } from '../ports/random.ts';
import type { SeatFacts, SeatLimits, Store } from '../ports/store.ts';
import { silent, type Telemetry } from '../ports/telemetry.ts';
import type { Transport } from '../ports/transport.ts';
import { closeFor } from '../protocol/close-codes.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { Intent } from '../protocol/frames.ts';
import { isUserId, type ManagerId, type NodeId, spellRandom, type ThreadId, type UserId } from '../protocol/ids.ts';
import type { Limits, Visibility } from '../protocol/messages.ts';
import type { Position } from '../protocol/position.ts';
import type { ReasonCode } from '../protocol/reasons.ts';
import { cleanedUpNotice } from '../protocol/texts.ts';
import { Streams } from '../streams/streams.ts';
import type { Admission, Queued, Retry, Seated } from './admission.ts';
import { AdmissionRun, type StepOutcome, type Surroundings } from './admit.ts';
import type { Attachment } from './attachment.ts';
import { BareWire } from './bare-wire.ts';
import { Claims } from './claims.ts';
import type { Context } from './context.ts';
import { publishEvent } from './emitter.ts';
import { type CleanupReport, FactoryEmitter, type FactoryEvents } from './events.ts';
import { partFrom } from './evict.ts';
import { sayGoodbye } from './farewell.ts';
import { type ClientInfo, type UserContext, WebSocketManager } from './manager.ts';
import { Leases } from './node.ts';
import { Notifier } from './notify.ts';
import { Registry } from './registry.ts';
import { SelfWatch } from './self.ts';
import { type CountedSocket, Sockets } from './sockets.ts';
import { joinReports, planFor, sweep } from './sweep.ts';
import { UserLanes } from './user-lane.ts';
import { WaitingRoom } from './waiting-room.ts';
import { WatchTower } from './watch.ts';

/** What a factory takes. All options of `docs/options.md` with scope `core` may stand beside these. */
export interface FactoryOptions extends PartialOptions {
  /** Where seats and logs are. There is no default here: `memoryStore()` keeps nothing over a restart. */
  readonly store: Store;
  readonly telemetry?: Telemetry;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Name of this node. Default: `gw-` and random characters. */
  readonly node?: string;
}

export interface AdmissionRequest {
  readonly transport?: Transport;
  /** A manager whose resume token the caller has verified, and the serial that the token named. */
  readonly resume?: { readonly manager: ManagerId; readonly serial: number };
  /** What an earlier `retry` named. */
  readonly promise?: string | null;
  /** Shorter patience in the queue, milliseconds. */
  readonly waitMs?: number;
  /** `user` (default): a person acted. `auto`: a reconnect by itself, which costs no living manager its seat. */
  readonly intent?: Intent;
  readonly visibility?: Visibility;
  readonly client?: ClientInfo;
  /** Gives the place in the queue back. */
  readonly signal?: AbortSignal;
  /** The caller listens to the transport itself, as the gateway's wires do. Default: the factory hears acks, probes and subscriptions. */
  readonly attended?: boolean;
  /** Resolves when an attended transport has closed, so that it is not counted any more. */
  readonly closed?: Promise<unknown>;
}

/** Counted at the state change itself. */
export interface FactoryStatus {
  readonly seats: number;
  readonly sockets: number;
  readonly quarantined: number;
  readonly queued: number;
  readonly users: number;
  readonly created: number;
  readonly evicted: number;
}

const MINUTE_MS = 60_000;

/** Admits, finds, judges and evicts managers. It knows nothing of HTTP, log-ins or agents. */
export class WebSocketManagerFactory implements AsyncDisposable {
  readonly options: Options;
  readonly node: NodeId;
  readonly streams: Streams;
  readonly #context: Context;
  readonly #events: FactoryEmitter;
  readonly #self: SelfWatch;
  readonly #tower: WatchTower;
  readonly #leases: Leases;
  readonly #room: WaitingRoom;
  readonly #notifier: Notifier;
  readonly #claims: Claims;
  readonly #around: Surroundings;
  #created = 0;
  #evicted = 0;
  #closed = false;

  constructor(o: FactoryOptions) {
    const { store, telemetry = silent, clock = systemClock, random = systemRandom, node, ...partial } = o;
    this.options = resolveOptions(partial);
    this.node = (node ?? `gw-${spellRandom(random.bytes(6), 6)}`) as NodeId;
    this.streams = new Streams(store, clock, telemetry);
    this.#events = new FactoryEmitter((error) => telemetry.record({ severity: 'ERROR', event: 'listener-failed', message: String(error) }));
    this.#self = new SelfWatch(clock, this.options, (gapMs) => this.#tower.stalled(gapMs));
    const registry = new Registry();
    this.#context = {
      node: this.node,
      options: this.options,
      seatLimits: seatLimitsOf(this.options),
      clock,
      random,
      store,
      streams: this.streams,
      telemetry,
      registry,
      sockets: new Sockets(this.options, clock, telemetry),
      lanes: new UserLanes(),
      now: () => this.#self.now,
      mono: () => mono(clock.mono()),
      self: () => this.#self.health,
      pressure: (user) =>
        pressure({ seats: registry.of(user).size, soft: this.options.limits.perUser }, { seats: registry.size, perNode: this.options.limits.perNode }),
      look: (manager, inMs) => this.#tower.look(manager, inMs),
      changed: (user) => this.#changed(user),
      release: (manager) => this.leave(manager, 'client-closed'),
    };
    this.#room = new WaitingRoom(this.#context);
    this.#notifier = new Notifier(this.#context, (user) => this.#room.waitingOf(user));
    this.#claims = new Claims(() => mono(clock.mono()), MINUTE_MS);
    this.#around = {
      forcesLastMinute: (user) => this.#claims.count(user),
      noteForce: (user) => this.#claims.note(user),
      probeBudget: () => true,
      heapShare: () => 0,
      stalledSince: (at) => this.#self.stalledSince(at),
      seatsOfNode: () => registry.size,
    };
    this.#tower = new WatchTower(this.#context, (report) => this.#cleaned(report));
    this.#leases = new Leases(this.#context, (manager) => this.#ended(manager, 'superseded'));
  }

  // ---- admission

  /** One admission. Resolves to an outcome; never rejects because of a limit. */
  async createManager(user: UserContext, request: AdmissionRequest = {}): Promise<Admission> {
    if (this.#closed) throw new SpillwayError('SPILLWAY_CLOSED', 'Expected an open factory; this one was closed.');
    if (!isUserId(user.userId))
      throw new SpillwayError(
        'SPILLWAY_BAD_ARGUMENT',
        `Expected \`userId\` to be 1 to 256 characters without control characters, got ${JSON.stringify(user.userId)}.`,
      );
    const socket = request.transport ? this.#context.sockets.count(user.userId, request.transport) : null;
    if (socket && request.closed) void request.closed.then(() => socket.gone());
    const again = request.resume ? await this.#reattach(user, request, request.resume, socket) : null;
    if (again) return again;
    const id = this.#idFor(request);
    const run = new AdmissionRun(this.#context, this.#around, {
      manager: id.id,
      user: user.userId,
      tier: user.tier,
      intent: request.intent ?? 'user',
      waitMs: request.waitMs ?? null,
      promise: request.promise ?? null,
      label: request.client?.label ?? null,
      refusals: this.#claims.refusals(id.id),
    });
    const outcome = await this.#context.lanes.run(user.userId, () => run.advance());
    if (outcome.is !== 'queued') return this.#conclude(run, outcome, user, request, socket, id.returning);
    return this.#queued(run, outcome.facts, user, request, socket, id.returning);
  }

  /** A manager that is not seated any more comes back under its id, unless somebody else has that id here. */
  #idFor(request: AdmissionRequest): { readonly id: ManagerId; readonly returning: boolean } {
    const wanted = request.resume?.manager;
    if (wanted !== undefined && !this.#context.registry.find(wanted)) return { id: wanted, returning: true };
    return { id: newId(this.#context.random, 'mgr') as ManagerId, returning: false };
  }

  async #reattach(
    user: UserContext,
    request: AdmissionRequest,
    resume: NonNullable<AdmissionRequest['resume']>,
    socket: CountedSocket | null,
  ): Promise<Seated | null> {
    const manager = this.#context.registry.find(resume.manager);
    if (!manager || manager.user.userId !== user.userId || manager.seat === null || !request.transport || !socket) return null;
    const isNewest = resume.serial === manager.serial || (resume.serial === manager.serial - 1 && !manager.confirmed);
    if (!isNewest) return null;
    const positions = manager.attachment?.positions() ?? [];
    const old = manager.reattach(request.transport, socket, request.visibility);
    if (request.client) manager.client = request.client;
    if (request.attended !== true) this.#attend(manager);
    if (old) {
      // Never two transports on one manager; the old one may be half-open, so nothing waits for it.
      sayGoodbye(old.transport, { close: closeFor('superseded'), reason: 'superseded', positions, manager: manager.id, label: manager.client.label });
      old.socket.terminate(this.options.cleanup.lingerForceMs);
    }
    const facts = await this.#context.store.seats.facts(user.userId, this.#context.seatLimits);
    this.#record({
      managerId: manager.id,
      user: user.userId,
      tier: user.tier,
      intent: request.intent ?? 'user',
      outcome: 'reattach',
      reason: null,
      levels: [],
      probed: 0,
      durationMs: 0,
    });
    this.#changed(user.userId);
    return {
      kind: 'seated',
      manager,
      seat: manager.seat?.kind ?? 'soft',
      resume: 'attached',
      how: 'reattach',
      limits: this.#notifier.limits(user.userId, user.tier, facts),
    };
  }

  #queued(run: AdmissionRun, facts: SeatFacts, user: UserContext, request: AdmissionRequest, socket: CountedSocket | null, returning: boolean): Queued {
    const entered = this.#room.enter(run, facts);
    this.#notifier.urgent(user.userId, facts);
    let isOver = false;
    let hasLeft = false;
    const leave = (): void => {
      if (isOver) return;
      isOver = true;
      hasLeft = true;
      entered.leave();
      this.#recordRun(run, 'abandoned', null);
    };
    request.signal?.addEventListener('abort', leave, { once: true });
    const outcome = entered.outcome.then(async (end) => {
      isOver = true;
      request.signal?.removeEventListener('abort', leave);
      const concluded = this.#conclude(run, end, user, request, socket, returning);
      // It left in the very moment in which it was seated: nobody is there to hold that seat.
      if (hasLeft && concluded.kind === 'seated') await this.leave(concluded.manager, 'client-closed');
      return concluded;
    });
    return { kind: 'queued', ...entered.place, outcome, onPlace: entered.onPlace, cancel: leave };
  }

  #conclude(
    run: AdmissionRun,
    end: Exclude<StepOutcome, { is: 'queued' }>,
    user: UserContext,
    request: AdmissionRequest,
    socket: CountedSocket | null,
    returning: boolean,
  ): Seated | Retry {
    const cleanup = run.cleanup;
    if (cleanup && cleanup.victims.length > 0) this.#cleaned(cleanup);
    if (end.is === 'retry') {
      this.#claims.refused(run.applicant.manager);
      this.#recordRun(run, 'retry-later', end.reason);
      return { kind: 'retry', reason: end.reason, retryAfterMs: end.retryAfterMs, promise: end.promise };
    }
    this.#claims.seated(run.applicant.manager);
    const manager = new WebSocketManager(this.#context, run.applicant.manager, user, request.visibility ?? 'unknown');
    if (request.client) manager.client = request.client;
    this.#context.registry.add(manager);
    manager.seated(end.seat, request.transport && socket ? { transport: request.transport, socket } : null, request.visibility);
    if (request.attended !== true) this.#attend(manager);
    if (manager.attachment && user.threadId !== undefined && request.attended !== true) manager.follow(user.threadId);
    this.#created++;
    this.#recordRun(run, end.how, null);
    this.#changed(user.userId);
    if (end.burstStarted) this.#notifier.urgent(user.userId, end.facts);
    if (cleanup && cleanup.victims.length > 0) this.#tellCleanedUp(manager, cleanup);
    return {
      kind: 'seated',
      manager,
      seat: end.seat.kind,
      resume: returning ? 'readmitted' : 'fresh',
      how: end.how,
      limits: this.#notifier.limits(user.userId, user.tier, end.facts),
    };
  }

  #attend(manager: WebSocketManager): void {
    const { attachment } = manager;
    if (!attachment) return;
    attachment.transport.listen(
      new BareWire(manager, attachment, {
        left: (reason) => {
          attachment.transport.end(1000, '');
          this.leave(manager, reason).catch((error: unknown) =>
            this.#context.telemetry.record({ severity: 'WARNING', event: 'release-failed', message: String(error) }),
          );
        },
        closed: () => this.transportClosed(manager, attachment),
      }),
    );
  }

  #tellCleanedUp(manager: WebSocketManager, cleanup: CleanupReport): void {
    const reasons: Partial<Record<ReasonCode, number>> = {};
    for (const victim of cleanup.victims) reasons[victim.reason] = (reasons[victim.reason] ?? 0) + 1;
    const level = cleanup.levels.at(-1)?.level ?? 'conservative';
    this.#context.clock.soon(() =>
      this.#notifier.one(manager, cleanedUpNotice({ freed: cleanup.victims.length, level, durationMs: cleanup.durationMs, reasons })),
    );
  }

  #recordRun(run: AdmissionRun, outcome: FactoryEvents['admission-ended']['outcome'], reason: Retry['reason'] | null): void {
    const { manager, user, tier, intent } = run.applicant;
    const levels = (run.cleanup?.levels ?? []).map(({ level, freed }) => ({ level, freed }));
    this.#record({ managerId: manager, user, tier, intent, outcome, reason, levels, probed: run.probed, durationMs: run.durationMs });
  }

  #record(record: FactoryEvents['admission-ended']): void {
    this.#events.emit('admission-ended', record);
    this.#context.telemetry.record({ severity: 'DEBUG', event: 'admission-ended', message: `An admission ended: ${record.outcome}.`, admission: record });
  }

  #cleaned(report: CleanupReport): void {
    this.#evicted += report.victims.length;
    this.#events.emit('cleanup-finished', report);
    for (const v of report.victims) this.#events.emit('manager-ended', { managerId: v.managerId, user: report.user, reason: v.reason });
    const deepest = report.levels.at(-1)?.level ?? 'conservative';
    this.#context.telemetry.record({
      severity: report.result === 'failed' ? 'ERROR' : deepest === 'force' ? 'WARNING' : 'INFO',
      event: 'cleanup-finished',
      message: `Freed ${report.victims.length} of ${report.before} seats at ${deepest} in ${report.durationMs} ms.`,
      cleanup: report,
    });
  }

  // ---- managers

  /** Held by this node. */
  find(id: ManagerId): WebSocketManager | undefined {
    return this.#context.registry.find(id);
  }

  /** The managers of a user that hold a seat. */
  list(user: UserId): readonly WebSocketManager[] {
    return [...this.#context.registry.of(user)].filter((m) => m.seat !== null);
  }

  /** Everybody that holds a seat here. */
  all(): Iterable<WebSocketManager> {
    return this.#context.registry.all();
  }

  /** Attentive time: our own stalls do not pass on it. */
  now(): Attentive {
    return this.#self.now;
  }

  async limits(user: UserId, tier: string): Promise<Limits> {
    return this.#notifier.limits(user, tier, await this.#context.store.seats.facts(user, this.#context.seatLimits));
  }

  /** The transport of `attachment` has closed: its manager keeps its seat for the resume window. */
  transportClosed(manager: WebSocketManager, attachment: Attachment): void {
    attachment.socket.gone();
    manager.transportLost(attachment, 'transport-lost');
    this.#changed(manager.user.userId);
  }

  /** The client left, or its application released it: the seat is free at once. */
  async leave(manager: WebSocketManager, reason: 'client-closed' | 'parked'): Promise<void> {
    const { seat } = manager;
    if (seat === null) return;
    manager.fenced(reason === 'parked' ? 'released' : 'left', reason);
    await this.#context.store.seats.release(manager.user.userId, manager.id, seat.token, this.#context.seatLimits);
    this.#events.emit('manager-ended', { managerId: manager.id, user: manager.user.userId, reason });
    this.#changed(manager.user.userId);
  }

  /** Ends a manager because a person or an operator said so. False: it was gone already. */
  async evict(
    id: ManagerId,
    cause: { readonly reason: 'user-freed' | 'admin-evicted'; readonly by: string | null; readonly detail?: string },
  ): Promise<boolean> {
    const manager = this.#context.registry.find(id);
    if (!manager) return false;
    return await this.#context.lanes.run(manager.user.userId, async () => {
      const candidate = manager.candidate();
      if (candidate === null) return false;
      const { verdict, version, token } = candidate;
      const lingerMs = verdict.proof ? 0 : this.options.cleanup.lingerForceMs;
      await this.#context.store.seats.evict(manager.user.userId, id, token, cause.reason, this.#context.seatLimits);
      partFrom(
        this.#context,
        manager,
        { managerId: id, version, token, verdict, reason: cause.reason, lingerMs },
        { level: 'force', label: cause.by, ...(cause.detail === undefined ? {} : { detail: cause.detail }) },
      );
      this.#evicted++;
      this.#events.emit('manager-ended', { managerId: id, user: manager.user.userId, reason: cause.reason });
      return true;
    });
  }

  /** The store gave its seat to another or forgot it for good. */
  #ended(manager: WebSocketManager, reason: 'superseded'): void {
    const positions = manager.attachment?.positions() ?? [];
    const attachment = manager.fenced('fenced', 'superseded');
    if (attachment) {
      sayGoodbye(attachment.transport, { close: closeFor(reason), reason, positions, manager: manager.id });
      attachment.socket.terminate(this.options.cleanup.lingerForceMs);
    }
    this.#events.emit('manager-ended', { managerId: manager.id, user: manager.user.userId, reason });
    this.#changed(manager.user.userId);
  }

  // ---- cleanup

  /** What a cleanup at `upTo` would do now. Changes nothing. */
  planCleanup(user: UserId, upTo: CleanupLevel = 'moderate', need = 1): CleanupPlan {
    return planFor(this.#context, { user, level: upTo, need, liveMax: need, trigger: 'operator', requester: null, label: null });
  }

  /** Frees seats of a user, mildest level first, until `need` are free. */
  async cleanup(user: UserId, o: { readonly upTo?: CleanupLevel; readonly need?: number } = {}): Promise<CleanupReport | null> {
    const need = o.need ?? 1;
    const report = await this.#context.lanes.run(user, async () => {
      const reports: CleanupReport[] = [];
      let missing = need;
      for (const level of LEVELS.slice(0, LEVELS.indexOf(o.upTo ?? 'moderate') + 1)) {
        const done = await sweep(this.#context, { user, level, need: missing, liveMax: missing, trigger: 'operator', requester: null, label: null });
        reports.push(done);
        missing -= done.victims.length;
        if (missing <= 0) break;
      }
      return joinReports(reports);
    });
    if (report && report.victims.length > 0) this.#cleaned(report);
    return report;
  }

  /** Sockets that were terminated and have not closed. */
  get quarantined(): number {
    return this.#context.sockets.quarantined;
  }

  getFactoryStatus(): FactoryStatus {
    const { registry, sockets } = this.#context;
    let seats = 0;
    const users = new Set<UserId>();
    for (const m of registry.all()) {
      if (m.seat !== null) seats++;
      users.add(m.user.userId);
    }
    return {
      seats,
      sockets: sockets.open,
      quarantined: sockets.quarantined,
      queued: this.#room.size,
      users: users.size,
      created: this.#created,
      evicted: this.#evicted,
    };
  }

  /** Logs an agent event in a thread. Resolves to its position when it is logged. */
  publish(user: UserId, thread: ThreadId, event: unknown, o: { readonly id?: string } = {}): Promise<Position> {
    return publishEvent(this.streams, this.#context.clock, { user, thread, run: null, event, eventId: o.id ?? newId(this.#context.random, 'msg') });
  }

  on<N extends keyof FactoryEvents>(name: N, listener: (event: FactoryEvents[N]) => void): () => void {
    return this.#events.on(name, listener);
  }

  #changed(user: UserId): void {
    this.#room.poke(user);
    this.#notifier.changed(user);
  }

  /** Ends watching and waiting. Transports are the caller's to end; the store stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#tower.stop();
    this.#leases.stop();
    this.#self.stop();
    await this.streams.settled();
    this.streams.close();
  }
}

const seatLimitsOf = (o: Options): SeatLimits => ({
  soft: o.limits.perUser,
  hard: Math.max(o.limits.perUser, o.limits.burst.perUser),
  burstForMs: o.limits.burst.forMs,
  coolDownMs: o.limits.burst.coolDownMs,
  debtMaxMs: o.limits.burst.debtMaxMs,
  places: o.queue.places,
  waitMs: o.queue.waitMs,
  promiseMs: o.queue.promiseMs,
  ttlMs: o.lease.ttlMs,
  tombstoneMs: o.lease.tombstoneMs,
});

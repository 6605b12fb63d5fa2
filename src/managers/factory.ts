import type { CleanupPlan } from '../core/cleanup.ts';
import { type Attentive, mono } from '../core/clocks.ts';
import { type CleanupLevel, LEVELS } from '../core/levels.ts';
import type { Options, PartialOptions } from '../core/options.ts';
import { pressure } from '../core/pressure.ts';
import { resolveOptions } from '../core/resolve-options.ts';
import { type Clock, systemClock } from '../ports/clock.ts';
import { newId, type Random, systemRandom } from '../ports/random.ts';
import type { SeatLimits, Store } from '../ports/store.ts';
import { silent, type Telemetry } from '../ports/telemetry.ts';
import { closeFor } from '../protocol/close-codes.ts';
import { SpillwayError } from '../protocol/errors.ts';
import { isUserId, type ManagerId, type NodeId, spellRandom, type ThreadId, type UserId } from '../protocol/ids.ts';
import type { Limits } from '../protocol/messages.ts';
import type { Position } from '../protocol/position.ts';
import { Streams } from '../streams/streams.ts';
import type { Admission, AdmissionRequest } from './admission.ts';
import { Admissions } from './admissions.ts';
import type { Attachment } from './attachment.ts';
import { Claims } from './claims.ts';
import type { Context } from './context.ts';
import { publishEvent } from './emitter.ts';
import { type CleanupReport, FactoryEmitter, type FactoryEvents } from './events.ts';
import { partFrom } from './evict.ts';
import { sayGoodbye } from './farewell.ts';
import type { UserContext, WebSocketManager } from './manager.ts';
import { Leases } from './node.ts';
import { Notifier } from './notify.ts';
import { Registry } from './registry.ts';
import { SelfWatch } from './self.ts';
import { Sockets } from './sockets.ts';
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
/** How long what was appended may take to reach the store when a factory is closed. */
const SETTLE_GRACE_MS = 2_000;

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
  readonly #admissions: Admissions;
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
    const claims = new Claims(() => mono(clock.mono()), MINUTE_MS);
    this.#admissions = new Admissions(this.#context, {
      claims,
      room: this.#room,
      notifier: this.#notifier,
      events: this.#events,
      around: {
        forcesLastMinute: (user) => claims.count(user),
        noteForce: (user) => claims.note(user),
        probeBudget: () => true,
        heapShare: () => 0,
        stalledSince: (at) => this.#self.stalledSince(at),
        seatsOfNode: () => registry.size,
      },
      cleaned: (report) => this.#cleaned(report),
      leave: (manager, reason) => this.leave(manager, reason),
      transportClosed: (manager, attachment) => this.transportClosed(manager, attachment),
    });
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
    return await this.#admissions.admit(user, request);
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

  /** The client left, or its application released it: the seat is free at once, and the transport ends. */
  async leave(manager: WebSocketManager, reason: 'client-closed' | 'parked'): Promise<void> {
    const { seat } = manager;
    if (seat === null) return;
    const attachment = manager.fenced(reason === 'parked' ? 'released' : 'left', reason);
    attachment?.transport.end(1000, '');
    try {
      await this.#context.store.seats.release(manager.user.userId, manager.id, seat.token, this.#context.seatLimits);
    } finally {
      // Where the store could not be told, the seat's lease ends by itself, since nobody renews it.
      this.#events.emit('manager-ended', { managerId: manager.id, user: manager.user.userId, reason });
      this.#changed(manager.user.userId);
    }
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
      const victim = { managerId: id, version, token, verdict, reason: cause.reason, lingerMs };
      await manager.whileLeaving(async () => {
        await this.#context.store.seats.evict(manager.user.userId, id, token, cause.reason, this.#context.seatLimits);
        partFrom(this.#context, manager, victim, { level: 'force', label: cause.by, ...(cause.detail === undefined ? {} : { detail: cause.detail }) });
      });
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
      created: this.#admissions.created,
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
    // A store that takes nothing any more must not keep a process from ending: what is not logged was shown to nobody.
    let cancel = (): void => {};
    await Promise.race([
      this.streams.settled(),
      new Promise<void>((resolve) => {
        cancel = this.#context.clock.after(SETTLE_GRACE_MS, resolve);
      }),
    ]);
    cancel();
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

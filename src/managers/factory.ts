import type { Attentive } from '../core/clocks.ts';
import type { CleanupLevel } from '../core/levels.ts';
import type { Options } from '../core/options.ts';
import type { TelemetrySource } from '../ports/events.ts';
import { newId } from '../ports/random.ts';
import type { Store } from '../ports/store.ts';
import { SpillwayError } from '../protocol/errors.ts';
import { isUserId, type ManagerId, type NodeId, type ThreadId, type Tier, type UserId } from '../protocol/ids.ts';
import type { Limits } from '../protocol/messages.ts';
import type { Position } from '../protocol/position.ts';
import type { Streams } from '../streams/streams.ts';
import type { Admission, AdmissionRequest } from './admission/admission.ts';
import { evictOne, leave, type SingleCause, transportClosed } from './cleanup/partings.ts';
import { climb } from './cleanup/sweep.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { SeatElsewhere } from './cluster/elsewhere.ts';
import { evictAnywhere } from './cluster/free-anywhere.ts';
import type { Attachment } from './delivery/attachment.ts';
import { publishEvent } from './emitter.ts';
import type { CleanupReport, FactoryEvents } from './events.ts';
import type { FactoryOptions } from './factory-options.ts';
import { checkAll } from './inspection/consistency.ts';
import type { History } from './inspection/history.ts';
import type { ProbeCounts } from './liveness/probe-window.ts';
import type { UserContext, WebSocketManager } from './manager.ts';
import { assemble, type Parts } from './parts.ts';
import type {
  ConsistencyReport,
  Explanation,
  FactoryStatus,
  HealthReport,
  PlannedCleanup,
  PlanOutcome,
  QueuedTicket,
  UserStatus,
  UserSummary,
} from './reports.ts';

/** How long what was appended may take to reach the store when a factory is closed. */
const SETTLE_GRACE_MS = 2_000;

/** A manager that another node holds. `toldAt`, `seatedAt`: milliseconds since the Unix epoch. */
export interface ManagerElsewhere extends SeatElsewhere {
  readonly toldAt: number;
  readonly seatedAt: number;
}

/** Admits, finds, judges and evicts managers. It knows nothing of HTTP, log-ins or agents. */
export class WebSocketManagerFactory implements AsyncDisposable {
  readonly options: Options;
  readonly node: NodeId;
  readonly streams: Streams;
  /** The store that it was given, watched: questions that are asked here are counted. */
  readonly store: Store;
  /** Everything that happens, how things stand and what was delivered: what metrics, alerts and pages read. Reading costs the same for
   *  one manager as for 100,000. */
  readonly telemetry: TelemetrySource;
  /** The nodes that share the store, as this one sees and reaches them; null on a store of one process. */
  readonly cluster: Cluster | null;
  /** What happened lately: cleanups, admissions, ends of managers. */
  readonly history: History;
  readonly #parts: Parts;
  #closed = false;

  constructor(o: FactoryOptions) {
    this.#parts = assemble(o);
    const { context, history, store, gauges, events } = this.#parts;
    this.options = context.options;
    this.node = context.node;
    this.cluster = context.cluster;
    this.streams = context.streams;
    this.store = store;
    this.history = history;
    this.telemetry = { on: (name, listener) => events.on(name, listener), gauges, delivery: context.meter };
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
    const tier = this.#parts.context.tiers.of(user.userId, user.tier);
    return await this.#parts.admissions.admit(tier === user.tier ? user : { ...user, tier }, request);
  }

  /** Gives a user another tier until this process ends, or with null that of its credential again. It counts for new admissions, and for
   *  who waits at the gate; managers that hold a seat keep the one they came with. False: too many users have one already. */
  setTier(user: UserId, tier: Tier | null): boolean {
    if (!this.#parts.context.tiers.set(user, tier)) return false;
    if (tier !== null) this.#parts.admissions.retier(user, tier);
    return true;
  }

  /** In how many milliseconds an admission is worth trying, while this node is full and even its gate has no place left; else null. */
  get overloadedForMs(): number | null {
    return this.#parts.admissions.overloadedForMs;
  }

  // ---- managers

  /** Held by this node. */
  find(id: ManagerId): WebSocketManager | undefined {
    return this.#parts.context.registry.find(id);
  }

  /** The managers of a user that hold a seat. */
  list(user: UserId): readonly WebSocketManager[] {
    return [...this.#parts.context.registry.of(user)].filter((m) => m.seat !== null);
  }

  /** Everybody that holds a seat here. */
  all(): Iterable<WebSocketManager> {
    return this.#parts.context.registry.all();
  }

  /** Attentive time: our own stalls do not pass on it. */
  now(): Attentive {
    return this.#parts.self.now;
  }

  async limits(user: UserId, claimed: Tier): Promise<Limits> {
    const tier = this.#parts.context.tiers.of(user, claimed);
    return this.#parts.notifier.limits(user, tier, await this.#parts.context.store.seats.facts(user, this.#parts.context.seatLimits));
  }

  /** The transport of `attachment` has closed: its manager keeps its seat for the resume window. */
  transportClosed(manager: WebSocketManager, attachment: Attachment): void {
    transportClosed(this.#parts.context, manager, attachment);
  }

  /** The client left, or its application released it: the seat is free at once, and the transport ends. */
  leave(manager: WebSocketManager, reason: 'client-closed' | 'parked'): Promise<void> {
    return leave(this.#parts.context, manager, reason);
  }

  /** Ends a manager because a person or an operator said so, whatever its verdict, pinned or not. False: it was gone already. */
  evict(id: ManagerId, cause: SingleCause): Promise<boolean> {
    return evictOne(this.#parts.context, id, cause, this.#parts.cleaned);
  }

  /** Ends one of a user's managers because that person said so, on whatever node it is. False: none of them holds a seat under this id.
   *  Rejects while the store cannot be asked. */
  free(user: UserId, id: ManagerId, by: string | null): Promise<boolean> {
    return evictAnywhere(this.#parts.context, user, id, { reason: 'user-freed', by }, this.#parts.cleaned);
  }

  /** The seats of a user that other nodes hold, as their nodes told the store last; empty on a store of one process. Rejects while the store
   *  cannot be asked. */
  async elsewhere(user: UserId): Promise<readonly ManagerElsewhere[]> {
    const { cluster, cutOff, store, seatLimits, elsewhere, clock } = this.#parts.context;
    if (cluster === null) return [];
    const { now } = await store.seats.facts(user, seatLimits);
    cutOff?.needStore();
    const wallAt = (storeMs: number): number => Math.round(clock.wall() - (now - storeMs));
    return elsewhere.of(user).map(({ digest, owner }) => ({ digest, owner, toldAt: wallAt(digest.toldAt), seatedAt: wallAt(digest.seatedAt) }));
  }

  // ---- cleanup

  /** A dry run: what a cleanup of this user would do at each level, each after the milder ones, until `need` (default 1; 0: only the
   *  dead) seats are free. It changes nothing. `runPlan` carries it out within 30 s. Rejects while the store cannot be asked. */
  planCleanup(user: UserId, o: { readonly need?: number } = {}): Promise<PlannedCleanup> {
    return this.#parts.plans.plan(user, o.need ?? 1);
  }

  /** Evicts exactly whom a plan names up to `level`, if nothing about them has changed; else tells what did, and evicts nobody. Default
   *  level: where the plan stops, without those that only `force` would take. `reason`: an operator's words, told to whoever goes. */
  runPlan(planId: string, o: { readonly level?: CleanupLevel; readonly reason?: string } = {}): Promise<PlanOutcome> {
    return this.#parts.plans.run(planId, o);
  }

  /** Frees seats of a user, mildest level first up to `upTo` (default: moderate), until `need` (default 1) are free; with a need of 0
   *  the dead, and nobody else. */
  async cleanup(user: UserId, o: { readonly upTo?: CleanupLevel; readonly need?: number } = {}): Promise<CleanupReport> {
    const report = await this.#parts.context.lanes.run(user, () => climb(this.#parts.context, user, o.upTo ?? 'moderate', o.need ?? 1));
    this.#parts.cleaned(report);
    return report;
  }

  // ---- how things stand

  /** Sockets that were terminated and have not closed. */
  get quarantined(): number {
    return this.#parts.context.sockets.quarantined;
  }

  /** Users with more sockets than hard limit and ten, because some refuse to close. */
  get crowded(): number {
    return this.#parts.context.sockets.crowded;
  }

  /** How probes ended so far. */
  get probes(): ProbeCounts {
    return this.#parts.probes.counts;
  }

  /** Limits, seats, sockets and verdicts of this instant, and what was counted since the factory was made. */
  getFactoryStatus(): FactoryStatus {
    return this.#parts.inspection.status();
  }

  /** The verdict on everybody, with its evidence. Evicts nobody and refreshes nothing; no admission waits for it. */
  healthCheckAllManagers(): Promise<HealthReport> {
    return this.#parts.inspection.healthCheck();
  }

  /** Why a manager is what it is, and at which level it would give way. Null: no such manager holds a seat here. */
  explain(id: ManagerId): Explanation | null {
    return this.#parts.inspection.explain(id);
  }

  /** Asks one application now, waits for its answer as long as its patience lasts (at most `health.confirmMaxMs`), then explains. Null:
   *  no such manager holds a seat here. */
  probe(id: ManagerId): Promise<Explanation | null> {
    return this.#parts.inspection.probe(id);
  }

  /** The users that hold or wait for a seat here. */
  users(): readonly UserSummary[] {
    return this.#parts.inspection.users();
  }

  /** The same users by their ids alone: nobody is looked at, however many there are. Those that only wait are left out. */
  userIds(): Iterable<UserId> {
    return this.#parts.context.registry.users;
  }

  /** One of `users()`. `tickets`: what this user has in `queue()`, for who asks for many; looked up by default. */
  userSummary(user: UserId, tickets?: readonly QueuedTicket[]): UserSummary {
    return this.#parts.inspection.summary(user, tickets);
  }

  /** The tier that counts for a user who is here: given by an operator, else that of whoever came last. Looks at nobody. */
  tierOf(user: UserId, tickets?: readonly QueuedTicket[]): Tier {
    return this.#parts.inspection.tierOf(user, tickets);
  }

  /** A user's room, with every manager explained, cheapest loss first. Null: nobody of that user is here. Rejects while the store
   *  cannot be asked. */
  userStatus(user: UserId): Promise<UserStatus | null> {
    return this.#parts.inspection.user(user);
  }

  /** Everybody who waits for a seat, in users' queues and at the gate. */
  queue(): readonly QueuedTicket[] {
    return this.#parts.inspection.queue();
  }

  /** Compares registry, index, seats of the store and sockets, user by user. A difference that one look finds and the next one, a turn
   *  of the event loop later, does not, was a transition and is not told. Changes nothing. Rejects while the store cannot be asked. */
  checkConsistency(): Promise<ConsistencyReport> {
    return checkAll(this.#parts.context);
  }

  /** Logs an agent event in a thread. Resolves to its position when it is logged. */
  publish(user: UserId, thread: ThreadId, event: unknown, o: { readonly id?: string } = {}): Promise<Position> {
    return publishEvent(this.#parts.context, { user, thread, run: null, event, eventId: o.id ?? newId(this.#parts.context.random, 'msg') });
  }

  /** Calls `listener` at each event of that name, at the state change itself. What happens around a factory, such as runs, drains and
   *  acts of operators, is told here too. Returns the undo. */
  on<N extends keyof FactoryEvents>(name: N, listener: (event: FactoryEvents[N]) => void): () => void {
    return this.#parts.events.on(name, listener);
  }

  /** A message that came again was answered from the log. */
  repeated(): void {
    this.#parts.context.meter.duplicatesSuppressed++;
  }

  /** Tells whoever listens to this factory of what happened around it. */
  tell<N extends keyof FactoryEvents>(name: N, event: FactoryEvents[N]): void {
    this.#parts.events.emit(name, event);
  }

  /** Whether anybody listens to `name`: where making the event costs more than asking. */
  hears(name: keyof FactoryEvents): boolean {
    return this.#parts.events.hears(name);
  }

  /** Ends watching and waiting, and leaves the other nodes. Transports are the caller's to end; the store stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#parts.stop();
    // A store that takes nothing any more must not keep a process from ending: what is not logged was shown to nobody.
    let cancel = (): void => {};
    await Promise.race([
      this.streams.settled(),
      new Promise<void>((resolve) => {
        cancel = this.#parts.context.clock.after(SETTLE_GRACE_MS, resolve);
      }),
    ]);
    cancel();
    this.streams.close();
    // Not before: the others take over what a node had that is gone.
    await this.cluster?.leave();
  }
}

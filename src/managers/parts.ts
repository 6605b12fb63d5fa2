import { mono } from '../core/clocks.ts';
import type { Options } from '../core/options.ts';
import { pressure } from '../core/pressure.ts';
import { resolveOptions } from '../core/resolve-options.ts';
import { systemClock } from '../ports/clock.ts';
import type { NodeLife } from '../ports/cluster.ts';
import type { Gauges } from '../ports/events.ts';
import { systemRandom } from '../ports/random.ts';
import type { SeatFacts, Store } from '../ports/store.ts';
import { silent } from '../ports/telemetry.ts';
import { VERSION } from '../ports/version.ts';
import { type NodeId, spellRandom, type Tier, type UserId } from '../protocol/ids.ts';
import { Streams } from '../streams/streams.ts';
import { Admissions } from './admission/admissions.ts';
import { Claims } from './admission/claims.ts';
import { seatLimitsOf } from './admission/seat-limits.ts';
import { Tiers } from './admission/tiers.ts';
import { Bursts } from './cleanup/bursts.ts';
import { noteCleanup, noteRegret } from './cleanup/journal.ts';
import { endTaken, leave, transportClosed } from './cleanup/partings.ts';
import { Sockets } from './cleanup/sockets.ts';
import { Cluster } from './cluster/cluster.ts';
import { CutOff } from './cluster/cut-off.ts';
import { Digests } from './cluster/digests.ts';
import { Elsewhere } from './cluster/elsewhere.ts';
import { hearPublished } from './cluster/publish-elsewhere.ts';
import { SeatsOverNodes } from './cluster/seats-over-nodes.ts';
import { hearTakenOver } from './cluster/take-over.ts';
import type { Context } from './context.ts';
import { Flushes } from './delivery/flushes.ts';
import { DeliveryMeter } from './delivery/meter.ts';
import { publishEvent } from './emitter.ts';
import { type CleanupReport, FactoryEmitter } from './events.ts';
import type { FactoryOptions } from './factory-options.ts';
import { Counters } from './inspection/counters.ts';
import { gaugesOf } from './inspection/gauges.ts';
import { History } from './inspection/history.ts';
import { Inspection } from './inspection/inspect.ts';
import { Plans } from './inspection/plans.ts';
import { Standing } from './inspection/standing.ts';
import { ProbeWindow } from './liveness/probe-window.ts';
import { SelfWatch } from './liveness/self.ts';
import { noteVerdict } from './liveness/verdicts.ts';
import { WatchTower } from './liveness/watch.ts';
import type { WebSocketManager } from './manager.ts';
import { heldSeats, Leases } from './node.ts';
import { Notifier } from './notify.ts';
import { Registry } from './registry.ts';
import { noteSeats } from './seat-answers.ts';
import { StoreWatch } from './store-watch.ts';
import { Turns } from './turns.ts';
import { UserLanes } from './user-lane.ts';

const MINUTE_MS = 60_000;
const INCARNATION_LENGTH = 12;

/** What a factory consists of. */
export interface Parts {
  readonly context: Context;
  readonly events: FactoryEmitter;
  readonly history: History;
  readonly self: SelfWatch;
  readonly probes: ProbeWindow<WebSocketManager>;
  readonly notifier: Notifier;
  readonly admissions: Admissions;
  readonly plans: Plans;
  readonly inspection: Inspection;
  /** The store as it was given, watched. */
  readonly store: Store;
  gauges(): Gauges;
  /** A cleanup has ended. */
  cleaned(report: CleanupReport): void;
  /** Ends watching and waiting. */
  stop(): void;
}

/** Puts a factory together. The parts know each other only through the context and what is handed to them here. */
export function assemble(o: FactoryOptions): Parts {
  const { store, telemetry = silent, clock = systemClock, random = systemRandom, node, ...partial } = o;
  const options: Options = resolveOptions(partial);
  const events = new FactoryEmitter((error) => telemetry.record({ severity: 'ERROR', event: 'listener-failed', message: String(error) }));
  const history = new History(clock, events);
  const watched = new StoreWatch(store, clock, events, async () => await cutOff?.comeBack());
  const self = new SelfWatch(clock, options, (gapMs) => {
    events.emit('attention-lost', { gapMs });
    tower.stalled(gapMs);
  });
  const registry: Registry = new Registry(
    options.limits.perUser,
    (user) => bursts.seatsChanged(user),
    (user) => elsewhere.count(user),
  );
  const bursts: Bursts = new Bursts(options, {
    now: () => mono(clock.mono()),
    // Of whoever is not here any more nobody brings news: it is the business of other nodes.
    seatsOf: (user) => (registry.of(user).size === 0 ? 0 : registry.of(user).size + elsewhere.count(user)),
    after: (delayMs, callback) => clock.after(delayMs, callback),
    changed: (user, to) => events.emit('burst-changed', { user, tier: tierOf(registry.of(user)), to }),
  });
  const probes = new ProbeWindow<WebSocketManager>({
    options,
    now: () => self.now,
    mono: () => mono(clock.mono()),
    score: () => self.health.score,
    pressure: (user) => context.pressure(user),
    ended: (manager, result, durationMs) => {
      events.emit('probe-ended', { managerId: manager.id, user: manager.user.userId, result, durationMs });
    },
    voided: (managers) => {
      self.voided();
      for (const manager of managers) tower.look(manager, 0);
    },
  });
  const changedAnywhere = (user: UserId): void => {
    tower.changed(user);
    admissions.changed(user);
    notifier.changed(user);
  };
  const changed = (user: UserId): void => {
    changedAnywhere(user);
    overNodes?.changed(user);
  };
  const name = (node ?? `gw-${spellRandom(random.bytes(6), 6)}`) as NodeId;
  const life: NodeLife = { node: name, incarnation: spellRandom(random.bytes(INCARNATION_LENGTH), INCARNATION_LENGTH) };
  const shared = watched.store.cluster;
  const cluster = shared && new Cluster({ life, cluster: shared, clock, random, telemetry, version: VERSION, managers: () => registry.size });
  const elsewhere: Elsewhere = new Elsewhere({
    life,
    cluster,
    options,
    now: () => self.now,
    mono: () => mono(clock.mono()),
    isHere: (user) => registry.of(user).size > 0,
    changed: (user) => {
      registry.recount(user);
      tower.changed(user);
    },
  });
  const noted = (user: UserId, facts: SeatFacts, freed: boolean): void => {
    elsewhere.note(user, facts);
    bursts.note(user, facts);
    if (freed) overNodes?.freed(user, facts);
  };
  const cutOff: CutOff | null =
    shared &&
    new CutOff({
      seats: watched.store.seats,
      clock,
      random,
      seatBook: (...a) => shared.seatBook(...a),
      held: () => heldSeats(context),
      tierOf: (user) => context.tiers.of(user, '') || tierOf(registry.of(user)) || null,
      living: () => cluster?.living ?? 1,
      storeNow: () => cluster?.storeNow() ?? null,
      renewAll: () => leases.renewAll(),
      began: (detail) => watched.loseSeats(detail),
      ended: () => {
        overNodes?.lookAgain().catch((error: unknown) => telemetry.record({ severity: 'WARNING', event: 'limits-not-told', message: String(error) }));
      },
    });
  const context: Context = {
    node: name,
    life,
    cluster,
    cutOff,
    elsewhere,
    options,
    seatLimits: seatLimitsOf(options),
    clock,
    random,
    store: noteSeats(cutOff === null ? watched.store : { ...watched.store, seats: cutOff.seats }, noted),
    streams: new Streams(watched.store, clock, telemetry, shared === null ? null : { life, random }),
    telemetry,
    registry,
    sockets: new Sockets(options, clock, telemetry, (socket) => events.emit('transport-quarantined', socket)),
    lanes: new UserLanes(),
    turns: new Turns(clock),
    flushes: new Flushes(clock),
    events,
    counters: new Counters(),
    tiers: new Tiers(),
    standing: new Standing(),
    meter: new DeliveryMeter(() => clock.mono()),
    now: () => self.now,
    mono: () => mono(clock.mono()),
    score: () => self.health.score,
    self: (user) => ({ score: self.health.score, correlated: probes.isCorrelated(user) }),
    pressure: (user) =>
      pressure(
        { seats: registry.of(user).size + elsewhere.count(user), soft: options.limits.perUser },
        { seats: registry.size, perNode: options.limits.perNode },
      ),
    probes,
    look: (manager, inMs) => tower.look(manager, inMs),
    judged: (manager, verdict, was) => {
      if (manager.seat === null) return;
      noteVerdict(context, manager, verdict, was);
      tower.judged(manager, verdict, was);
      digests.changed(manager.user.userId, verdict.proof !== (was?.proof ?? false));
    },
    restated: ({ user }) => digests.changed(user.userId),
    regretted: (record) => {
      context.counters.regretted();
      noteRegret(telemetry, events, record);
    },
    changed,
    ended: ({ id, user }, reason) => events.emit('manager-ended', { managerId: id, user: user.userId, reason }),
    release: (manager) => leave(context, manager, 'client-closed'),
  };
  const cleaned = (report: CleanupReport): void => noteCleanup(context, events, report);
  const notifier = new Notifier(context, (user) => admissions.waitingOf(user));
  const admissions: Admissions = new Admissions(context, {
    claims: new Claims(() => mono(clock.mono()), MINUTE_MS),
    notifier,
    events,
    stalledSince: (at) => self.stalledSince(at),
    cleaned,
    leave: (manager, reason) => leave(context, manager, reason),
    transportClosed: (manager, attachment) => transportClosed(context, manager, attachment),
  });
  const tower: WatchTower = new WatchTower(context, cleaned);
  const digests: Digests = new Digests(context);
  const overNodes: SeatsOverNodes | null =
    cluster &&
    new SeatsOverNodes(context, cluster, {
      digests,
      waits: (user, manager) => admissions.waits(user, manager),
      waitsAnybody: (user) => admissions.waitingOf(user) > 0,
      changed: changedAnywhere,
    });
  const leases: Leases = new Leases(context, {
    seats: watched.store.seats,
    taken: (manager, reason) => endTaken(context, manager, reason),
    failed: (detail) => cutOff?.begin(detail),
  });
  const stopHearing = hearTakenOver(context);
  const stopPublishing = hearPublished(context, publishEvent);
  cluster?.onRegained(() => leases.renewSoon());
  cluster?.onLost((detail) => cutOff?.begin(detail));
  const plans = new Plans(context, cleaned);
  const isStoreLost = (): boolean => (cutOff === null ? watched.isSeatsLost : cutOff.isCutOff);
  const inspection = new Inspection(context, {
    bursts,
    waiting: () => admissions.tickets,
    queued: () => admissions.waiting,
    isStoreLost,
    created: () => admissions.created,
  });
  const gauges = gaugesOf(context, {
    bursts,
    queued: () => admissions.waitingByTier,
    isStoreLost,
    leaseRemainingMs: () => leases.remainingMs,
  });
  const stop = (): void => {
    admissions.stop();
    tower.stop();
    digests.stop();
    overNodes?.stop();
    leases.stop();
    stopHearing();
    stopPublishing();
    self.stop();
    bursts.stop();
    watched.stop();
  };
  return { context, events, history, self, probes, admissions, notifier, plans, inspection, gauges, store: watched.store, cleaned, stop };
}

/** That of the last who came. */
function tierOf(managers: Iterable<WebSocketManager>): Tier {
  let tier = '';
  for (const manager of managers) tier = manager.user.tier;
  return tier;
}

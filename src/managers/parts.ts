import { mono } from '../core/clocks.ts';
import type { Options } from '../core/options.ts';
import { pressure } from '../core/pressure.ts';
import { resolveOptions } from '../core/resolve-options.ts';
import { systemClock } from '../ports/clock.ts';
import type { Gauges } from '../ports/events.ts';
import { systemRandom } from '../ports/random.ts';
import type { Store } from '../ports/store.ts';
import { silent } from '../ports/telemetry.ts';
import { type NodeId, spellRandom, type Tier, type UserId } from '../protocol/ids.ts';
import { Streams } from '../streams/streams.ts';
import { Admissions } from './admission/admissions.ts';
import { Claims } from './admission/claims.ts';
import { seatLimitsOf } from './admission/seat-limits.ts';
import { Tiers } from './admission/tiers.ts';
import { Bursts } from './cleanup/bursts.ts';
import { noteCleanup, noteRegret } from './cleanup/journal.ts';
import { leave, supersede, transportClosed } from './cleanup/partings.ts';
import { Sockets } from './cleanup/sockets.ts';
import type { Context } from './context.ts';
import { Flushes } from './delivery/flushes.ts';
import { DeliveryMeter } from './delivery/meter.ts';
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
import { Leases } from './node.ts';
import { Notifier } from './notify.ts';
import { Registry } from './registry.ts';
import { StoreWatch } from './store-watch.ts';
import { Turns } from './turns.ts';
import { UserLanes } from './user-lane.ts';

const MINUTE_MS = 60_000;

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
  const watched = new StoreWatch(store, clock, events);
  const self = new SelfWatch(clock, options, (gapMs) => {
    events.emit('attention-lost', { gapMs });
    tower.stalled(gapMs);
  });
  const registry: Registry = new Registry(options.limits.perUser, (user) => bursts.seatsChanged(user));
  const bursts: Bursts = new Bursts(options, {
    now: () => mono(clock.mono()),
    seatsOf: (user) => registry.of(user).size,
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
  const changed = (user: UserId): void => {
    tower.changed(user);
    admissions.changed(user);
    notifier.changed(user);
  };
  const context: Context = {
    node: (node ?? `gw-${spellRandom(random.bytes(6), 6)}`) as NodeId,
    options,
    seatLimits: seatLimitsOf(options),
    clock,
    random,
    store: bursts.observe(watched.store),
    streams: new Streams(watched.store, clock, telemetry),
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
    pressure: (user) => pressure({ seats: registry.of(user).size, soft: options.limits.perUser }, { seats: registry.size, perNode: options.limits.perNode }),
    probes,
    look: (manager, inMs) => tower.look(manager, inMs),
    judged: (manager, verdict, was) => {
      if (manager.seat === null) return;
      noteVerdict(context, manager, verdict, was);
      tower.judged(manager, verdict, was);
    },
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
  const leases = new Leases(context, (manager) => supersede(context, manager));
  const plans = new Plans(context, cleaned);
  const inspection = new Inspection(context, {
    bursts,
    waiting: () => admissions.tickets,
    queued: () => admissions.waiting,
    created: () => admissions.created,
  });
  const gauges = gaugesOf(context, {
    bursts,
    queued: () => admissions.waitingByTier,
    isStoreLost: () => watched.isSeatsLost,
    leaseRemainingMs: () => leases.remainingMs,
  });
  const stop = (): void => {
    admissions.stop();
    tower.stop();
    leases.stop();
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

import type { Attentive, Mono } from '../core/clocks.ts';
import type { Verdict } from '../core/judge.ts';
import type { Options } from '../core/options.ts';
import type { SelfHealth } from '../core/self-health.ts';
import type { Clock } from '../ports/clock.ts';
import type { NodeLife } from '../ports/cluster.ts';
import type { RegretRecord } from '../ports/events.ts';
import type { Random } from '../ports/random.ts';
import type { SeatLimits, Store } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { ManagerId, NodeId, UserId } from '../protocol/ids.ts';
import type { ReasonCode } from '../protocol/reasons.ts';
import type { Streams } from '../streams/streams.ts';
import type { Tiers } from './admission/tiers.ts';
import type { Sockets } from './cleanup/sockets.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { CutOff } from './cluster/cut-off.ts';
import type { Elsewhere } from './cluster/elsewhere.ts';
import type { Flushes } from './delivery/flushes.ts';
import type { DeliveryMeter } from './delivery/meter.ts';
import type { FactoryEmitter } from './events.ts';
import type { Counters } from './inspection/counters.ts';
import type { Standing } from './inspection/standing.ts';
import type { ProbeWindow } from './liveness/probe-window.ts';
import type { WebSocketManager } from './manager.ts';
import type { Registry } from './registry.ts';
import type { Turns } from './turns.ts';
import type { UserLanes } from './user-lane.ts';

/** What the parts of a factory share. `parts.ts` alone builds it. */
export interface Context {
  readonly node: NodeId;
  /** Which life of this node we are. */
  readonly life: NodeLife;
  /** The nodes that share the store; null on a store of one process. */
  readonly cluster: Cluster | null;
  /** What serves while the shared store cannot be asked for seats; null on a store of one process. */
  readonly cutOff: CutOff | null;
  /** What other nodes hold of users' seats, as the store told it last. */
  readonly elsewhere: Elsewhere;
  readonly options: Options;
  readonly seatLimits: SeatLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly streams: Streams;
  readonly telemetry: Telemetry;
  readonly registry: Registry;
  readonly sockets: Sockets;
  readonly lanes: UserLanes;
  /** The event loop's share of emergencies. */
  readonly turns: Turns;
  /** The order in which transports are written. */
  readonly flushes: Flushes;
  /** Whoever wants to know is told here, at the state change itself. */
  readonly events: FactoryEmitter;
  readonly counters: Counters;
  /** Tiers that operators gave. */
  readonly tiers: Tiers;
  readonly standing: Standing;
  readonly meter: DeliveryMeter;
  readonly probes: ProbeWindow<WebSocketManager>;
  /** Attentive time: our own stalls do not pass on it. */
  now(): Attentive;
  mono(): Mono;
  /** Score of our own health: 0 well … 8. */
  score(): number;
  /** Our own health, as far as it concerns findings against managers of `user`. */
  self(user: UserId): SelfHealth;
  /** How pressed a user or this node is, 1 = at the limit. */
  pressure(user: UserId): number;
  /** Something about this manager's liveness may be due within `inMs`. */
  look(manager: WebSocketManager, inMs: number): void;
  /** A manager's verdict is `verdict` from now on, and was another one. */
  judged(manager: WebSocketManager, verdict: Verdict, was: Verdict | null): void;
  /** Something else that other nodes are told of this manager has changed. */
  restated(manager: WebSocketManager): void;
  /** Seats, queue or burst of a user changed: whoever waits or is told about limits hears of it. */
  changed(user: UserId): void;
  /** A manager's seat is free, for `reason`: told at the instant at which it is. */
  ended(manager: { readonly id: ManagerId; readonly user: { readonly userId: UserId } }, reason: ReasonCode): void;
  /** A sign of life was read after its manager had been evicted for want of it. */
  regretted(record: RegretRecord): void;
  /** Gives a manager's seat back because its client or its application said so. */
  release(manager: WebSocketManager): Promise<void>;
}

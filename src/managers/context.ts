import type { Attentive, Mono } from '../core/clocks.ts';
import type { Options } from '../core/options.ts';
import type { SelfHealth } from '../core/self-health.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { SeatLimits, Store } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { NodeId, UserId } from '../protocol/ids.ts';
import type { Streams } from '../streams/streams.ts';
import type { WebSocketManager } from './manager.ts';
import type { Registry } from './registry.ts';
import type { Sockets } from './sockets.ts';
import type { UserLanes } from './user-lane.ts';

/** What the parts of a factory share. `factory.ts` alone builds it. */
export interface Context {
  readonly node: NodeId;
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
  /** Attentive time: our own stalls do not pass on it. */
  now(): Attentive;
  mono(): Mono;
  self(): SelfHealth;
  /** How pressed a user or this node is, 1 = at the limit. */
  pressure(user: UserId): number;
  /** Something about this manager's liveness may be due within `inMs`. */
  look(manager: WebSocketManager, inMs: number): void;
  /** Seats, queue or burst of a user changed: whoever waits or is told about limits hears of it. */
  changed(user: UserId): void;
  /** Gives a manager's seat back because its client or its application said so. */
  release(manager: WebSocketManager): Promise<void>;
}

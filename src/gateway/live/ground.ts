import type { WebSocketManagerFactory } from '../../managers/factory.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DrillBoard } from '../../ports/drills.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Tier } from '../../protocol/ids.ts';
import type { AlertStatus, NodeStatus, Summary } from '../../protocol/live.ts';
import type { History } from '../../telemetry/history.ts';
import type { NodeBoard } from '../node-board.ts';

/** Where live topics look. What is null, this gateway has not. */
export interface LiveGround {
  readonly factory: WebSocketManagerFactory;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** In the order of their numbers in the map. */
  readonly tiers: readonly Tier[];
  readonly history: History | null;
  readonly summary: (() => Summary) | null;
  /** The figures of all nodes. */
  readonly board: NodeBoard;
  readonly alerts: (() => readonly AlertStatus[]) | null;
  readonly nodes: (() => Promise<readonly NodeStatus[]> | readonly NodeStatus[]) | null;
  readonly drills: DrillBoard | null;
}

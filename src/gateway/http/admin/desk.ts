import type { Operators } from '../../../auth/operators.ts';
import type { AlertBoard } from '../../../ports/alerts.ts';
import type { DrillBoard } from '../../../ports/drills.ts';
import type { NodeStatus } from '../../../protocol/live.ts';
import type { ConfigurationEntry } from '../../configuration.ts';
import type { NodeBoard } from '../../node-board.ts';
import type { Audit } from './audit.ts';

/** What the admin API works with besides the factory. `gateway.ts` alone builds it. */
export interface Desk {
  readonly operators: Operators;
  /** Nobody may change anything. */
  readonly readOnly: boolean;
  readonly audit: Audit;
  /** The nodes that share the store, this one first. Who does not answer is `silent`. */
  nodes(): Promise<readonly NodeStatus[]>;
  /** The figures of all of them. */
  readonly board: NodeBoard;
  /** Begins to move everybody away from this node, and answers how long what is under way may take. Where operators had begun it already
   *  nothing is changed. Does not wait. */
  startDrain(withinMs: number): number;
  /** Null: no alerts are evaluated here. */
  readonly alerts: AlertBoard | null;
  /** Null: there are no drills here. */
  readonly drills: DrillBoard | null;
  /** Every option that counts here, secrets left out. */
  configuration(): readonly ConfigurationEntry[];
}

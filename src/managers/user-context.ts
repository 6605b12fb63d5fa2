import type { RunId, ThreadId, Tier, UserId } from '../protocol/ids.ts';

/** Who a manager belongs to and what it was opened for. It goes with every request and run. */
export interface UserContext {
  readonly userId: UserId;
  readonly tier: Tier;
  readonly threadId?: ThreadId;
  readonly runId?: RunId;
  readonly requestId: string;
  readonly websocketClientId: string;
}

/** The seat a manager holds: proof against the store, and whether it counts against the soft limit or a burst lease. */
export interface Seat {
  readonly token: number;
  readonly kind: 'soft' | 'burst';
}

/** What a person recognises a session by. */
export interface ClientInfo {
  readonly name: string;
  readonly label: string | null;
}

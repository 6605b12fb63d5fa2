import type { AgentYield, Codec } from '../protocol/agent-events.ts';
import type { RunId, ThreadId, UserId } from '../protocol/ids.ts';
import type { SessionInfo, ThreadMessage } from '../protocol/messages.ts';

/** What answers a person. An agent knows nothing of sockets, seats or logs. */
export interface Agent {
  /** The vocabulary of what `run` yields. */
  readonly codec: Codec;
  /** Shown where the product names its agent. */
  readonly name: string;
  /** Yields the run's events. Ends by returning; what it throws becomes the run's `agent_error`. It is not pulled while the
   *  log has no room. Leaves at once when `signal` is aborted. */
  run(run: AgentRun): AsyncIterable<AgentYield>;
}

export interface AgentRun {
  readonly userId: UserId;
  readonly threadId: ThreadId;
  readonly runId: RunId;
  /** The conversation up to and including the message that started this run. */
  readonly messages: readonly ThreadMessage[];
  /** Aborted by cancel or shutdown, never by a lost socket. */
  readonly signal: AbortSignal;
  /** The person's own sessions, for agents that can tell about them. */
  sessions(): Promise<readonly SessionInfo[]>;
}

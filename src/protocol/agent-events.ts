/** The vocabulary `agent-events`: what a run says while it works. Exactly one `agent_started` comes first, exactly one
 *  `agent_completed` or `agent_error` last. */

/** The vocabulary in which a run's events are logged and delivered. */
export type Codec = 'agent-events';
export const CODECS: readonly Codec[] = ['agent-events'];
export const isCodec = (value: unknown): value is Codec => value === 'agent-events';

interface Common {
  /** Unique. */
  readonly event_id: string;
  readonly thread_id: string;
  readonly run_id: string;
  /** ISO 8601, for display only; never compared. */
  readonly timestamp: string;
}
export interface AgentStarted extends Common {
  readonly type: 'agent_started';
  readonly agent_name: string;
  /** Id of the message that this run's text belongs to. */
  readonly message_id: string;
  readonly message?: string;
  readonly model?: string;
}
export interface AgentThinking extends Common {
  readonly type: 'agent_thinking';
  /** Text to append to what was thought before under the same `thinking_id`. */
  readonly reasoning: string;
  readonly thinking_id?: string;
  readonly step_number?: number;
  readonly total_steps?: number;
}
export interface ToolExecuting extends Common {
  readonly type: 'tool_executing';
  readonly tool_name: string;
  readonly execution_id: string;
  readonly parameters?: unknown;
}
export interface ToolCompleted extends Common {
  readonly type: 'tool_completed';
  readonly tool_name: string;
  readonly execution_id: string;
  readonly success: boolean;
  readonly results?: unknown;
  readonly error_message?: string;
  readonly execution_time_ms?: number;
}
export interface TextDelta extends Common {
  readonly type: 'text_delta';
  readonly message_id: string;
  /** Text to append. */
  readonly text: string;
}
export interface AgentCompleted extends Common {
  readonly type: 'agent_completed';
  readonly status: 'completed' | 'cancelled' | 'interrupted';
  /** The concatenation of the run's `text_delta`s. */
  readonly final_response?: string;
  readonly result?: unknown;
  readonly execution_time_ms?: number;
  readonly usage?: unknown;
  readonly interrupts?: unknown;
}
export interface AgentFailed extends Common {
  readonly type: 'agent_error';
  /** What the person reads; never internals of a provider. */
  readonly error_message: string;
  /** Whether asking again can help. */
  readonly recoverable: boolean;
  /** `producer_lost` when the process that ran the agent died. */
  readonly code?: string;
  readonly error_context?: unknown;
}
export type AgentEvent = AgentStarted | AgentThinking | ToolExecuting | ToolCompleted | TextDelta | AgentCompleted | AgentFailed;
export type AgentEventType = AgentEvent['type'];

/** What an agent yields: ids and times that it leaves out are filled in by the run. */
export type AgentYield = AgentEvent extends infer E
  ? E extends AgentEvent
    ? Omit<E, keyof Common | 'message_id'> & Partial<Common> & { readonly message_id?: string }
    : never
  : never;

export const isTerminal = (type: string): boolean => type === 'agent_completed' || type === 'agent_error';

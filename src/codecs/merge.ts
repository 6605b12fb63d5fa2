/** Adjacent deltas of one text may travel as one event that covers them all. */

import type { AgentEvent } from '../protocol/agent-events.ts';

export interface Delta {
  /** Neighbours with equal keys may be merged. */
  readonly key: string;
  /** What the event appends. */
  readonly text: string;
}

/** The appendable part of an event, or null where it has none. */
export function deltaOf(event: AgentEvent): Delta | null {
  if (event.type === 'text_delta') return { key: `t ${event.run_id} ${event.message_id}`, text: event.text };
  if (event.type !== 'agent_thinking') return null;
  // The only id that a producer chooses stands last, so that no two sets of ids make the same key.
  return { key: `r ${event.run_id} ${event.step_number ?? '-'} ${event.thinking_id === undefined ? '' : `=${event.thinking_id}`}`, text: event.reasoning };
}

/** `event` with `text` in place of its own; all other fields stay, in their order. Events without text come back as they are. */
export function withText(event: AgentEvent, text: string): AgentEvent {
  if (event.type === 'text_delta') return { ...event, text };
  return event.type === 'agent_thinking' ? { ...event, reasoning: text } : event;
}

/** A conversation as it grows: the stored messages, and each event of the stream added once. Pure. */

import type { StoredMessage, StreamEvent, ThreadEvent, ThreadSnapshot } from '../client/index.ts';
import { deltaOf } from '../codecs/merge.ts';
import { type AgentEvent, isTerminal } from '../protocol/agent-events.ts';
import type { MessageId, RunId } from '../protocol/ids.ts';
import type { MessagePart, ThreadMessage } from '../protocol/messages.ts';
import type { Position } from '../protocol/position.ts';

export interface Conversation {
  /** Everything up to here is in `messages`; null before anything is known. */
  readonly position: Position | null;
  /** Oldest first. */
  readonly messages: readonly ThreadMessage[];
  readonly activeRun: string | null;
  /** Key of the thought that the active run is thinking; null while none is known, as after a reload. */
  readonly thought: string | null;
  /** Why the last answer failed. */
  readonly failure: Failure | null;
}

export interface Failure {
  /** For people. */
  readonly text: string;
  readonly canRetry: boolean;
}

export const EMPTY: Conversation = { position: null, messages: [], activeRun: null, thought: null, failure: null };

const UNFINISHED = 'The answer did not finish.';

/** The conversation as it is stored. */
export function fromSnapshot(snapshot: ThreadSnapshot): Conversation {
  const failed = snapshot.messages.at(-1)?.status === 'failed';
  return {
    position: snapshot.position,
    messages: snapshot.messages,
    activeRun: snapshot.activeRun,
    thought: null,
    failure: failed ? { text: UNFINISHED, canRetry: true } : null,
  };
}

/** The conversation with one more event. The caller sees to it that each comes once and in order, behind `position`. */
export function withEvent(conversation: Conversation, event: StreamEvent<ThreadEvent>): Conversation {
  const moved = { ...conversation, position: event.position };
  const { data } = event;
  if (data.type === undefined) return { ...moved, messages: withMessage(conversation.messages, data), failure: null };
  return withAgentEvent(moved, data, event.at);
}

function withMessage(messages: readonly ThreadMessage[], { type: _, ...message }: StoredMessage): readonly ThreadMessage[] {
  return messages.some((m) => m.id === message.id) ? messages.map((m) => (m.id === message.id ? message : m)) : [...messages, message];
}

function withAgentEvent(conversation: Conversation, event: AgentEvent, at: number | undefined): Conversation {
  const index = conversation.messages.findLastIndex((m) => m.role === 'assistant' && m.run === event.run_id);
  const known = conversation.messages[index];
  // What follows a run's end belongs to nothing.
  if (known !== undefined && known.status !== 'streaming') return conversation;
  const answer = known ?? newAnswer(event, at);
  const { parts, thought } = withParts(answer.parts, event, conversation.thought);
  const message: ThreadMessage = { ...answer, parts, status: statusAfter(event) };
  return {
    ...conversation,
    messages: known === undefined ? [...conversation.messages, message] : conversation.messages.with(index, message),
    activeRun: isTerminal(event.type) ? null : event.run_id,
    thought,
    failure: event.type === 'agent_error' ? { text: event.error_message || UNFINISHED, canRetry: event.recoverable } : null,
  };
}

function newAnswer(event: AgentEvent, at: number | undefined): ThreadMessage {
  const named = event.type === 'agent_started' || event.type === 'text_delta' ? event.message_id : undefined;
  return {
    // A run that fails before it starts has no message; its id is as unique.
    id: (named ?? event.run_id) as MessageId,
    role: 'assistant',
    status: 'streaming',
    createdAt: at ?? Date.parse(event.timestamp),
    run: event.run_id as RunId,
    parts: [],
  };
}

function statusAfter(event: AgentEvent): ThreadMessage['status'] {
  if (event.type === 'agent_error') return 'failed';
  if (event.type !== 'agent_completed') return 'streaming';
  return event.status === 'cancelled' ? 'cancelled' : 'complete';
}

/** The same rules by which the gateway makes its snapshots, one event at a time; a test holds both together. */
function withParts(
  parts: readonly MessagePart[],
  event: AgentEvent,
  thought: string | null,
): { readonly parts: readonly MessagePart[]; readonly thought: string | null } {
  switch (event.type) {
    case 'text_delta':
    case 'agent_thinking': {
      const delta = deltaOf(event);
      if (delta === null || delta.text === '') return { parts, thought };
      const type = event.type === 'text_delta' ? 'text' : 'reasoning';
      const last = parts.at(-1);
      // A snapshot does not name the thought it was cut in; that the same goes on is by far the likelier.
      const joins = last?.type === type && (type === 'text' || thought === null || thought === delta.key);
      const next = joins ? parts.with(-1, { type, text: last.text + delta.text }) : [...parts, { type, text: delta.text } as const];
      return { parts: next, thought: type === 'reasoning' ? delta.key : thought };
    }
    case 'tool_executing': {
      const { execution_id: executionId, tool_name: toolName, parameters } = event;
      return { parts: [...parts, { type: 'tool', executionId, toolName, ...(parameters === undefined ? {} : { parameters }) }], thought };
    }
    case 'tool_completed': {
      const results = event.results ?? (event.error_message === undefined ? undefined : { error: event.error_message });
      const outcome = { success: event.success, ...(results === undefined ? {} : { results }) };
      const at = parts.findLastIndex((p) => p.type === 'tool' && p.executionId === event.execution_id && p.success === undefined);
      const call = parts[at];
      if (call?.type === 'tool') return { parts: parts.with(at, { ...call, ...outcome }), thought };
      return { parts: [...parts, { type: 'tool', executionId: event.execution_id, toolName: event.tool_name, ...outcome }], thought };
    }
    case 'agent_completed': {
      const text = event.final_response;
      const isMissing = text !== undefined && text !== '' && !parts.some((p) => p.type === 'text');
      return { parts: isMissing ? [...parts, { type: 'text', text }] : parts, thought: null };
    }
    case 'agent_error':
      return { parts, thought: null };
    case 'agent_started':
      return { parts, thought };
    default:
      // A producer's own event makes no part of the message.
      return { parts, thought };
  }
}

/** A step of an answer, for people. */
export type AgentStep =
  | { readonly kind: 'thinking'; readonly id: string; readonly text: string; readonly isActive: boolean }
  | {
      readonly kind: 'tool';
      readonly id: string;
      readonly toolName: string;
      readonly parameters?: unknown;
      readonly state: 'running' | 'done' | 'failed';
      readonly results?: unknown;
    };

/** What the agent thought and did in an answer, in order. */
export function stepsOf(message: ThreadMessage | undefined): readonly AgentStep[] {
  if (message === undefined) return [];
  const isStreaming = message.status === 'streaming';
  const steps: AgentStep[] = [];
  message.parts.forEach((part, i) => {
    if (part.type === 'reasoning') {
      steps.push({ kind: 'thinking', id: `${message.id}:${i}`, text: part.text, isActive: isStreaming && i === message.parts.length - 1 });
    } else if (part.type === 'tool') {
      const { executionId, toolName, parameters, success, results } = part;
      steps.push({
        kind: 'tool',
        id: executionId,
        toolName,
        ...(parameters === undefined ? {} : { parameters }),
        // A call without a result in an answer that is over will never have one.
        state: success ? 'done' : success === undefined && isStreaming ? 'running' : 'failed',
        ...(results === undefined ? {} : { results }),
      });
    }
  });
  return steps;
}

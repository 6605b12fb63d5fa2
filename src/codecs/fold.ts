/** A run's events, read as the message that they make. */

import type { AgentEvent, ToolCompleted } from '../protocol/agent-events.ts';
import type { MessagePart } from '../protocol/messages.ts';
import { deltaOf } from './merge.ts';

export interface FoldedRun {
  /** Text, reasoning and tools in the order in which they appeared; adjacent text is one part. */
  readonly parts: MessagePart[];
  readonly status: 'streaming' | 'complete' | 'cancelled' | 'failed';
  /** The id that `agent_started` named; null before it. */
  readonly messageId: string | null;
}

/** Folds a run's events, or the first of them, oldest first. What follows the run's end is not read. Never throws. */
export function foldRun(events: Iterable<AgentEvent>): FoldedRun {
  const parts: MessagePart[] = [];
  let messageId: string | null = null;
  let openKey: string | null = null;
  for (const event of events) {
    switch (event.type) {
      case 'agent_started':
        messageId ??= event.message_id;
        break;
      case 'text_delta':
      case 'agent_thinking': {
        const key = append(parts, event, openKey);
        if (key !== null) openKey = key;
        break;
      }
      case 'tool_executing':
        parts.push({
          type: 'tool',
          executionId: event.execution_id,
          toolName: event.tool_name,
          ...(event.parameters === undefined ? {} : { parameters: event.parameters }),
        });
        break;
      case 'tool_completed':
        completeTool(parts, event);
        break;
      case 'agent_completed':
        addFinalResponse(parts, event.final_response);
        return { parts, status: event.status === 'cancelled' ? 'cancelled' : 'complete', messageId };
      case 'agent_error':
        return { parts, status: 'failed', messageId };
      default:
        // A producer's own event: it makes no part of the message.
        break;
    }
  }
  return { parts, status: 'streaming', messageId };
}

/** Appends a delta to the last part if that is open under the same key, else opens one. Returns the key now open, null for no text. */
function append(parts: MessagePart[], event: Extract<AgentEvent, { type: 'text_delta' | 'agent_thinking' }>, openKey: string | null): string | null {
  const delta = deltaOf(event);
  if (delta === null || delta.text === '') return null;
  const type = event.type === 'text_delta' ? 'text' : 'reasoning';
  const last = parts.at(-1);
  const joins = last !== undefined && last.type === type && (type === 'text' || openKey === delta.key);
  if (joins) parts[parts.length - 1] = { type, text: last.text + delta.text };
  else parts.push({ type, text: delta.text });
  return delta.key;
}

/** Closes the latest call of that id which is still open; a result without its call makes a part of its own. */
function completeTool(parts: MessagePart[], event: ToolCompleted): void {
  const results = event.results ?? (event.error_message === undefined ? undefined : { error: event.error_message });
  const outcome = { success: event.success, ...(results === undefined ? {} : { results }) };
  const at = parts.findLastIndex((p) => p.type === 'tool' && p.executionId === event.execution_id && p.success === undefined);
  const call = parts[at];
  if (call?.type === 'tool') parts[at] = { ...call, ...outcome };
  else parts.push({ type: 'tool', executionId: event.execution_id, toolName: event.tool_name, ...outcome });
}

/** Producers that do not stream bring the whole answer with the end. */
function addFinalResponse(parts: MessagePart[], finalResponse: string | undefined): void {
  if (finalResponse === undefined || finalResponse === '' || parts.some((p) => p.type === 'text')) return;
  parts.push({ type: 'text', text: finalResponse });
}

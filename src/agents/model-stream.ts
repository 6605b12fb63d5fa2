/** Translates the parts that the AI SDK streams into `agent-events`. */

import type { TextStreamPart, ToolSet } from 'ai';
import type { AgentYield } from '../protocol/agent-events.ts';

export interface ModelStream {
  /** Events for one part; none for parts that say nothing to a person. Errors, aborts and the end are the caller's. */
  next(part: TextStreamPart<ToolSet>): readonly AgentYield[];
  /** All text so far. */
  text(): string;
  /** Whether anything of an answer has come. */
  begun(): boolean;
}

export function modelStream(mono: () => number): ModelStream {
  let step = 0;
  let text = '';
  let textInStep = false;
  let begun = false;
  const startedAt = new Map<string, number>();

  const completed = (id: string, tool_name: string, outcome: { success: true; results: unknown } | { success: false; error_message: string }): AgentYield => ({
    type: 'tool_completed',
    tool_name,
    execution_id: id,
    ...outcome,
    execution_time_ms: Math.round(mono() - (startedAt.get(id) ?? mono())),
  });

  return {
    text: () => text,
    begun: () => begun,
    next(part) {
      // A chain, not a switch: what it leaves out (sources, raw chunks, block borders) says nothing to a person, also in later versions.
      if (part.type === 'start-step') {
        step++;
        textInStep = false;
      } else if (part.type === 'reasoning-delta' && part.text !== '') {
        begun = true;
        return [{ type: 'agent_thinking', reasoning: part.text, thinking_id: `step-${step}`, step_number: step }];
      } else if (part.type === 'text-delta' && part.text !== '') {
        begun = true;
        // What is said after a tool call is a paragraph of its own.
        const delta = !textInStep && text !== '' && !text.endsWith('\n') ? `\n\n${part.text}` : part.text;
        textInStep = true;
        text += delta;
        return [{ type: 'text_delta', text: delta }];
      } else if (part.type === 'tool-call') {
        begun = true;
        startedAt.set(part.toolCallId, mono());
        return [{ type: 'tool_executing', tool_name: part.toolName, execution_id: part.toolCallId, parameters: part.input }];
      } else if (part.type === 'tool-result') {
        return [completed(part.toolCallId, part.toolName, { success: true, results: part.output })];
      } else if (part.type === 'tool-error') {
        return [
          completed(part.toolCallId, part.toolName, { success: false, error_message: part.error instanceof Error ? part.error.message : String(part.error) }),
        ];
      }
      return [];
    },
  };
}

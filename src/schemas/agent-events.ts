/** Schemas of the vocabulary `agent-events`. */

import { z } from 'zod';
import type { AgentEventType } from '../protocol/agent-events.ts';
import { whole } from './values.ts';

const common = { event_id: z.string(), thread_id: z.string(), run_id: z.string(), timestamp: z.string().describe('ISO 8601, for display only.') };

/** One schema an event type. */
export const AGENT_EVENTS = {
  agent_started: z
    .object({
      type: z.literal('agent_started'),
      ...common,
      agent_name: z.string(),
      message_id: z.string(),
      message: z.string().optional(),
      model: z.string().optional(),
    })
    .meta({ id: 'AgentStarted', description: 'First event of a run.' }),
  agent_thinking: z
    .object({
      type: z.literal('agent_thinking'),
      ...common,
      reasoning: z.string().describe('Text to append under the same `thinking_id`.'),
      thinking_id: z.string().optional(),
      step_number: whole(0).optional(),
      total_steps: whole(0).optional(),
    })
    .meta({ id: 'AgentThinking' }),
  tool_executing: z
    .object({ type: z.literal('tool_executing'), ...common, tool_name: z.string(), execution_id: z.string(), parameters: z.unknown().optional() })
    .meta({ id: 'ToolExecuting' }),
  tool_completed: z
    .object({
      type: z.literal('tool_completed'),
      ...common,
      tool_name: z.string(),
      execution_id: z.string(),
      success: z.boolean(),
      results: z.unknown().optional(),
      error_message: z.string().optional(),
      execution_time_ms: z.number().optional(),
    })
    .meta({ id: 'ToolCompleted' }),
  text_delta: z
    .object({ type: z.literal('text_delta'), ...common, message_id: z.string(), text: z.string().describe('Text to append.') })
    .meta({ id: 'TextDelta' }),
  agent_completed: z
    .object({
      type: z.literal('agent_completed'),
      ...common,
      status: z.enum(['completed', 'cancelled', 'interrupted']),
      final_response: z.string().optional(),
      result: z.unknown().optional(),
      execution_time_ms: z.number().optional(),
      usage: z.unknown().optional(),
      interrupts: z.unknown().optional(),
    })
    .meta({ id: 'AgentCompleted', description: 'Last event of a run that ended well or was cancelled.' }),
  agent_error: z
    .object({
      type: z.literal('agent_error'),
      ...common,
      error_message: z.string(),
      recoverable: z.boolean().describe('Whether asking again can help.'),
      code: z.string().optional(),
      error_context: z.unknown().optional(),
    })
    .meta({ id: 'AgentError', description: 'Last event of a run that failed.' }),
} satisfies Record<AgentEventType, z.ZodType>;

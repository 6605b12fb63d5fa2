/** The fields of every agent event, in the order in which they are logged, and the names that old producers used for them. */

import type { AgentEventType } from '../protocol/agent-events.ts';
import type { MessageId, RunId, ThreadId } from '../protocol/ids.ts';

export interface EventContext {
  readonly thread: ThreadId;
  readonly run: RunId;
  /** The message that this run's text belongs to. */
  readonly messageId: MessageId;
  /** For events that bring no id of their own. */
  readonly eventId: string;
  /** ISO 8601, for events that bring no time of their own. */
  readonly timestamp: string;
}

export interface FieldSpec {
  readonly name: string;
  /** Names under which producers bring it, best first. */
  readonly from: readonly string[];
  readonly required: boolean;
  readonly expected: string;
  accepts(value: unknown): boolean;
  /** The run's own value, which no producer can change. */
  readonly fixed?: (context: EventContext) => unknown;
  /** Reads a value that an old producer wrapped. */
  readonly unwrap?: (value: unknown) => unknown;
  /** What stands for a field that a producer left out. */
  readonly otherwise?: (event: Readonly<Record<string, unknown>>, context: EventContext, places: readonly Readonly<Record<string, unknown>>[]) => unknown;
}

type Extras = Pick<FieldSpec, 'otherwise' | 'unwrap'> & { readonly also?: readonly string[] };

const field =
  (expected: string, accepts: (value: unknown) => boolean) =>
  (required: boolean) =>
  (name: string, { also = [], ...rest }: Extras = {}): FieldSpec => ({ name, from: [name, ...also], required, expected, accepts, ...rest });

const text = field('a string', (v) => typeof v === 'string');
const number = field('a number', (v) => typeof v === 'number' && Number.isFinite(v));
const flag = field('true or false', (v) => typeof v === 'boolean');
const any = field('a value', () => true);
const must = true;
const may = false;

const fixed = (name: string, value: (context: EventContext) => unknown): FieldSpec => ({
  name,
  from: [],
  required: true,
  expected: 'a string',
  accepts: () => true,
  fixed: value,
});
const runId = fixed('run_id', (c) => c.run);
const messageId = fixed('message_id', (c) => c.messageId);

const toolName = text(must)('tool_name');
/** Old producers named no execution: their calls of one tool follow each other, so its name is enough to pair them. */
const executionId = text(must)('execution_id', { otherwise: (event) => `tool:${String(event.tool_name)}` });
const executionTime = (...also: readonly string[]): FieldSpec => number(may)('execution_time_ms', { also });
const status = field('"completed", "cancelled" or "interrupted"', (v) => v === 'completed' || v === 'cancelled' || v === 'interrupted');
/** An old producer's `error` may be an object that holds the sentence. */
const sentenceOf = (value: unknown): unknown => (typeof value === 'object' && value !== null ? (value as { readonly message?: unknown }).message : value);

const BY_TYPE: { readonly [T in AgentEventType]: readonly FieldSpec[] } = {
  agent_started: [
    runId,
    messageId,
    text(must)('agent_name', { also: ['agent_id', 'agent_type'] }),
    text(may)('message', { also: ['task_description'] }),
    text(may)('model'),
  ],
  agent_thinking: [
    text(must)('reasoning', { also: ['thought', 'thinking'] }),
    text(may)('thinking_id'),
    number(may)('step_number'),
    number(may)('total_steps'),
  ],
  tool_executing: [toolName, executionId, any(may)('parameters', { also: ['tool_args', 'params'] })],
  tool_completed: [
    toolName,
    executionId,
    flag(must)('success', { otherwise: (_event, _context, places) => !places.some((p) => p.error_message !== undefined && p.error_message !== null) }),
    any(may)('results', { also: ['result', 'output'] }),
    text(may)('error_message'),
    executionTime('duration_ms', 'duration'),
  ],
  text_delta: [messageId, text(must)('text', { also: ['delta', 'content'] })],
  agent_completed: [
    status(must)('status', { otherwise: () => 'completed' }),
    text(may)('final_response', { also: ['response'] }),
    any(may)('result'),
    executionTime('duration_ms'),
    any(may)('usage'),
    any(may)('interrupts'),
  ],
  agent_error: [
    text(must)('error_message', { also: ['error', 'message'], unwrap: sentenceOf }),
    flag(must)('recoverable', { otherwise: () => true }),
    text(may)('code'),
    any(may)('error_context'),
  ],
};

export const FIELDS: ReadonlyMap<string, readonly FieldSpec[]> = new Map(Object.entries(BY_TYPE));

/** Names of whole events that old producers used. */
export const TYPE_ALIASES: ReadonlyMap<string, AgentEventType> = new Map<string, AgentEventType>([
  ['tool_started', 'tool_executing'],
  ['tool_call', 'tool_executing'],
  ['tool_result', 'tool_completed'],
  ['partial_result', 'text_delta'],
  ['stream_chunk', 'text_delta'],
  ['final_report', 'agent_completed'],
  ['agent_death', 'agent_error'],
]);

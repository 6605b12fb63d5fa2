/** A run's events, read as the message that they make. */

import type { AgentEvent, ToolCompleted } from '../protocol/agent-events.ts';
import { FlatText } from '../protocol/flat-text.ts';
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
  const fold = new RunFold();
  for (const event of events) fold.add(event);
  return fold.folded;
}

type Delta = Extract<AgentEvent, { type: 'text_delta' | 'agent_thinking' }>;

/** A run's events as they come: what is kept is the message that they make so far, not the events. */
export class RunFold {
  readonly #parts: MessagePart[] = [];
  /** The last part, while text is appended to it. */
  #open: { readonly type: 'text' | 'reasoning'; readonly text: FlatText } | null = null;
  #openKey: string | null = null;
  #messageId: string | null = null;
  #status: FoldedRun['status'] = 'streaming';

  get folded(): FoldedRun {
    return { parts: this.#all(), status: this.#status, messageId: this.#messageId };
  }

  /** All text of the answer. */
  get text(): string {
    return this.#all()
      .map((part) => (part.type === 'text' ? part.text : ''))
      .join('');
  }

  #all(): MessagePart[] {
    return this.#open === null ? [...this.#parts] : [...this.#parts, { type: this.#open.type, text: this.#open.text.toString() }];
  }

  /** Never throws. What follows the run's end changes nothing. */
  add(event: AgentEvent): void {
    if (this.#status !== 'streaming') return;
    switch (event.type) {
      case 'agent_started':
        this.#messageId ??= event.message_id;
        break;
      case 'text_delta':
      case 'agent_thinking':
        this.#append(event);
        break;
      case 'tool_executing':
        this.#close();
        this.#parts.push({
          type: 'tool',
          executionId: event.execution_id,
          toolName: event.tool_name,
          ...(event.parameters === undefined ? {} : { parameters: event.parameters }),
        });
        break;
      case 'tool_completed':
        // A result stands with its call, so that it parts no text, unless its call is unknown.
        if (!completeTool(this.#parts, event)) {
          this.#close();
          this.#parts.push({ type: 'tool', executionId: event.execution_id, toolName: event.tool_name, ...outcomeOf(event) });
        }
        break;
      case 'agent_completed':
        this.#close();
        addFinalResponse(this.#parts, event.final_response);
        this.#status = event.status === 'cancelled' ? 'cancelled' : 'complete';
        break;
      case 'agent_error':
        this.#status = 'failed';
        break;
      default:
        // A producer's own event: it makes no part of the message.
        break;
    }
  }

  /** Appends a delta to the last part if that is open under the same key, else opens one. */
  #append(event: Delta): void {
    const text = event.type === 'text_delta' ? event.text : event.reasoning;
    if (text === '') return;
    const type = event.type === 'text_delta' ? 'text' : 'reasoning';
    const key = type === 'text' ? null : (deltaOf(event)?.key ?? null);
    if (this.#open?.type !== type || this.#openKey !== key) {
      this.#close();
      this.#open = { type, text: new FlatText() };
      this.#openKey = key;
    }
    this.#open.text.append(text);
  }

  #close(): void {
    if (this.#open === null) return;
    this.#parts.push({ type: this.#open.type, text: this.#open.text.toString() });
    this.#open = null;
  }
}

/** Closes the latest call of that id which is still open. False: there is none, and its result makes a part of its own. */
function completeTool(parts: MessagePart[], event: ToolCompleted): boolean {
  const at = parts.findLastIndex((p) => p.type === 'tool' && p.executionId === event.execution_id && p.success === undefined);
  const call = parts[at];
  if (call?.type !== 'tool') return false;
  parts[at] = { ...call, ...outcomeOf(event) };
  return true;
}

function outcomeOf(event: ToolCompleted): { readonly success: boolean; readonly results?: unknown } {
  const results = event.results ?? (event.error_message === undefined ? undefined : { error: event.error_message });
  return { success: event.success, ...(results === undefined ? {} : { results }) };
}

/** Producers that do not stream bring the whole answer with the end. */
function addFinalResponse(parts: MessagePart[], finalResponse: string | undefined): void {
  if (finalResponse === undefined || finalResponse === '' || parts.some((p) => p.type === 'text')) return;
  parts.push({ type: 'text', text: finalResponse });
}

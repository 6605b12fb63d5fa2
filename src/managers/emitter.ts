import { normalise } from '../codecs/agent-events.ts';
import { type AgentYield, isTerminal } from '../protocol/agent-events.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { MessageId, RunId, ThreadId, UserId } from '../protocol/ids.ts';
import type { Position } from '../protocol/position.ts';
import { type Published, publishElsewhere } from './cluster/publish-elsewhere.ts';
import type { Context } from './context.ts';

type Payload<T extends AgentYield['type']> = Omit<Extract<AgentYield, { type: T }>, 'type'>;

/** Appends agent events to the thread of a manager. Each call resolves to the event's position once it is logged; delivery shows
 *  in the acknowledged position, never in the return value. Without a transport, events wait in the log. */
export class Emitter {
  readonly #nodes: Publishing;
  readonly #of: { readonly userId: UserId; readonly threadId?: ThreadId; readonly runId?: RunId };
  readonly #name: string;
  #count = 0;

  /** `name` makes the ids of its events unique. */
  constructor(nodes: Publishing, of: { readonly userId: UserId; readonly threadId?: ThreadId; readonly runId?: RunId }, name: string) {
    this.#nodes = nodes;
    this.#of = of;
    this.#name = name;
  }

  emitAgentStarted(p: Payload<'agent_started'>): Promise<Position> {
    return this.#emit({ type: 'agent_started', ...p });
  }
  emitAgentThinking(p: Payload<'agent_thinking'>): Promise<Position> {
    return this.#emit({ type: 'agent_thinking', ...p });
  }
  emitToolExecuting(p: Payload<'tool_executing'>): Promise<Position> {
    return this.#emit({ type: 'tool_executing', ...p });
  }
  emitToolCompleted(p: Payload<'tool_completed'>): Promise<Position> {
    return this.#emit({ type: 'tool_completed', ...p });
  }
  emitAgentCompleted(p: Payload<'agent_completed'>): Promise<Position> {
    return this.#emit({ type: 'agent_completed', ...p });
  }
  emitAgentError(p: Payload<'agent_error'>): Promise<Position> {
    return this.#emit({ type: 'agent_error', ...p });
  }
  /** Appends text of the answer. */
  sendAiResponse(text: string): Promise<Position> {
    return this.#emit({ type: 'text_delta', text });
  }

  async #emit(event: AgentYield): Promise<Position> {
    const { userId, threadId, runId } = this.#of;
    if (threadId === undefined)
      throw new SpillwayError('SPILLWAY_BAD_ARGUMENT', 'Expected a manager whose user context names a `threadId`: events belong to a thread.');
    return await publishEvent(this.#nodes, {
      user: userId,
      thread: threadId,
      run: runId ?? null,
      event,
      eventId: `${this.#name}:${++this.#count}`,
    });
  }
}

/** What publishing needs to know of this node and of others. */
export type Publishing = Pick<Context, 'streams' | 'clock' | 'cluster'>;

/** Logs one agent event in a thread and resolves to its position. Where another node runs an agent in it, that one does it. */
export async function publishEvent({ streams, clock, cluster }: Publishing, p: Published): Promise<Position> {
  const stream = await streams.hold({ user: p.user, thread: p.thread });
  try {
    const held = await stream.writable();
    if (held !== null) return await publishElsewhere(cluster, held.by, p);
    const at = clock.wall();
    const run = p.run ?? (stream.activeRun?.id as RunId | undefined) ?? null;
    const made = normalise(p.event, {
      thread: p.thread,
      run: run ?? ('' as RunId),
      messageId: `msg_${(run ?? 'published').replace(/^run_/, '')}` as MessageId,
      eventId: p.eventId,
      timestamp: new Date(at).toISOString(),
    });
    if (made.is === 'invalid') throw new SpillwayError('SPILLWAY_BAD_ARGUMENT', `Expected an agent event: ${made.problem}`);
    const { type } = made.event;
    // Who follows a run relies on one start and one end.
    if (run !== null && run === stream.activeRun?.id && (type === 'agent_started' || isTerminal(type)))
      throw new SpillwayError(
        'SPILLWAY_BAD_ARGUMENT',
        `Expected no \`${type}\` in a run that is in progress: its agent begins and ends it, each once. Cancel the run to end it.`,
      );
    const offset = await stream.log({ kind: 'agent', run, codec: 'agent-events', data: made.text, at });
    return { epoch: stream.epoch, offset };
  } finally {
    streams.release(stream);
  }
}

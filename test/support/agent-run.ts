import type { Agent, AgentRun } from '../../src/ports/agent.ts';
import type { AgentYield } from '../../src/protocol/agent-events.ts';
import type { MessagePart, ThreadMessage } from '../../src/protocol/messages.ts';

export const message = (role: 'user' | 'assistant', ...parts: MessagePart[]): ThreadMessage =>
  ({ id: 'msg_1', role, status: 'complete', createdAt: 0, parts }) as unknown as ThreadMessage;
export const says = (text: string): ThreadMessage => message('user', { type: 'text', text });

/** A run of one user that nobody stops and that has no session, unless `more` says otherwise. */
export const runOf = (messages: readonly ThreadMessage[], more: Partial<AgentRun> = {}): AgentRun =>
  ({
    userId: 'u1',
    threadId: 't1',
    runId: 'run_1',
    messages,
    signal: new AbortController().signal,
    sessions: () => Promise.resolve([]),
    ...more,
  }) as unknown as AgentRun;

/** Everything that an agent yields in a run. */
export async function eventsOf(agent: Agent, run: AgentRun): Promise<AgentYield[]> {
  const all: AgentYield[] = [];
  for await (const event of agent.run(run)) all.push(event);
  return all;
}

export const typesOf = (all: readonly AgentYield[]): string[] => all.map((event) => event.type);

/** A message and the run that answers it. */

import { type AgentEvent, isTerminal } from '../protocol/agent-events.ts';
import type { Position } from '../protocol/position.ts';
import type { AcceptedMessage, GapEvent, Run, StreamEvent } from './types.ts';

export interface RunActions {
  withdraw(id: string): boolean;
  cancel(run: string): Promise<void>;
  follow(from: Position, onGap: (gap: GapEvent) => void): AsyncIterableIterator<StreamEvent<unknown>>;
}

export class SentRun implements Run {
  readonly id: string;
  readonly accepted: Promise<AcceptedMessage>;
  readonly #actions: RunActions;

  constructor(id: string, accepted: Promise<AcceptedMessage>, actions: RunActions) {
    this.id = id;
    this.accepted = accepted;
    this.#actions = actions;
  }

  async stop(): Promise<void> {
    if (this.#actions.withdraw(this.id)) return;
    const { runId } = await this.accepted;
    await this.#actions.cancel(runId);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamEvent<AgentEvent>, void, undefined> {
    const { runId, position } = await this.accepted;
    // The stream begins behind the message; other runs of the thread may come before ours.
    const events = this.#actions.follow(position, (gap) => {
      const answer = gap.snapshot?.messages.find((message) => message.run === runId && message.role === 'assistant');
      const isOver = gap.snapshot === null || (answer !== undefined && answer.status !== 'streaming');
      // Its end lies in the gap: nothing would ever end this loop.
      if (isOver) events.return?.().catch(() => {});
    });
    for await (const event of events) {
      const data = event.data as AgentEvent;
      if (data.run_id !== runId) continue;
      yield event as StreamEvent<AgentEvent>;
      if (isTerminal(data.type)) return;
    }
  }
}

/** A message and the run that answers it. */

import { type AgentEvent, isTerminal } from '../protocol/agent-events.ts';
import type { Position } from '../protocol/position.ts';
import type { AcceptedMessage, GapEvent, Run, StreamEvent } from './types.ts';

export interface RunActions {
  /** Takes the message back; false if the gateway may know it already. */
  withdraw(): boolean;
  cancel(run: string): Promise<void>;
  /** Calls back if the gateway refuses for good, at once if it has. Returns how to stop. */
  whenRefused(end: (error: unknown) => void): () => void;
  follow(from: Position, onGap: (gap: GapEvent) => void): AsyncIterableIterator<StreamEvent<unknown>>;
}

export const runOf = (id: string, accepted: Promise<AcceptedMessage>, { withdraw, cancel, whenRefused, follow }: RunActions): Run => ({
  id,
  accepted,
  async stop() {
    if (!withdraw()) await cancel((await accepted).runId);
  },
  async *[Symbol.asyncIterator]() {
    const { runId, position } = await new Promise<AcceptedMessage>((resolve, reject) => {
      accepted.finally(whenRefused(reject)).then(resolve, reject);
    });
    // The stream begins behind the message; other runs of the thread may come before ours.
    const events = follow(position, ({ snapshot }) => {
      const answer = snapshot?.messages.find((message) => message.run === runId && message.role === 'assistant');
      const isOver = snapshot === null || (answer !== undefined && answer.status !== 'streaming');
      // Its end lies in the gap: nothing would ever end this loop. Leaving it cannot fail.
      if (isOver) events.return?.().catch(() => {});
    });
    for await (const event of events as AsyncIterable<StreamEvent<AgentEvent>>) {
      if (event.data.run_id !== runId) continue;
      yield event;
      if (isTerminal(event.data.type)) return;
    }
  },
});

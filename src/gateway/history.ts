import type { RunRecord, Store, StoredMessage } from '../ports/store.ts';

/** How much of the conversation an agent is given. */
const HISTORY_MESSAGES = 200;

/** The conversation up to and including the message that asked for a run. */
export async function historyFor(run: RunRecord, store: Store): Promise<readonly StoredMessage[]> {
  const read = await store.threads.snapshot({ user: run.user, thread: run.thread }, HISTORY_MESSAGES, null);
  const messages = read?.messages ?? [];
  const answers = new Map(messages.filter((m) => m.role === 'assistant').map((m) => [m.run, m]));
  // Messages accepted while another run was under way stand before its answer: each answer belongs behind its own question.
  const history: StoredMessage[] = [];
  for (const message of messages) {
    if (message.role !== 'user') continue;
    history.push(message);
    if (message.id === run.message) break;
    const answer = answers.get(message.run);
    if (answer) history.push(answer);
  }
  return history;
}

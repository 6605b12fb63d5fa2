/** One walk on the golden path: a person's whole way, by the client that people use, through the public port. */

import { createSpillway } from '../../client/index.ts';
import type { AgentEvent } from '../../protocol/agent-events.ts';
import type { LogIn } from './access.ts';
import { goldenThread } from './agent.ts';

export interface Walk {
  /** Of the public listener, `http://host:port`. */
  readonly url: string;
  logIn(url: string, signal: AbortSignal): Promise<LogIn>;
  /** Whether the built-in agent answers, which can calculate: then the answer has to be right, too. */
  readonly canCalculate: boolean;
  /** A whole number from 1 to 999, for a question that nobody has asked before. */
  number(): number;
  /** Unix time in milliseconds. */
  readonly at: number;
}

/** Walks the path once. Resolves when the whole answer was there and right; rejects with what was wrong, behind the name of the step:
 *  `log-in`, `seat`, `question`, `answer`. `signal` ends it early. */
export async function walk({ url, logIn, canCalculate, number, at }: Walk, signal: AbortSignal): Promise<void> {
  const session = await during('log-in', logIn(url, signal), signal);
  try {
    const client = createSpillway({ url: `${url}/v1/ws`, getToken: () => session.token, label: 'Golden path', storage: 'none', parkAfterHiddenMs: false });
    try {
      await during('seat', client.connect(), signal);
      const [a, b] = [number(), number()];
      const run = client.thread(goldenThread(at)).send(`What is ${a} * ${b}?`, { signal });
      const { duplicate } = await during('question', run.accepted, signal);
      if (duplicate) throw new Error('question: was taken for one asked before');
      const events = await during('answer', collect(run), signal);
      const problem = problemIn(events, canCalculate ? a * b : null);
      if (problem !== null) throw new Error(`answer: ${problem}`);
    } finally {
      await client.close();
    }
  } finally {
    // Its refresh token would stay in the store for a month.
    await session.logOut();
  }
}

/** What is wrong with the events of a run, as a client got them; null if nothing is. `expected`: what the answer must say. */
export function problemIn(events: readonly AgentEvent[], expected: number | null): string | null {
  const [first, last] = [events[0], events.at(-1)];
  if (first?.type !== 'agent_started') return `begins with ${first?.type ?? 'nothing'} instead of agent_started`;
  if (last?.type === 'agent_error') return `the agent failed: ${last.code ?? 'without a code'}`;
  if (last?.type !== 'agent_completed' || last.status !== 'completed') return `ends with ${last?.type ?? 'nothing'} instead of agent_completed`;
  const text = events.flatMap((event) => (event.type === 'text_delta' ? [event.text] : [])).join('');
  if (text === '') return 'is empty';
  if (last.final_response !== undefined && last.final_response !== text) return `${text.length} characters arrived of ${last.final_response.length}`;
  if (expected !== null && !text.replaceAll(',', '').includes(String(expected))) return 'is wrong';
  return null;
}

async function collect(run: AsyncIterable<{ readonly data: AgentEvent }>): Promise<readonly AgentEvent[]> {
  const events: AgentEvent[] = [];
  for await (const { data } of run) events.push(data);
  return events;
}

/** The outcome of a step, or an error that names the step; at the latest when `signal` is aborted. */
async function during<T>(step: string, work: Promise<T>, signal: AbortSignal): Promise<T> {
  let forget = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    const end = (): void => reject(new Error('took too long'));
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    forget = () => signal.removeEventListener('abort', end);
  });
  try {
    return await Promise.race([work, aborted]);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(text.startsWith(`${step}: `) ? text : `${step}: ${text}`, { cause: error });
  } finally {
    forget();
  }
}

import type { Agent, AgentRun } from '../../ports/agent.ts';
import { type Clock, systemClock } from '../../ports/clock.ts';
import { type Random, systemRandom } from '../../ports/random.ts';
import type { AgentYield } from '../../protocol/agent-events.ts';
import type { ThreadMessage } from '../../protocol/messages.ts';
import { calculate } from '../tools/calculator.ts';
import { readHandbook } from '../tools/handbook.ts';
import { type HandbookSearch, handbookSearch, inReadingOrder, type Passage } from '../tools/search.ts';
import { describeSessions } from '../tools/sessions.ts';
import { findZone, readClock } from '../tools/world-clock.ts';
import { AGENT_NAME, composeAnswer, type Outcome, passagesIn } from './compose.ts';
import { chunksOf, type Pace, pause, resolvePace } from './pace.ts';
import { planAnswer, type ToolCall } from './plan.ts';

export interface EmbeddedAgentOptions {
  readonly pace?: Partial<Pace>;
  readonly clock?: Clock;
  readonly random?: Random;
}

interface Parts {
  readonly pace: Pace;
  readonly clock: Clock;
  readonly random: Random;
  readonly handbook: HandbookSearch;
}

/** The built-in demo agent: offline, no key, no model. It looks questions up in the bundled handbook and cites it, calculates,
 *  reads the clock, lists the person's sessions, and streams its answer at a natural pace. It ends without a terminal event
 *  when its run is aborted. Throws SPILLWAY_AGENT_FAILED if the handbook is not in the package, SPILLWAY_BAD_OPTION for a bad pace. */
export function embeddedAgent(options: EmbeddedAgentOptions = {}): Agent {
  const parts: Parts = {
    pace: resolvePace(options.pace),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    handbook: handbookSearch(readHandbook()),
  };
  return { codec: 'agent-events', name: AGENT_NAME, run: (run) => answer(run, parts) };
}

async function* answer(run: AgentRun, parts: Parts): AsyncGenerator<AgentYield, void, undefined> {
  const { pace, clock } = parts;
  const startedAt = clock.mono();
  const said = run.messages.filter((message) => message.role === 'user').map(textOf);
  const plan = planAnswer(said.at(-1) ?? '', said.slice(0, -1));
  const steps = plan.calls.length + 2;

  yield { type: 'agent_started', agent_name: AGENT_NAME, message: 'The built-in demo agent looks this up.' };
  yield thought('plan', plan.because, 1, steps);
  await pause(clock, pace.stepMs, run.signal);

  const outcomes: Outcome[] = [];
  for (const [index, call] of plan.calls.entries()) {
    if (run.signal.aborted) return;
    const execution_id = `tool-${index + 1}`;
    const { tool, ...parameters } = call;
    yield { type: 'tool_executing', tool_name: tool, execution_id, parameters };
    const toolStartedAt = clock.mono();
    const cited = passagesIn(outcomes);
    const outcome = await callTool(call, run, parts, cited);
    const execution_time_ms = Math.round(clock.mono() - toolStartedAt);
    outcomes.push(outcome);
    yield 'failed' in outcome
      ? { type: 'tool_completed', tool_name: tool, execution_id, success: false, error_message: outcome.failed, execution_time_ms }
      : { type: 'tool_completed', tool_name: tool, execution_id, success: true, results: shown(outcome, cited.length), execution_time_ms };
    await pause(clock, pace.stepMs, run.signal);
  }
  if (run.signal.aborted) return;
  yield thought('write', findings(outcomes), steps, steps);

  const final_response = composeAnswer(plan, outcomes);
  for (const chunk of chunksOf(final_response, parts.random)) {
    await pause(clock, (chunk.words / pace.wordsPerSecond) * 1000, run.signal);
    if (run.signal.aborted) return;
    yield { type: 'text_delta', text: chunk.text };
  }
  yield { type: 'agent_completed', status: 'completed', final_response, execution_time_ms: Math.round(clock.mono() - startedAt) };
}

const thought = (thinking_id: string, reasoning: string, step_number: number, total_steps: number): AgentYield => ({
  type: 'agent_thinking',
  thinking_id,
  reasoning,
  step_number,
  total_steps,
});

async function callTool(call: ToolCall, run: AgentRun, { clock, handbook }: Parts, cited: readonly Passage[]): Promise<Outcome> {
  switch (call.tool) {
    case 'search': {
      const known = new Set(cited.map((passage) => passage.id));
      const fresh = handbook.search(call.query, call.limit).filter((passage) => !known.has(passage.id));
      return { tool: 'search', query: call.query, results: inReadingOrder(fresh) };
    }
    case 'calculator':
      try {
        return { tool: 'calculator', results: calculate(call.expression) };
      } catch (error) {
        return { tool: 'calculator', failed: (error as Error).message };
      }
    case 'clock': {
      const zone = call.place === null ? 'UTC' : findZone(call.place);
      if (zone === null)
        return {
          tool: 'clock',
          failed: `I know no time zone called “${call.place}”. By UTC it is ${readClock(clock.wall()).time}. Name a large city, such as Tokyo or New York.`,
        };
      return { tool: 'clock', place: call.place, results: readClock(clock.wall(), zone) };
    }
    case 'sessions':
      try {
        return { tool: 'sessions', results: describeSessions(await run.sessions(), clock.wall()) };
      } catch {
        // What failed is the gateway's to record; the person needs to know only that the list is not to be had now.
        return { tool: 'sessions', failed: 'Your sessions cannot be listed at this moment. “Your sessions” in the page’s header shows them too.' };
      }
  }
}

/** What the log keeps of a tool's results: of passages the beginning of each, since the answer cites them whole, under the number
 *  that it gives them. `cited`: how many were found before. */
function shown(outcome: Extract<Outcome, { results: unknown }>, cited: number): unknown {
  if (outcome.tool !== 'search') return outcome.results;
  const passages = outcome.results.slice(0, 10).map(({ title, heading, text, score }, index) => ({
    number: cited + index + 1,
    title,
    heading,
    score,
    text: text.length > 160 ? `${text.slice(0, 160)}…` : text,
  }));
  return { found: outcome.results.length, passages };
}

/** What came of the tools, in a sentence each. */
function findings(outcomes: readonly Outcome[]): string {
  return outcomes
    .map((outcome) => {
      if ('failed' in outcome) return `The tool “${outcome.tool}” could not help, and I say so.`;
      if (outcome.tool !== 'search') return `The tool “${outcome.tool}” answered; I write that down.`;
      const count = outcome.results.length;
      return count === 0
        ? 'Nothing in the handbook fits well enough, and I say so.'
        : `${count} ${count === 1 ? 'passage fits' : 'passages fit'}; I write them down with their sources.`;
    })
    .join(' ');
}

const textOf = (message: ThreadMessage): string => message.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');

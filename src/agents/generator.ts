import type { Agent, AgentRun } from '../ports/agent.ts';
import type { AgentYield } from '../protocol/agent-events.ts';
import { SpillwayError } from '../protocol/errors.ts';

/** Makes an agent of what an application passes: an agent as it is, or an async generator function of `agent-events`.
 *  An agent made from a function is called by the function's name. Throws SPILLWAY_BAD_OPTION for anything else. */
export function agentOf(given: Agent | ((run: AgentRun) => AsyncIterable<AgentYield>)): Agent {
  if (typeof given === 'function') return { codec: 'agent-events', name: given.name === '' ? 'agent' : given.name, run: given };
  if (typeof (given as Partial<Agent> | null)?.run === 'function' && given.codec === 'agent-events') return given;
  throw new SpillwayError(
    'SPILLWAY_BAD_OPTION',
    `Expected \`agent\` to be an async generator function or an object with \`codec: 'agent-events'\` and \`run\`, got ${given === null ? 'null' : typeof given}.`,
  );
}

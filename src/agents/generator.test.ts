import { describe, expect, it } from 'vitest';
import type { Agent } from '../ports/agent.ts';
import { agentOf } from './generator.ts';

describe('what an application passes as its agent', () => {
  it('a generator function speaks agent-events under its own name', () => {
    const agent = agentOf(async function* parrot() {
      yield { type: 'text_delta', text: 'hello' };
    });
    expect(agent).toMatchObject({ codec: 'agent-events', name: 'parrot' });
    expect(agentOf((() => async function* () {})())).toMatchObject({ name: 'agent' });
  });
  it('an agent stays what it is', () => {
    const agent: Agent = { codec: 'agent-events', name: 'own', run: async function* () {} };
    expect(agentOf(agent)).toBe(agent);
  });
  it.each([null, undefined, 'gpt', {}, { run: () => {}, codec: 'morse' }])('%j is refused at the start', (given) =>
    expect(() => agentOf(given as never)).toThrow('Expected `agent`'),
  );
});

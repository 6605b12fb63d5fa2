import { expect, test } from 'vitest';
import type { AgentRun } from '../../src/ports/agent.ts';
import type { AgentYield } from '../../src/protocol/agent-events.ts';
import { startGateway } from '../support/gateway.ts';
import type { WireClient, WireFrame } from '../support/wire-client.ts';

const USERS = 50;
const SESSIONS = 3;

/** Repeats the person's canary in every event. */
async function* canary({ messages }: AgentRun): AsyncGenerator<AgentYield> {
  const part = messages.at(-1)?.parts[0];
  const text = part?.type === 'text' ? part.text : '';
  yield { type: 'agent_started', agent_name: 'canary', message: text };
  yield { type: 'agent_thinking', reasoning: text };
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    yield { type: 'text_delta', text: `${text} ` };
  }
  yield { type: 'agent_completed', status: 'completed' };
}

test('fifty users with three sessions each ask at once in a thread of the same name: no event crosses users', { timeout: 60_000 }, async () => {
  await using gw = await startGateway({ agent: canary });
  // Ids that are prefixes of each other, so that a comparison that is not exact would show.
  const users = Array.from({ length: USERS }, (_, i) => `u${'1'.repeat((i % 5) + 1)}${i}`);
  const clients = new Map<string, WireClient[]>();
  await Promise.all(
    users.map(async (user) => {
      const own = await Promise.all(Array.from({ length: SESSIONS }, async () => (await gw.seat(user)).client));
      for (const client of own) {
        client.sendFrame({ type: 'subscribe', sub: 1, thread: 'shared-name', from: 'start' });
        await client.next('replayed');
      }
      clients.set(user, own);
    }),
  );
  for (const [user, [first]] of clients) first?.sendFrame({ type: 'send', id: 'q', thread: 'shared-name', data: { text: `canary-of-${user}-end` } });
  let seen = 0;
  await Promise.all(
    [...clients].flatMap(([user, own]) =>
      own.map(async (client) => {
        await client.nextWhere('the end of the run', (frame: WireFrame) => frame.type === 'event' && frame.data.type === 'agent_completed');
        for (const frame of client.frames) {
          if (frame.type !== 'event') continue;
          const text = JSON.stringify(frame.data);
          for (const found of text.match(/canary-of-(u[0-9]+)-end/g) ?? []) {
            expect(found).toBe(`canary-of-${user}-end`);
            seen++;
          }
        }
      }),
    ),
  );
  expect(seen).toBeGreaterThan(USERS * SESSIONS * 20);
});

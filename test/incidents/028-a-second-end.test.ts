/** An application published `agent_completed` in a thread in which an agent was still at work. The thread showed a finished answer; then
 *  the agent said more, and the same run ended again. Who follows a run relies on one start and one end. */

import { expect, it } from 'vitest';
import type { ThreadId, UserId } from '../../src/protocol/ids.ts';
import { startGateway } from '../support/gateway.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';

const USER = 'ada' as UserId;
const THREAD = 't' as ThreadId;

it('nobody but its agent begins or ends a run that is in progress', async () => {
  const agent = new ScriptedAgent();
  await using gw = await startGateway({ agent });
  const { client } = await gw.seat('ada');
  client.behave();
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  await client.next('replayed');
  client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
  const run = await agent.nextRun();
  run.start().text('one ');
  await client.nextWhere('the first word', (f) => f.type === 'event' && f.data.text === 'one ');
  const publish = (event: object) => gw.gateway.publish(USER, THREAD, event);
  for (const event of [
    { type: 'agent_completed', status: 'completed' },
    { type: 'agent_error', error_message: 'no', recoverable: true },
    { type: 'final_report' },
    { type: 'agent_started', agent_name: 'other' },
  ]) {
    await expect(publish(event)).rejects.toThrow(/its agent begins and ends it/);
  }
  // What is no start and no end may be said beside the agent.
  await publish({ type: 'agent_thinking', reasoning: 'beside it' });
  run.text('two').complete();
  await client.nextWhere('the end', (f) => f.type === 'event' && f.data.type === 'agent_completed');
  client.sendFrame({ type: 'check', n: 1 });
  await client.next('check-ok');
  const types = client.frames.filter((f) => f.type === 'event' && f.kind === undefined).map((f) => f.data.type);
  expect(types).toEqual(['agent_started', 'text_delta', 'agent_thinking', 'text_delta', 'agent_completed']);
  // With no run in progress the application is the producer, and says what it wants.
  await publish({ type: 'agent_completed', status: 'completed' });
});

/** A node looked up whether it knew a message already. While the store took its time, another node had the thread for a moment, and an
 *  application here published an event, by which this node became the writer anew. The message was stored and its run began, but the runs
 *  of the thread were still those of the earlier time: with the next message the node took its own run for one that somebody had left
 *  behind, and told the person that the answer did not finish. */

import { expect, test } from 'vitest';
import type { ThreadId, UserId } from '../../src/protocol/ids.ts';
import { FaultyStore } from '../support/faulty-store.ts';
import { startNodes } from '../support/memory-nodes.ts';
import { echoAgent, ScriptedAgent } from '../support/scripted-agent.ts';
import type { WireFrame } from '../support/wire-client.ts';

const isEnd = (f: WireFrame): boolean => f.type === 'event' && (f.data.type === 'agent_completed' || f.data.type === 'agent_error');

test('a run that begins after its node has become the writer anew goes on to its own end', async () => {
  const agent = new ScriptedAgent();
  await using cluster = await startNodes(0);
  const slow = new FaultyStore(cluster.store);
  const a = await cluster.start({ node: 'gw-a', store: slow, agent });
  const b = await cluster.start({ node: 'gw-b', agent: echoAgent });
  const [{ client: atA }, { client: atB }] = [await a.seat('ada'), await b.seat('ada')];
  for (const client of [atA, atB]) {
    client.behave();
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    await client.next('subscribed');
  }
  // The first look-up is that of a node which becomes the writer.
  let lookUps = 0;
  const lookedUp = new Promise<{ release(): void }>((resolve) => {
    slow.watch('threads.findSend', () => {
      if (++lookUps === 2) resolve(slow.hold('threads.findSend'));
      else slow.heal('threads.findSend');
    });
  });
  atA.sendFrame({ type: 'send', id: 'one', thread: 't', data: { text: 'one' } });
  const held = await lookedUp;
  atB.sendFrame({ type: 'send', id: 'between', thread: 't', data: { text: 'between' } });
  await atA.nextWhere('the answer of the other node', isEnd);
  await a.gateway.publish('ada' as UserId, 't' as ThreadId, { type: 'agent_thinking', reasoning: 'beside it' });
  held.release();
  const run = await agent.nextRun();
  run.start().text('half ');
  await atA.nextWhere('half an answer', (f) => f.type === 'event' && f.data.text === 'half ');
  atA.sendFrame({ type: 'send', id: 'two', thread: 't', data: { text: 'two' } });
  expect(await atA.nextWhere('the second acceptance', (f) => f.type === 'run-accepted' && f.id === 'two')).toMatchObject({ state: 'queued' });
  run.text('an answer').complete();
  (await agent.nextRun()).start().complete();
  for (const client of [atA, atB]) {
    while (client.frames.filter(isEnd).length < 3) await client.nextWhere('an end', isEnd);
    expect(client.frames.filter(isEnd).map((f) => f.data.type)).toEqual(['agent_completed', 'agent_completed', 'agent_completed']);
  }
});

/** A person sent a long text, and a question about it at once, through another node than the one that had the conversation. The long text
 *  travelled in several letters, the question in one: it arrived first, and was answered without the text. */

import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { StoreCable, startNodes } from '../support/memory-nodes.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';

test('messages of one session come in the order in which they were sent, however long they are', async () => {
  const agent = new ScriptedAgent();
  await using cluster = await startNodes(1, () => ({ agent }));
  const [a] = cluster.nodes;
  const way = new StoreCable(cluster.store).store;
  if (a === undefined || way.cluster === null) throw new Error('Expected nodes that share a store.');
  const { post } = way.cluster;
  // What is long takes longer.
  const slowly: typeof post = async (to, letter) => {
    if (letter.body.length > 100_000) await new Promise((resolve) => setTimeout(resolve, 50));
    await post(to, letter);
  };
  const b = await cluster.start({ node: 'gw-2', agent, store: { ...way, cluster: { ...way.cluster, post: slowly } } });
  const [{ client: atA }, { client: atB }] = [await a.seat('ada'), await b.seat('ada')];
  const send = (client: typeof atA, id: string, text: string): void => client.sendFrame({ type: 'send', id, thread: 't', data: { text } });
  send(atA, 'first', 'go');
  (await agent.nextRun()).start();
  send(atB, 'long', randomBytes(180_000).toString('base64'));
  send(atB, 'question', 'what does it say?');
  const offsets = new Map<string, number>();
  while (offsets.size < 2) {
    const { id, offset } = await atB.next('run-accepted');
    offsets.set(id, offset);
  }
  expect(offsets.get('long')).toBeLessThan(offsets.get('question') as number);
});

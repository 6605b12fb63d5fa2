/** A person took a question back while an answer before it was under way, and was told that it was being cancelled. Their node was drained:
 *  no waiting question begins there any more, and whoever took over had never heard of the cancelling. The question was answered in full. */

import { expect, it } from 'vitest';
import type { MemoryNode } from '../support/memory-nodes.ts';
import { startNodes } from '../support/memory-nodes.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import type { WireClient, WireFrame } from '../support/wire-client.ts';

const isEnd = (f: WireFrame): boolean => f.type === 'event' && (f.data.type === 'agent_completed' || f.data.type === 'agent_error');

async function follower(node: MemoryNode): Promise<WireClient> {
  const { client } = await node.seat('ada');
  client.behave();
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  await client.next('subscribed');
  return client;
}

async function ask(client: WireClient, id: string): Promise<string> {
  client.sendFrame({ type: 'send', id, thread: 't', data: { text: id } });
  return (await client.nextWhere(`${id} accepted`, (f) => f.type === 'run-accepted' && f.id === id)).run;
}

it.each(['first', 'second'] as const)('what was taken back is not answered by another node, as the %s of two that wait', async (which) => {
  const agents = [new ScriptedAgent(), new ScriptedAgent()] as const;
  await using cluster = await startNodes(2, (i) => ({ agent: agents[i] as ScriptedAgent, shutdown: { predelayMs: 0, spreadMs: 0 } }));
  const [a, b] = cluster.nodes as [MemoryNode, MemoryNode];
  const [atA, atB] = [await follower(a), await follower(b)];
  await ask(atA, 'a');
  const run = await agents[0].nextRun();
  run.start();
  await atB.nextWhere('its start', (f) => f.type === 'event' && f.data.type === 'agent_started');
  const waiting = [await ask(atA, 'b'), await ask(atA, 'c')] as const;
  const [unwanted, wanted] = which === 'first' ? waiting : waiting.toReversed();
  atA.sendFrame({ type: 'cancel', run: unwanted });
  expect(await atA.next('cancelled')).toMatchObject({ run: unwanted, state: 'cancelling' });
  const drained = a.gateway.drain({ withinMs: 20_000 });
  await atA.next('bye');
  run.complete();
  (await agents[1].nextRun()).start().complete();
  await drained;
  const ends = new Map<string, WireFrame>();
  const note = (f: WireFrame): void => void (isEnd(f) && ends.set(f.data.run_id, f));
  atB.frames.forEach(note);
  while (ends.size < 3) note(await atB.nextWhere('an end', isEnd));
  expect(ends.get(unwanted as string)?.data).toMatchObject({ type: 'agent_completed', status: 'cancelled' });
  expect(ends.get(wanted as string)?.data).toMatchObject({ type: 'agent_completed', status: 'completed' });
  expect(agents[1].runs).toHaveLength(1);
});

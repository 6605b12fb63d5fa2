/** While a node was cut off from the store it knew only what it held itself, and told so to the pages of a person. When the store was there
 *  again nobody asked it about that person: their pages went on showing four sessions of eight, while there were seven, and the node
 *  did not know that they came near their limit. The pages on the other node showed six. */

import { expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { type BareNode, bareNode, eventually, type Session } from '../support/bare-node.ts';
import { FaultyStore } from '../support/faulty-store.ts';

const usedSaid = ({ client }: Session): number | undefined => client.frames.flatMap((frame) => (frame.type === 'limits' ? [frame.used] : [])).at(-1);

it('a node that is back at the store tells how it stands with everybody it served alone', async () => {
  const shared = memoryStore({ cluster: true });
  const road = new FaultyStore(shared);
  const limits = { perUser: 8 };
  await using a = await bareNode({ store: road, node: 'a', limits });
  await using b = await bareNode({ store: shared, node: 'b', limits });
  const open = async (node: BareNode): Promise<Session> => await node.connect('ada');
  await eventually('the nodes to know each other', () => a.factory.cluster?.living === 2 && b.factory.cluster?.living === 2);
  const there = [await open(b), await open(b), await open(b)] as const;
  const here = [await open(a), await open(a), await open(a)] as const;
  await eventually('all to be told', () => usedSaid(here[0]) === 6 && usedSaid(there[0]) === 6);
  const bobs = await a.connect('bob');
  await eventually('bob to be told', () => usedSaid(bobs) === 1);
  road.away();
  await open(a);
  // Of this one nobody could tell it.
  await b.connect('bob');
  await eventually('it to tell what it knows', () => usedSaid(here[0]) === 4);
  road.back();
  await eventually('the store to be asked again', () => !a.factory.telemetry.gauges().storeFailOpen);
  await eventually('the truth to be told on both nodes', () => usedSaid(here[0]) === 7 && usedSaid(there[0]) === 7);
  await eventually('bob to be told of both', () => usedSaid(bobs) === 2);
  expect(a.told('manager-ended')).toEqual([]);
});

/** A store came back, and a node that had been cut off from it began to tell it of its seats. Before it had told all, the store was away
 *  again, and somebody who came just then was served by the node alone once more. When the telling was over the outage counted as
 *  over as well, and nobody tried the store again: the node went on alone for good, with its share of each limit, unseen by the others. */

import { expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { bareNode, eventually } from '../support/bare-node.ts';
import { FaultyStore } from '../support/faulty-store.ts';

it('a store that goes away again while a node comes back to it is tried until it stays', async () => {
  const road = new FaultyStore(memoryStore({ cluster: true }));
  await using node = await bareNode({ store: road, node: 'a', limits: { perUser: 8 } });
  const isAlone = (): boolean => node.factory.telemetry.gauges().storeFailOpen;
  await node.connect('ada');
  road.away();
  await node.connect('ada');
  expect(isAlone()).toBe(true);
  // It asks the store again already, and has not told it everything yet.
  const telling = new Promise<{ release(): void }>((resolve) => {
    let isFirst = true;
    road.watch('seats.renew', () => {
      if (!isFirst || isAlone()) return;
      isFirst = false;
      resolve(road.hold('seats.renew'));
    });
  });
  road.back();
  const held = await telling;
  road.fail('seats.facts');
  expect((await node.connect('ada')).admission.kind).toBe('seated');
  expect(isAlone()).toBe(true);
  road.heal('seats.facts');
  road.heal('seats.renew');
  held.release();
  await eventually('the store to be asked again', () => !isAlone());
});

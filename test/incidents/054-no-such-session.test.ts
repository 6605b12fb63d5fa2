/** A person wanted to end a session on another node from the list in the chat page. The node that was asked could not reach the store, and
 *  looked into its own book, where nobody of another node stands: it said that there was no such session. It was there, and stayed. */

import { expect, it } from 'vitest';
import type { UserId } from '../../src/protocol/ids.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { bareNode, eventually } from '../support/bare-node.ts';
import { FaultyStore } from '../support/faulty-store.ts';

it('of sessions on other nodes a node that is cut off says that it cannot tell', async () => {
  const shared = memoryStore({ cluster: true });
  const road = new FaultyStore(shared);
  await using a = await bareNode({ store: road, node: 'a' });
  await using b = await bareNode({ store: shared, node: 'b' });
  const ada = 'ada' as UserId;
  const { admission } = await b.connect(ada);
  if (admission.kind !== 'seated') throw new Error('Expected a seat.');
  road.away();
  await a.connect(ada);
  expect(a.factory.telemetry.gauges().storeFailOpen).toBe(true);
  await expect(a.factory.free(ada, admission.manager.id, null)).rejects.toMatchObject({ code: 'SPILLWAY_STORE_UNAVAILABLE' });
  await expect(a.factory.elsewhere(ada)).rejects.toMatchObject({ code: 'SPILLWAY_STORE_UNAVAILABLE' });
  road.back();
  await eventually('the store to be asked again', () => !a.factory.telemetry.gauges().storeFailOpen);
  expect((await a.factory.elsewhere(ada)).map(({ digest }) => digest.manager)).toEqual([admission.manager.id]);
  expect(await a.factory.free(ada, admission.manager.id, null)).toBe(true);
  await eventually('it to end there', () => b.factory.find(admission.manager.id) === undefined);
});

/** A gateway with few clients was stopped: it had moved them away, and was gone, within a moment. The others had not looked at its card in
 *  between. For them it was gone without a word, and an alert told the operators of a crash that had not been. */

import { expect, test } from 'vitest';
import type { SpillwayEvents } from '../../src/ports/events.ts';
import { startNodes } from '../support/memory-nodes.ts';

test('a node that has moved its clients away is not taken for one that crashed, however quick it was', async () => {
  await using cluster = await startNodes(2);
  const [a, b] = cluster.nodes;
  if (a === undefined || b === undefined) throw new Error('Expected two nodes.');
  while (b.gateway.factory.cluster?.living !== 2 || a.gateway.factory.cluster?.living !== 2) await new Promise((resolve) => setTimeout(resolve, 20));
  const died = new Promise<SpillwayEvents['node-died']>((resolve) => b.gateway.on('node-died', resolve));
  await a.gateway.drain({ withinMs: 0 });
  await a.gateway[Symbol.asyncDispose]();
  expect(await died).toEqual({ node: 'gw-1', drained: true });
});

/** With several nodes, an operator who asked for a plan that no node had was told so, and nothing of it stood in the audit of any node:
 *  each had taken the question for one that was meant for somebody else. */

import { expect, test } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { type Json, startWithAdmin } from '../support/admin.ts';

test('that there is no such plan is in the audit of the node that was asked, once', async () => {
  const store = memoryStore({ cluster: true });
  await using one = await startWithAdmin({ store, node: 'gw-1' });
  await using _two = await startWithAdmin({ store, node: 'gw-2' });
  const { cluster } = one.gw.gateway.factory;
  while (cluster?.living !== 2) await new Promise((resolve) => setTimeout(resolve, 20));
  const planId = 'pln_00000000000000000000';
  const response = await one.ask('POST', 'cleanup/run', { planId, level: 'aggressive', reason: 'seen in a test' });
  expect([response.status, ((await response.json()) as Json).code]).toEqual([404, 'not-found']);
  const { entries } = await one.get('audit');
  expect(entries).toMatchObject([{ action: 'run-cleanup', outcome: 'refused', target: planId, node: 'gw-1', via: null }]);
});

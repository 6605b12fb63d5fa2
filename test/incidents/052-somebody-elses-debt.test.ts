/** A person with more seats than the limit, by a lease, closed the one page that they had on one of two nodes. When the lease was over that
 *  node noted a debt, since it still believed what it had been told of the other node last. It was repaid there; here nobody of that person
 *  was left who could bring the news. The node reported a user in debt until it was stopped, and one more each time. */

import { expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import type { Session } from '../support/bare-node.ts';
import { bareNode, eventually } from '../support/bare-node.ts';

const leave = async ({ admission }: Session): Promise<void> => {
  if (admission.kind !== 'seated') throw new Error(`Expected a seat, got ${admission.kind}.`);
  await admission.manager.release();
};

it('a lease is no business of a node that its user has left', async () => {
  const store = memoryStore({ cluster: true });
  const limits = { perUser: 2, burst: { perUser: 4, forMs: 1_500 } };
  await using a = await bareNode({ store, node: 'a', limits });
  await using b = await bareNode({ store, node: 'b', limits });
  await eventually('the nodes to know each other', () => [a, b].every(({ factory }) => factory.cluster?.living === 2));
  const users = ({ factory }: typeof a) => {
    const { usersInBurst, usersInDebt } = factory.telemetry.gauges();
    return [usersInBurst, usersInDebt];
  };
  const here = await a.connect('ada');
  const there = [await b.connect('ada'), await b.connect('ada'), await b.connect('ada')] as const;
  await eventually('the lease to be known', () => users(a)[0] === 1);
  await leave(here);
  expect(users(a)).toEqual([0, 0]);
  await eventually('the lease to become a debt', () => users(b)[1] === 1);
  expect(users(a)).toEqual([0, 0]);
  await leave(there[0]);
  await eventually('the debt to be repaid', () => users(b)[1] === 0);
  expect(users(a)).toEqual([0, 0]);
});

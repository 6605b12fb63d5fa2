/** The cluster page works as typed: three gateways, one Redis, one load balancer; the gateway with the session is killed, and the chat goes on. */

import { expect, test } from 'vitest';
import { outcomeOf } from './check.ts';
import { clusterPageCheck, terminalsOf } from './cluster-page.ts';

test('three terminals, one Redis, HAProxy: one gateway is killed and the chat goes on', async (context) => {
  const outcome = await outcomeOf(clusterPageCheck('haproxy'));
  if (outcome.is === 'skipped') context.skip(outcome.detail);
  expect(outcome).toMatchObject({ is: 'passed' });
}, 180_000);

test('lines are read from the terminals of the page, and from nowhere else', () => {
  const page = '```sh terminal=a\none\n\ntwo\n```\n```sh\nother\n```\n```sh terminal=a\nthree\n```\n';
  expect([...terminalsOf(page)]).toEqual([['a', ['one', 'two', 'three']]]);
});

/** A sign of life that was under way when its seat was taken is told and counted, and nothing is undone. */

import { expect, test } from 'vitest';
import { bareNode, eventually } from '../support/bare-node.ts';

const FULL = { timing: 'fast', limits: { perUser: 1, burst: { perUser: 1 } }, cleanup: { proactive: false } } as const;

test('a zombie whose answer lay unread in the kernel when it was evicted is regretted', async () => {
  await using node = await bareNode(FULL);
  const { client, admission } = await node.connect('ada');
  if (admission.kind !== 'seated') throw new Error(admission.kind);
  const { manager } = admission;
  const { n } = await client.next('probe');
  await eventually('its proof', () => manager.verdict.is === 'zombie');
  // Written to the kernel now, read by the factory only after this turn.
  client.sendFrame({ type: 'probe-ok', n });
  await node.factory.cleanup('ada' as never, { upTo: 'moderate' });
  await client.closed;
  expect(node.told('eviction-regret')).toEqual([
    { managerId: manager.id, user: 'ada', level: 'moderate', verdict: 'zombie', reason: 'probe-timeout', signal: 'E2' },
  ]);
  expect(node.records.filter((r) => r.event === 'eviction-regret')).toHaveLength(1);
  expect(node.factory.list('ada' as never)).toEqual([]);
});

test('a zombie that stays silent, and a session that a person closes, are not', async () => {
  await using node = await bareNode(FULL);
  const { client, admission } = await node.connect('ada');
  if (admission.kind !== 'seated') throw new Error(admission.kind);
  await eventually('its proof', () => admission.manager.verdict.is === 'zombie');
  await node.factory.cleanup('ada' as never, { upTo: 'moderate' });
  await client.closed;
  const second = await node.connect('ada');
  if (second.admission.kind !== 'seated') throw new Error(second.admission.kind);
  const { n } = await second.client.next('probe');
  second.client.sendFrame({ type: 'probe-ok', n });
  await node.factory.evict(second.admission.manager.id, { reason: 'user-freed', by: null });
  await second.client.closed;
  expect(node.told('eviction-regret')).toEqual([]);
});

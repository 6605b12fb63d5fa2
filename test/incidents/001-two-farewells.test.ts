/** A person freed a session, and its page was told that the chat goes on in another window. The store had taken the seat and was still
 *  on its way back with the answer when the seats of the node were renewed: the renewal found the tombstone, and ended the session a
 *  second time, for a reason that was not true. */

import { expect, it } from 'vitest';
import { ADA, fill, inMemory } from '../simulator/model-support.ts';

it('a session that is being evicted is told once, by whoever evicts it, and why', async () => {
  const rig = await inMemory({ lease: { ttlMs: 3_000, renewMs: 500 } });
  const [page] = await fill(rig, 1);
  const id = page?.manager;
  if (!page || id == null) throw new Error('Expected a seated page.');
  const ends: string[] = [];
  rig.factory.on('manager-ended', ({ reason }) => ends.push(reason));
  rig.tap({
    after: (_, call) => (call === 'evict' ? new Promise((answer) => rig.clock.arrive(rig.clock.now + 1_000, answer)) : undefined),
  });
  const freed = rig.factory.evict(id, { reason: 'user-freed', by: 'the other page' });
  rig.clock.touch();
  // Longer than a renewal, shorter than the answer.
  await rig.clock.pass(900);
  expect(ends).toEqual([]);
  await rig.clock.pass(400);
  expect(await freed).toBe(true);
  expect(ends).toEqual(['user-freed']);
  expect(page.closedWith).toBe(4203);
  expect(rig.factory.list(ADA)).toEqual([]);
  await rig.close();
});

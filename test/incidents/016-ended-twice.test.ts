/** A person closed a tab in the very moment in which another tab freed its session. The session was told to have ended twice, for two
 *  reasons, and whoever counted ends counted one too many. */

import { expect, it } from 'vitest';
import { fill, inMemory } from '../simulator/model-support.ts';

it('a session that leaves while its seat is being taken ends once', async () => {
  const rig = await inMemory({});
  const [page] = await fill(rig, 1);
  const id = page?.manager;
  if (!page || id == null) throw new Error('Expected a seated page.');
  const ends: string[] = [];
  rig.factory.on('manager-ended', ({ reason }) => ends.push(reason));
  rig.tap({ after: (_, call) => (call === 'evict' ? new Promise((answer) => rig.clock.arrive(rig.clock.now + 100, answer)) : undefined) });
  const freed = rig.factory.evict(id, { reason: 'user-freed', by: 'the other tab' });
  rig.clock.touch();
  page.say({ type: 'bye', reason: 'left' });
  await rig.clock.pass(200);
  expect(await freed).toBe(true);
  expect(ends).toEqual(['client-closed']);
  await rig.close();
});

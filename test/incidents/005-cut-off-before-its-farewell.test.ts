/** A page was evicted and came back by itself at once: it had been told nothing, its socket had just gone. Its records were cross-checked
 *  in the very moment between the loss of its seat and its farewell; its socket looked like one that nobody uses, and was destroyed. */

import { expect, it } from 'vitest';
import type { ManagerId } from '../../src/protocol/ids.ts';
import { fill, inMemory } from '../simulator/model-support.ts';

it('an eviction in the moment of a background pass is told to its page', async () => {
  const rig = await inMemory({ limits: { perUser: 4 } });
  const [page] = await fill(rig, 4);
  // The pass runs each half second, and looks at whoever is near the limit.
  let freed: Promise<boolean> | null = null;
  rig.clock.world(2_000 - rig.clock.now, () => {
    rig.clock.touch();
    freed = rig.factory.evict(page?.manager as ManagerId, { reason: 'user-freed', by: null });
  });
  await rig.clock.pass(2_050 - rig.clock.now);
  expect(await freed).toBe(true);
  expect(page?.closedWith).toBe(4203);
  await rig.close();
});

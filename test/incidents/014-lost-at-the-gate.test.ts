/** A person waited in the queue of the own account, at a node that was full. All other sessions of the account ended, the place moved to
 *  the gate of the node, and while the store was still taking the old ticket back a seat of the node became free. The gate offered it to
 *  a place at which nobody seemed to stand yet, and forgot that place: the person stood there until the end of the wait, beside a free
 *  seat. */

import { expect, it } from 'vitest';
import type { UserId } from '../../src/protocol/ids.ts';
import { ADA, fill, inMemory } from '../simulator/model-support.ts';

it('a seat that becomes free while a place moves to the gate is its seat', async () => {
  const rig = await inMemory({ timing: 'default', limits: { perNode: 2, perUser: 1, burst: { perUser: 1 } } });
  const [own] = await fill(rig, 1);
  const waiting = rig.ask(ADA);
  await rig.clock.pass(1_000);
  const [other] = await fill(rig, 1, 'bob' as UserId);
  const stranger = rig.ask('cid' as UserId);
  await rig.clock.pass(1_000);
  expect(rig.factory.queue().map(({ user, at }) => [user, at])).toEqual([
    ['ada', 'queue'],
    ['cid', 'gate'],
  ]);
  rig.tap({ before: (_, call) => (call === 'cancel' ? new Promise((done) => rig.clock.arrive(rig.clock.now + 100, done)) : undefined) });
  // The stranger has this seat, and the person's place moves to the gate.
  own?.say({ type: 'bye', reason: 'left' });
  await rig.clock.pass(50);
  expect(stranger.state).toBe('seated');
  other?.say({ type: 'bye', reason: 'left' });
  await rig.clock.pass(500);
  expect(waiting.state).toBe('seated');
  await rig.close();
});

/** A person closed all tabs while the store did not answer, and came back when it did. The store kept the seats of the closed tabs,
 *  nobody on the node held them any more, so nobody could be asked to give way: the person waited out the queue, was sent away,
 *  waited again, and got in when the leases ended, half a minute later. */

import { expect, it } from 'vitest';
import { SpillwayError } from '../../src/protocol/errors.ts';
import type { ModelRig } from '../simulator/model-rig.ts';
import { ADA, fill, inMemory } from '../simulator/model-support.ts';

const THREE = { timing: 'default', limits: { perUser: 3, burst: { perUser: 3 } } } as const;
const away = (call: string) => new SpillwayError('SPILLWAY_STORE_UNAVAILABLE', `The store does not answer ${call}.`, { retry: 'later' });

/** From now on the store does what `call` asks, and its answer is lost, or with `before` it does not even do it. */
function lose(rig: ModelRig, call: string, before = false): void {
  const fail = (_: unknown, name: string): undefined => {
    if (name === call) throw away(call);
  };
  rig.tap(before ? { before: fail } : { after: fail });
}

async function opensAtOnce(rig: ModelRig): Promise<void> {
  const attempt = rig.ask(ADA);
  await rig.clock.pass(500);
  expect(attempt.state).toBe('seated');
  await rig.compareAtRest(ADA);
  expect(rig.problems).toEqual([]);
  await rig.close();
}

it('a person whose ended sessions the store was not told of is seated at once', async () => {
  const rig = await inMemory(THREE);
  lose(rig, 'release', true);
  for (const page of await fill(rig, 3)) page.say({ type: 'bye', reason: 'left' });
  await rig.clock.pass(100);
  expect(rig.factory.list(ADA)).toEqual([]);
  rig.tap();
  await opensAtOnce(rig);
});

it('nor does a seat stand in the way that was given in an answer nobody heard', async () => {
  const rig = await inMemory(THREE);
  lose(rig, 'admit');
  const lost = [rig.ask(ADA), rig.ask(ADA), rig.ask(ADA)];
  await rig.clock.pass(5_000);
  expect(lost.map(({ state }) => state)).toEqual(['rejected', 'rejected', 'rejected']);
  rig.tap();
  await opensAtOnce(rig);
});

it('a store that cannot free them either stops nobody: queue and lease go on', async () => {
  const rig = await inMemory({ ...THREE, limits: { perUser: 3, burst: { perUser: 4 } } });
  lose(rig, 'release', true);
  for (const page of await fill(rig, 3)) page.say({ type: 'bye', reason: 'left' });
  await rig.clock.pass(100);
  const attempt = rig.ask(ADA);
  await rig.clock.pass(500);
  expect([attempt.state, attempt.seated?.seat]).toEqual(['seated', 'burst']);
  await rig.close();
});

/** A person opened thirty tabs while the store answered everything but the question for a seat. Each tab was asked for again and again
 *  as long as an admission may take, but one after the other: the last one heard after twelve seconds that it should come back. */

import { expect, it } from 'vitest';
import { SpillwayError } from '../../src/protocol/errors.ts';
import { ADA, inMemory } from '../simulator/model-support.ts';

it('all that wait for one store that fails hear of it at once', async () => {
  const rig = await inMemory({ timing: 'default' });
  rig.tap({
    before: (_, call) => {
      if (call === 'admit') throw new SpillwayError('SPILLWAY_STORE_UNAVAILABLE', 'The store does not answer.', { retry: 'later' });
      return undefined;
    },
  });
  const early = Array.from({ length: 30 }, () => rig.ask(ADA));
  await rig.clock.pass(300);
  const late = rig.ask(ADA);
  await rig.clock.pass(250);
  expect(new Set(early.map(({ state }) => state))).toEqual(new Set(['rejected']));
  // Who came later is asked for as long as everybody else.
  expect(late.state).toBe('deciding');
  rig.tap();
  await rig.clock.pass(150);
  expect(late.state).toBe('seated');
  await rig.close();
});

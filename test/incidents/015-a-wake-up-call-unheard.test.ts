/** A person in the queue was just being looked at, by what a slow store had told a moment ago, when another tab of theirs was closed. The
 *  call that a seat was free came while the look was under way and was not heard; the look found no room; the next one was two seconds
 *  later. */

import { expect, it } from 'vitest';
import { ADA, fill, inMemory } from '../simulator/model-support.ts';

it('a seat that becomes free during a look is found at once', async () => {
  const rig = await inMemory({ timing: 'default', limits: { perUser: 2, burst: { perUser: 2 } } });
  const [first] = await fill(rig, 2);
  const waiting = rig.ask(ADA);
  await rig.clock.pass(3_000);
  expect(waiting.state).toBe('queued');
  // A look has steps, each by what the store tells then: of these the last.
  const steps = 3;
  let asked = 0;
  rig.tap({
    after: (_, call) => (call === 'facts' && ++asked === steps ? new Promise((answer) => rig.clock.arrive(rig.clock.now + 100, answer)) : undefined),
  });
  while (asked < steps) await rig.clock.pass(10);
  first?.say({ type: 'bye', reason: 'left' });
  await rig.clock.pass(300);
  expect(waiting.state).toBe('seated');
  await rig.close();
});

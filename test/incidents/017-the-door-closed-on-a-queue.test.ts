/** An application closed its factory while a person waited in the queue. The application waited for what had become of that person, and
 *  waits still; or, where somebody was just being looked at, the closed factory went on and took a session's seat for them. */

import { expect, it } from 'vitest';
import { fill, inMemory } from '../simulator/model-support.ts';

it.each([0, 1_000])('who waits when a factory is closed after %i ms hears of it, and nobody gives way to them any more', async (afterMs) => {
  const rig = await inMemory({ timing: 'default', limits: { perUser: 1, burst: { perUser: 1 } }, queue: { waitMs: 2_000 } });
  const [page] = await fill(rig, 1);
  const asked = rig.ask(page?.user as never);
  while (asked.state !== 'queued') await rig.clock.pass(1);
  await rig.clock.pass(afterMs);
  const closing = rig.factory[Symbol.asyncDispose]();
  rig.clock.touch();
  await rig.clock.pass(10);
  await closing;
  expect([asked.state, asked.retry?.retryAfterMs]).toEqual(['retry', 0]);
  await rig.clock.pass(5_000);
  expect(rig.factory.list(page?.user as never).map(({ id }) => id)).toEqual([page?.manager]);
  rig.clock.forget();
});

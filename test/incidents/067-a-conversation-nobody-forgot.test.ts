/** A store had lost the end of its logs, and a client that knew more than the log had a new epoch begun. It left before the store had
 *  answered. Its conversation was to be forgotten when nothing was on its way to the store any more; a new epoch was, and no entry: so it was
 *  looked at too early, and never again. It stayed in memory, and among the conversations that are counted as open, for good. */

import { expect, it } from 'vitest';
import { systemClock } from '../../src/ports/clock.ts';
import { silent } from '../../src/ports/telemetry.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { Streams } from '../../src/streams/streams.ts';
import { key } from '../contracts/store-builders.ts';

it.each(['given', 'refused'] as const)('a conversation is forgotten when its new epoch is %s', async (how) => {
  const store = memoryStore();
  let answer = (): void => {};
  const asked = new Promise<void>((resolve, reject) => {
    answer = how === 'given' ? resolve : () => reject(new Error('The store is away.'));
  });
  const log = new Proxy(store.log, {
    get: (target, name) =>
      name === 'renewEpoch'
        ? async (...a: Parameters<typeof target.renewEpoch>) => {
            await asked;
            return target.renewEpoch(...a);
          }
        : (Reflect.get(target, name) as () => unknown).bind(target),
  });
  const streams = new Streams({ ...store, log }, systemClock, silent);
  const stream = await streams.hold(key('ada'));
  const renewed = stream.rewound().catch(() => {});
  streams.release(stream);
  expect(streams.size).toBe(1);
  answer();
  await renewed;
  await expect.poll(() => streams.size).toBe(0);
  streams.close();
});

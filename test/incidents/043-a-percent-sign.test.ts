/** Somebody's password held a `%`, and stood in the address as it was. All that was said was "URI malformed". */

import { expect, it } from 'vitest';
import { redisStore } from '../../src/stores/redis/store.ts';

it('a password that is not encoded is told as what it is, and not repeated', async () => {
  const failed = expect(redisStore({ url: 'redis://ada:100%hush@127.0.0.1:1' })).rejects;
  await failed.toMatchObject({ code: 'SPILLWAY_BAD_OPTION', message: expect.stringMatching(/%25/) });
  await failed.toMatchObject({ message: expect.not.stringContaining('hush') });
});

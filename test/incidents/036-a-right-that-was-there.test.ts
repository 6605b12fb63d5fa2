/** A gateway was started while its Redis took no writes: its replicas were away, and another time its disk was full. It was refused for good, and its operator
 *  was told that the user lacks rights, every one of them. The look at rights took each refusal for one of these. */

import { expect, it } from 'vitest';
import { redisStore } from '../../src/stores/redis/store.ts';
import { redisTool, startRedis } from '../support/redis.ts';
import { skipWithout } from '../support/tools.ts';

skipWithout(redisTool());

it('a server that misses its replicas says so at a start, and that it passes', async () => {
  await using server = await startRedis({ args: ['--min-replicas-to-write', '1'] });
  await expect(redisStore({ url: server.url, deadlineMs: 2_000 })).rejects.toMatchObject({
    code: 'SPILLWAY_STORE_UNAVAILABLE',
    message: expect.stringMatching(/NOREPLICAS.*min-replicas-to-write/),
  });
  server.cli('config', 'set', 'min-replicas-to-write', '0');
  await using store = await redisStore({ url: server.url, deadlineMs: 2_000 });
  expect(await store.health()).toMatchObject({ ok: true });
});

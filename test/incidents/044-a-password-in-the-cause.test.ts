/** A program that did not catch the error of a store that refused it was ended by Node, which prints an error with its cause. The cause was
 *  the client's own error, and that carries the command which was answered: `auth` with user and password, an append with what people had
 *  written. */

import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { redisStore } from '../../src/stores/redis/store.ts';
import { entry, key, Writer } from '../contracts/store-builders.ts';
import { redisTool, startRedis } from '../support/redis.ts';
import { skipWithout } from '../support/tools.ts';

skipWithout(redisTool());

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );
const printed = (error: unknown): string => inspect(error, { depth: Number.POSITIVE_INFINITY });

it('what is printed of a refused password does not hold it', async () => {
  await using server = await startRedis({ users: ['app on >another ~sp:* &sp:* +@all'] });
  const error = await failureOf(redisStore({ url: server.url, username: 'app', password: 'hush' }));
  expect(printed(error)).toMatch(/WRONGPASS/);
  expect(printed(error)).not.toContain('hush');
});

it('what is printed of an append that was refused does not hold what people say', async () => {
  await using server = await startRedis();
  await using store = await redisStore({ url: server.url, deadlineMs: 2_000 });
  const writer = await Writer.claim(store.log, key('ada'));
  server.cli('config', 'set', 'maxmemory', '1');
  const error = await failureOf(store.log.append([writer.request([entry(1, { data: '"hush"' })])]));
  expect(printed(error)).toMatch(/OOM/);
  expect(printed(error)).not.toContain('hush');
});

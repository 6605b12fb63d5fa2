/** A Redis was away for some seconds. What a node had gathered meanwhile, of all conversations, went out in one go when it was back, and
 *  one deadline held for all of it. It took the server longer. So it was sent again, behind itself, and again, and nothing was ever
 *  confirmed. */

import { expect, it } from 'vitest';
import type { AppendRequest } from '../../src/ports/store.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { key, Writer } from '../contracts/store-builders.ts';
import { redisTool, startRedis } from '../support/redis.ts';
import { skipWithout } from '../support/tools.ts';

skipWithout(redisTool());

const STREAMS = 60;
const ENTRIES = 5_000;
/** The log has ten times as long. */
const DEADLINE_MS = 60;

it('what gathered while the server was away is taken in the end', async () => {
  await using server = await startRedis();
  await using store = await redisStore({ url: server.url, deadlineMs: DEADLINE_MS });
  const requests: AppendRequest[] = [];
  for (let i = 0; i < STREAMS; i++) {
    const writer = await Writer.claim(store.log, key(`u${i}`));
    requests.push(writer.request(writer.next(ENTRIES)));
  }
  let answers: readonly { readonly is: string }[] = [];
  for (let tries = 0; answers.length === 0 && tries < 3; tries++) answers = await store.log.append(requests).catch(() => []);
  expect(answers).toHaveLength(STREAMS);
  for (const { is } of answers) expect(is).toMatch(/ok|repeated/);
});

/** A node answered thousands of people at once, and all of their conversations had grown large. The script that notes their sizes put all of
 *  them into one command, more than Lua can; none was noted, each time anew, and retention never heard of one that was too large. */

import { expect, it } from 'vitest';
import { Connection } from '../../src/stores/redis/connection.ts';
import { StreamIndex } from '../../src/stores/redis/stream-index.ts';
import { key } from '../contracts/store-builders.ts';
import { redisTool, startRedis } from '../support/redis.ts';
import { skipWithout } from '../support/tools.ts';

skipWithout(redisTool());

const STREAMS = 5_000;
const BYTES = 4 * 1024 * 1024;

it('thousands of conversations are noted to be large', async () => {
  await using server = await startRedis();
  await using connection = new Connection({ url: server.url, deadlineMs: 2_000 });
  await connection.open();
  const index = new StreamIndex(connection);
  await index.grown(Array.from({ length: STREAMS }, (_, i) => ({ key: key(`u${i}`), bytes: BYTES })));
  const { large } = await index.due(60_000, BYTES, STREAMS);
  expect(large).toHaveLength(STREAMS);
});

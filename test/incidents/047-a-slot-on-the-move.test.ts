/** A slot of a cluster was moved to another server, key by key. A person who lives there asked for their conversations meanwhile, of
 *  which some had gone ahead. The list was said to be broken, for good, though it could be had again a moment later. */

import { expect, it } from 'vitest';
import type { UserId } from '../../src/protocol/ids.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { entry, key, message, Writer } from '../contracts/store-builders.ts';
import { redisTool, startRedisCluster } from '../support/redis.ts';
import { skipWithout } from '../support/tools.ts';

skipWithout(redisTool());

const STREAM = 'sp:{ada}:th:t:stream';

it('conversations of which one has moved ahead can be asked for later', async () => {
  await using cluster = await startRedisCluster();
  await using store = await redisStore({ nodes: cluster.nodes, deadlineMs: 2_000 });
  const writer = await Writer.claim(store.log, key('ada'));
  await writer.send([entry(1, { kind: 'message' })], { title: 'Hello', messages: [message('m', 1)] });

  const home = cluster.masters.find((master) => master.cli('--raw', 'exists', STREAM) === '1');
  const next = cluster.masters.find((master) => master !== home);
  if (home === undefined || next === undefined) throw new Error('Expected a master that has the conversation, and another one.');
  const slot = home.cli('--raw', 'cluster', 'keyslot', STREAM);
  next.cli('cluster', 'setslot', slot, 'importing', home.cli('--raw', 'cluster', 'myid'));
  home.cli('cluster', 'setslot', slot, 'migrating', next.cli('--raw', 'cluster', 'myid'));
  home.cli('migrate', next.host, String(next.port), STREAM, '0', '5000');

  await expect(store.threads.list('ada' as UserId, 10, null)).rejects.toMatchObject({ code: 'SPILLWAY_STORE_UNAVAILABLE', retry: 'later' });
});

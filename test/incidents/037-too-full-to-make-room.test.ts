/** A Redis had reached its maxmemory. Retention, which alone could have made room, noted after the first fifty conversations what it had found
 *  there; the server took no such note, so it failed, and began with the same fifty each time. */

import { expect, it } from 'vitest';
import { redisStore } from '../../src/stores/redis/store.ts';
import { entry, key, run, runId, Writer } from '../contracts/store-builders.ts';
import { redisTool, startRedis } from '../support/redis.ts';
import { skipWithout } from '../support/tools.ts';

skipWithout(redisTool());

const STREAMS = 60;

it('retention reaches every conversation of a full server', async () => {
  await using server = await startRedis();
  await using store = await redisStore({ url: server.url, deadlineMs: 2_000 });
  for (let i = 0; i < STREAMS; i++) {
    const k = key(`u${i}`);
    const writer = await Writer.claim(store.log, k);
    const answering = runId(`run-${i}`);
    const entries = [entry(1, { kind: 'message' }), entry(2, { run: answering })];
    expect(await store.log.append([writer.request(entries, { runs: [run(k, answering, { firstOffset: 2 })] })])).toEqual([{ is: 'ok' }]);
  }
  server.cli('config', 'set', 'maxmemory', '1');
  const dropped = await store.log.trim({ keepMs: 0, streamBytes: 1e9, streams: 1_000 });
  expect(dropped.map(({ first }) => first)).toEqual(Array.from({ length: STREAMS }, () => 2));
});

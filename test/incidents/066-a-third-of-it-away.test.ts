/** One of three masters of a Redis Cluster answered nothing for as long as the others needed to notice. A node writes what all its
 *  conversations have said in one batch: it held the whole batch to be lost, and asked for it again and again. So nobody heard of anything
 *  any more, also of what the two other masters had taken at once. */

import { expect, it } from 'vitest';
import { systemClock } from '../../src/ports/clock.ts';
import { systemRandom } from '../../src/ports/random.ts';
import type { LogRecord } from '../../src/ports/telemetry.ts';
import type { NodeId } from '../../src/protocol/ids.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import type { NewEntry } from '../../src/streams/outbox.ts';
import { Streams } from '../../src/streams/streams.ts';
import { key } from '../contracts/store-builders.ts';
import { redisTool, startRedisCluster } from '../support/redis.ts';
import { skipWithout } from '../support/tools.ts';

skipWithout(redisTool());

const said = (text: string): NewEntry => ({ kind: 'message', run: null, codec: 'agent-events', data: JSON.stringify(text), at: 1_700_000_000_000 });

it('conversations of the masters that are there go on, and the others when theirs is back', async () => {
  await using cluster = await startRedisCluster({ args: ['--cluster-require-full-coverage', 'no'] });
  await using store = await redisStore({ nodes: cluster.nodes, deadlineMs: 50 });
  const records: LogRecord[] = [];
  const sharing = { life: { node: 'gw-1' as NodeId, incarnation: 'one' }, random: systemRandom };
  const streams = new Streams(store, systemClock, { record: (record) => records.push(record) }, sharing);
  const all = await Promise.all(Array.from({ length: 12 }, (_, i) => streams.hold(key(`user-${i}`))));
  for (const stream of all) {
    await stream.writable();
    await stream.log(said('hello'));
  }
  const away = cluster.masters[0];
  if (away === undefined) throw new Error('Expected three masters, got none.');
  away.freeze();
  const stored: number[] = [];
  const logged = all.map(async (stream, i) => {
    const offset = await stream.log(said('is anybody there?'));
    stored.push(i);
    return offset;
  });
  await expect.poll(() => stored.length, { timeout: 5_000 }).toBeGreaterThan(4);
  expect(stored.length).toBeLessThan(12);
  expect(streams.storeFailing).toBe(false);
  // Also what they say next, at once.
  const first = all[stored[0] as number];
  const askedAt = performance.now();
  for (let i = 0; i < 5; i++) await first?.log(said('yes'));
  expect(performance.now() - askedAt).toBeLessThan(1_000);
  away.thaw();
  expect(await Promise.all(logged)).toEqual(all.map(() => 2));
  await expect.poll(() => records.map(({ event }) => event)).toEqual(['store-failing', 'store-recovered']);
  for (const stream of all) expect((await store.log.state(stream.key)).head).toBe(stream === first ? 7 : 2);
  streams.close();
});

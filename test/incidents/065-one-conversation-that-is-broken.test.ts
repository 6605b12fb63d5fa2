/** What a Redis kept of one conversation was not what it should be: somebody had written another key there. Its next message could not be
 *  appended; the node took that for the store's own trouble and asked again and again, for the whole batch. What all the others had said was
 *  stored, and never shown: each of their conversations stood still, and everybody's messages were refused. Nor was anything dropped from any
 *  log any more, nor could a node that started find the runs that others had left. */

import { expect, it } from 'vitest';
import { systemClock } from '../../src/ports/clock.ts';
import { systemRandom } from '../../src/ports/random.ts';
import type { Store } from '../../src/ports/store.ts';
import type { LogRecord } from '../../src/ports/telemetry.ts';
import type { NodeId } from '../../src/protocol/ids.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import type { NewEntry } from '../../src/streams/outbox.ts';
import type { Stream } from '../../src/streams/stream.ts';
import { Streams } from '../../src/streams/streams.ts';
import { key, run } from '../contracts/store-builders.ts';
import { type RedisServer, redisTool, startRedis } from '../support/redis.ts';
import { skipWithout } from '../support/tools.ts';

skipWithout(redisTool());

const SHARING = { life: { node: 'gw-1' as NodeId, incarnation: 'one' }, random: systemRandom };
const ADA = key('ada');
const EVE = key('eve');
const said = (text: string): NewEntry => ({ kind: 'message', run: null, codec: 'agent-events', data: JSON.stringify(text), at: 1_700_000_000_000 });

async function withTwo(work: (o: { server: RedisServer; store: Store; records: LogRecord[]; streams: Streams; ada: Stream; eve: Stream }) => Promise<void>) {
  await using server = await startRedis();
  await using store = await redisStore({ url: server.url, deadlineMs: 1_000 });
  const records: LogRecord[] = [];
  const streams = new Streams(store, systemClock, { record: (record) => records.push(record) }, SHARING);
  const [ada, eve] = [await streams.hold(ADA), await streams.hold(EVE)];
  for (const stream of [ada, eve]) {
    await stream.writable();
    await stream.log(said('hello'), { runs: [run(stream.key, `run-of-${stream.key.user}`)] });
  }
  try {
    await work({ server, store, records, streams, ada, eve });
  } finally {
    streams.close();
  }
}

const fails = (stream: Stream): Promise<unknown> =>
  stream.log(said('to nobody')).then(
    () => null,
    (error: unknown) => error,
  );

it('a conversation that cannot be written is told so, and nobody else’s trouble', async () => {
  await withTwo(async ({ server, streams, records, ada, eve }) => {
    server.cli('set', 'sp:{eve}:th:t:log', 'somebody else’s');
    const failing = fails(eve);
    await ada.log(said('still here'));
    expect(ada.mark).toBe(2);
    expect(await failing).toMatchObject({ code: 'SPILLWAY_STORE_BROKEN', message: expect.stringContaining('WRONGTYPE') });
    // Alone too: the store is there all the same.
    await eve.writable();
    expect(await fails(eve)).toMatchObject({ message: expect.stringContaining('WRONGTYPE') });
    expect(streams.storeFailing).toBe(false);
    await ada.log(said('and still'));
    expect(records.filter(({ event }) => event === 'store-failing')).toEqual([]);
    // Mended: it goes on.
    server.cli('del', 'sp:{eve}:th:t:log');
    await eve.writable();
    expect(await eve.log(said('back'))).toBe(2);
  });
});

it('a store that takes nothing from anybody is another matter: what was said waits', async () => {
  await withTwo(async ({ server, streams, ada, eve }) => {
    server.cli('acl', 'setuser', 'default', '-evalsha', '-eval', '-set');
    const both = Promise.all([ada.log(said('later')), eve.log(said('later'))]);
    await expect.poll(() => streams.storeFailing).toBe(true);
    server.cli('acl', 'setuser', 'default', '+@all');
    expect(await both).toEqual([2, 2]);
  });
});

it('retention and the search for runs that were left pass it by', async () => {
  await withTwo(async ({ server, store, ada, eve }) => {
    for (const stream of [ada, eve])
      await stream.log(said('the end'), {
        runs: [run(stream.key, `run-of-${stream.key.user}`, { state: 'ended' }), run(stream.key, `left-by-${stream.key.user}`)],
      });
    server.cli('set', 'sp:{eve}:th:t:log', 'somebody else’s');
    server.cli('set', 'sp:{eve}:th:t:open', 'somebody else’s');
    await expect.poll(() => store.log.trim({ keepMs: 0, streamBytes: 1e9, streams: 100 })).toMatchObject([{ key: ADA, first: 3 }]);
    expect(await store.threads.openRuns(null)).toMatchObject([{ id: 'left-by-ada' }]);
    await expect(store.threads.openRuns(EVE)).rejects.toMatchObject({ code: 'SPILLWAY_STORE_BROKEN' });
  });
});

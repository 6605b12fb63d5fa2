/** In a cluster the notes of which conversations have events to drop, and which have runs, stand on one server, and the conversations on
 *  others. That server failed over and lost its last second. Conversations noted then believed it for good: retention never came by
 *  again, and nobody who looked for runs without a node found theirs. */

import { expect, it } from 'vitest';
import { redisStore } from '../../src/stores/redis/store.ts';
import { key, run, runId, Writer } from '../contracts/store-builders.ts';
import { NO_FAKETIME, wallClock } from '../support/lab/faketime.ts';
import { redisTool, startRedis } from '../support/redis.ts';

const AT = Date.UTC(2026, 0, 1);
const A_WHILE_MS = 11 * 60_000;

it('a conversation that goes on is noted again', async (context) => {
  using clock = wallClock();
  const { missing } = redisTool();
  if (clock === null || missing !== null) return context.skip(missing ?? NO_FAKETIME);
  clock.standAt(AT);
  await using server = await startRedis({ env: clock.env });
  await using store = await redisStore({ url: server.url, deadlineMs: 2_000 });
  const [k, answer] = [key('ada'), runId('run-1')];
  const writer = await Writer.claim(store.log, k);
  await writer.append(1, { kind: 'message' });
  await writer.append(1, { run: answer }, { runs: [run(k, answer, { firstOffset: 2 })] });
  server.cli('del', 'sp:{!}:age', 'sp:{!}:open');

  clock.standAt(AT + A_WHILE_MS);
  await writer.append(1, { run: answer }, { runs: [run(k, answer, { firstOffset: 2 })] });
  expect((await store.threads.openRuns(null)).map(({ id }) => id)).toEqual([answer]);
  clock.standAt(AT + A_WHILE_MS + 1_000);
  expect(await store.log.trim({ keepMs: 0, streamBytes: 1e9, streams: 10 })).toEqual([{ key: k, first: 2 }]);
});

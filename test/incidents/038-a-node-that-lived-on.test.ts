/** The clock of a Redis was set back by an hour. A node that had died just before stood among the living until the hour was over: its card
 *  ends at an instant of that clock. Nobody took over the answers that it had been giving. */

import { expect, it } from 'vitest';
import type { NodeCard } from '../../src/ports/cluster.ts';
import type { NodeId } from '../../src/protocol/ids.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { NO_FAKETIME, wallClock } from '../support/lab/faketime.ts';
import { redisTool, startRedis } from '../support/redis.ts';

const TTL_MS = 5_000;
const AT = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;

const card = (node: string): NodeCard => ({ node: node as NodeId, incarnation: 'one', version: '0', startedAt: 0, managers: 0, isDraining: false });

it('a node that beats no more is gone after its time, though the clock was set back', async (context) => {
  using clock = wallClock();
  const { missing } = redisTool();
  if (clock === null || missing !== null) return context.skip(missing ?? NO_FAKETIME);
  clock.standAt(AT);
  await using server = await startRedis({ env: clock.env });
  await using store = await redisStore({ url: server.url, deadlineMs: 2_000 });
  const names = async (): Promise<unknown> => (await store.cluster?.beat(card('a'), TTL_MS))?.nodes.map(({ node }) => node).sort();
  await store.cluster?.beat(card('b'), TTL_MS);
  expect(await names()).toEqual(['a', 'b']);

  clock.standAt(AT - HOUR_MS);
  expect(await names()).toEqual(['a', 'b']);
  clock.standAt(AT - HOUR_MS + TTL_MS + 1);
  expect(await names()).toEqual(['a']);
});

/** A program bought a ticket each second and used none. A ticket that has run out is known for a day, so that its owner is told that it did; by
 *  the evening there were 80,000. Then somebody logged out, which looks at all that the user has: the Redis of everybody stood
 *  still for a fifth of a second, longer than a question about a seat may take. */

import { expect, it } from 'vitest';
import type { UserId } from '../../src/protocol/ids.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { redisTool, startRedis } from '../support/redis.ts';
import { skipWithout } from '../support/tools.ts';

skipWithout(redisTool());

const ADA = 'ada' as UserId;
const BOUGHT = 3_000;
/** And those that are dropped together. */
const KEPT = 1_000 + 100;
const TICKET = { user: ADA, name: 'Ada', tier: 'mid', authExpiresAt: 0, family: 'f' };
const DAY_MS = 86_400_000;

it('of very many tickets those that have run out are forgotten, and nothing else', async () => {
  await using server = await startRedis();
  await using store = await redisStore({ url: server.url, deadlineMs: 2_000 });
  const { credentials } = store;
  await credentials.putRefresh('login', { user: ADA, family: 'f' }, DAY_MS);
  await credentials.putTicket('good', TICKET, DAY_MS);
  for (let i = 0; i < BOUGHT; i += 100) await Promise.all(Array.from({ length: 100 }, (_, k) => credentials.putTicket(`t${i + k}`, TICKET, 1)));
  expect(Number(server.cli('hlen', 'sp:{ada}:logins'))).toBeLessThanOrEqual(KEPT);
  expect(await credentials.consumeTicket(`t${BOUGHT - 1}`)).toEqual({ is: 'expired' });
  expect(await credentials.consumeTicket('good')).toMatchObject({ is: 'ok' });
  expect(await credentials.rotateRefresh('login', 'next', DAY_MS)).toMatchObject({ is: 'ok' });
});

/** One person's program asked for a seat a hundred times a second, with a queue that was full, and never came back with the promise that it was
 *  given. All of them were kept, 10,000 at a time, in one text that each question about this person reads and writes: one user took
 *  more than all the time that the Redis of everybody has. */

import { expect, it } from 'vitest';
import { systemClock } from '../../src/ports/clock.ts';
import { systemRandom } from '../../src/ports/random.ts';
import type { SeatLimits, SeatStore } from '../../src/ports/store.ts';
import type { ManagerId, UserId } from '../../src/protocol/ids.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { createSeatBook } from '../../src/stores/seats.ts';
import { redisTool, startRedis } from '../support/redis.ts';

const LIMITS: SeatLimits = {
  ...{ soft: 3, hard: 5, burstForMs: 60_000, coolDownMs: 900_000, debtMaxMs: 600_000, places: 10 },
  ...{ waitMs: 60_000, promiseMs: 60_000, ttlMs: 30_000, tombstoneMs: 600_000 },
};
const ADA = 'ada' as UserId;
const REFUSED = 1_200;
const KEPT = 1_000;

async function flood(seats: SeatStore): Promise<void> {
  const ask = (i: number) => seats.enqueue({ user: ADA, ticket: { id: `mgr-${i}` as ManagerId, class: 'user', waitMs: null, promise: null }, limits: LIMITS });
  for (let i = 0; i < LIMITS.places + REFUSED; i++) await ask(i);
  expect((await seats.facts(ADA, LIMITS)).promises).toHaveLength(KEPT);
  expect(await ask(-1)).toMatchObject({ is: 'full', promiseAt: (await seats.facts(ADA, LIMITS)).promises.at(-1)?.at });
}

it('of all who are refused in memory, so many are kept a place', () => flood(createSeatBook(systemClock, systemRandom)));

it('and in Redis', async (context) => {
  const { missing } = redisTool();
  if (missing !== null) return context.skip(missing);
  await using server = await startRedis();
  await using store = await redisStore({ url: server.url, deadlineMs: 2_000 });
  await flood(store.seats);
});

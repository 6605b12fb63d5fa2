/** A node was taken for dead, and another one was about to give the seat of one of its managers to a newcomer when it lost the store itself.
 *  The newcomer was served without it. Minutes later, when the store was there again, it carried out what it had planned then: the manager,
 *  whose node had only stalled and lived on, lost its seat for nobody. */

import { expect, it } from 'vitest';
import { CutOff } from '../../src/managers/cluster/cut-off.ts';
import { systemClock } from '../../src/ports/clock.ts';
import { systemRandom } from '../../src/ports/random.ts';
import type { SeatLimits } from '../../src/ports/store.ts';
import type { ManagerId, NodeId, UserId } from '../../src/protocol/ids.ts';
import { memoryStore } from '../../src/stores/memory.ts';

const ADA = 'ada' as UserId;
const LIMITS: SeatLimits = {
  soft: 2,
  hard: 2,
  burstForMs: 60_000,
  coolDownMs: 60_000,
  debtMaxMs: 60_000,
  places: 10,
  waitMs: 10_000,
  promiseMs: 5_000,
  ttlMs: 30_000,
  tombstoneMs: 60_000,
};

it('a node that is cut off plans nothing for the seats of others', async () => {
  const { seats, cluster } = memoryStore({ cluster: true });
  if (cluster === null) throw new Error('Expected a store that nodes share.');
  const cutOff = new CutOff({
    seats,
    clock: systemClock,
    random: systemRandom,
    seatBook: (...a) => cluster.seatBook(...a),
    held: () => [],
    tierOf: () => 'free',
    living: () => 2,
    storeNow: () => null,
    renewAll: async () => {},
    began: () => {},
    ended: () => {},
  });
  const manager = 'mgr_other' as ManagerId;
  const request = { user: ADA, manager, attach: 'one', node: 'b' as NodeId, incarnation: 'b', class: 'user', mayBurst: false, limits: LIMITS } as const;
  const other = await seats.admit(request);
  if (other.is !== 'ok') throw new Error('Expected a seat.');
  cutOff.begin('the store is away');
  expect((await cutOff.seats.evict(ADA, manager, other.token, 'node-dead', LIMITS)).is).toBe('stale');
  // What is its own ends in the store as well.
  const own = await cutOff.seats.admit({ ...request, manager: 'mgr_own' as ManagerId, attach: 'two', node: 'a' as NodeId, incarnation: 'a' });
  if (own.is !== 'ok') throw new Error('Expected a seat.');
  await seats.adopt(ADA, { ...(own.facts.seats[0] as (typeof own.facts.seats)[number]) }, LIMITS.ttlMs);
  expect((await cutOff.seats.evict(ADA, 'mgr_own' as ManagerId, own.token, 'lowest-value', LIMITS)).is).toBe('ok');
  await cutOff.comeBack();
  expect((await seats.facts(ADA, LIMITS)).seats.map((seat) => seat.manager)).toEqual([manager]);
});

/** A connection to Redis was given up, and what had been sent over it arrived after all, when everything had been told anew: a manager had its
 *  seat under a newer token of the same node. Its next renewal would have found that. Where the user was near the limit, the check of
 *  records came first: it took the manager for one whose seat another node has, and its page was closed. */

import { expect, it } from 'vitest';
import type { SeatLimits } from '../../src/ports/store.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { bareNode, eventually } from '../support/bare-node.ts';

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
  ttlMs: 90_000,
  tombstoneMs: 60_000,
};

it('a seat that the store has given the same manager once more stays its own', async () => {
  const store = memoryStore({ cluster: true });
  const lease = { ttlMs: 90_000, renewMs: 30_000 };
  await using node = await bareNode({ store, node: 'a', limits: { perUser: 2 }, cleanup: { passMs: 500 }, lease });
  await node.connect(ADA);
  const { admission, client } = await node.connect(ADA);
  const life = node.factory.cluster?.life;
  if (admission.kind !== 'seated' || life === undefined) throw new Error('Expected a seat on a shared store.');
  const { manager } = admission;
  const mismatches: string[] = [];
  node.factory.on('mismatch-found', ({ kind }) => mismatches.push(kind));
  const late = await store.seats.admit({ user: ADA, manager: manager.id, attach: 'late', ...life, class: 'user', mayBurst: false, limits: LIMITS });
  if (late.is !== 'ok') throw new Error('Expected the seat to be given again.');
  await eventually('the check to find it', () => mismatches.includes('seat-without-manager'));
  await eventually('it to hold the seat as the store knows it', () => manager.seat?.token === late.token);
  expect(node.factory.find(manager.id)).toBe(manager);
  expect(node.told('manager-ended')).toEqual([]);
  expect(client.frames.filter(({ type }) => type === 'bye')).toEqual([]);
  expect((await store.seats.facts(ADA, LIMITS)).seats).toHaveLength(2);
});

/** What a Redis kept of one person's seats was not what it should be: somebody had written another key there. A node could not renew that one
 *  seat, took it twice for an outage of the store, and served everybody alone from then on, since it could not come back without it. The
 *  seats of all others ended in the store meanwhile. */

import { expect, it } from 'vitest';
import type { SeatLimits, Store } from '../../src/ports/store.ts';
import { SpillwayError } from '../../src/protocol/errors.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { bareNode, eventually } from '../support/bare-node.ts';
import { FaultyStore } from '../support/faulty-store.ts';

const EVE = 'eve' as UserId;
const broken = (): never => {
  throw new SpillwayError('SPILLWAY_STORE_BROKEN', 'Expected Redis to take seat-renew, but it said: WRONGTYPE.', { retry: 'never' });
};

/** Renews whom it can, and says so only if it could renew all, as Redis is asked. */
function withBrokenRecord(store: Store): Store & { renewals: number } {
  const { seats } = store;
  const own: Store & { renewals: number } = Object.assign(Object.create(store) as Store, {
    renewals: 0,
    seats: {
      ...seats,
      renew: async (...[node, batch, ttlMs]: Parameters<typeof seats.renew>) => {
        own.renewals++;
        const answers = await seats.renew(
          node,
          batch.filter(({ user }) => user !== EVE),
          ttlMs,
        );
        return batch.some(({ user }) => user === EVE) ? broken() : answers;
      },
      adopt: async (...a: Parameters<typeof seats.adopt>) => (a[0] === EVE ? broken() : await seats.adopt(...a)),
      release: async (...a: Parameters<typeof seats.release>) => (a[0] === EVE ? broken() : await seats.release(...a)),
    },
  });
  return own;
}

it('a seat that cannot be renewed is nobody else’s trouble', async () => {
  const shared = memoryStore({ cluster: true });
  const store = withBrokenRecord(shared);
  await using node = await bareNode({ store, node: 'a', lease: { ttlMs: 6_000, renewMs: 1_000 } });
  const ada = (await node.connect('ada')).admission;
  await node.connect(EVE);
  for (let i = 0; i < 5; i++) await node.connect(`user-${i}`);
  if (ada.kind !== 'seated') throw new Error(`Expected a seat, got ${ada.kind}.`);
  const { manager } = ada;
  // The store forgets it.
  await shared.seats.release('ada' as UserId, manager.id, manager.seat?.token ?? 0, LIMITS);
  await eventually('it to be put back', async () => (await shared.seats.facts('ada' as UserId, LIMITS)).seats.length === 1);
  await eventually('three renewals', () => store.renewals > 12);
  expect(node.factory.telemetry.gauges().storeFailOpen).toBe(false);
  expect(node.records.some(({ event }) => event === 'lease-renewal-failed')).toBe(true);
  expect(node.factory.telemetry.gauges().leaseRemainingMs).toBeGreaterThan(3_000);
});

it('nor is one that ended while the store was away', async () => {
  const road = new FaultyStore(withBrokenRecord(memoryStore({ cluster: true })));
  await using node = await bareNode({ store: road, node: 'a' });
  const { admission } = await node.connect(EVE);
  if (admission.kind !== 'seated') throw new Error(`Expected a seat, got ${admission.kind}.`);
  road.away();
  await node.connect('ada');
  expect(node.factory.telemetry.gauges().storeFailOpen).toBe(true);
  await admission.manager.release();
  road.back();
  await eventually('the store to be asked again', () => !node.factory.telemetry.gauges().storeFailOpen);
});

const LIMITS: SeatLimits = {
  soft: 20,
  hard: 25,
  burstForMs: 60_000,
  coolDownMs: 60_000,
  debtMaxMs: 60_000,
  places: 10,
  waitMs: 10_000,
  promiseMs: 5_000,
  ttlMs: 6_000,
  tombstoneMs: 60_000,
};

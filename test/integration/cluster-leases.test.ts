/** Seats on a store that nodes share: who holds one keeps it unless somebody has really taken it, and then hears why. */

import { expect, test } from 'vitest';
import type { ManagerId, UserId } from '../../src/protocol/ids.ts';
import type { EvictReason } from '../../src/protocol/reasons.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { type BareNode, bareNode, eventually, type Session } from '../support/bare-node.ts';

const QUICK = { lease: { ttlMs: 90_000, renewMs: 300 } } as const;
const ADA = 'ada' as UserId;

function seated({ admission }: Session) {
  if (admission.kind !== 'seated') throw new Error(`Expected a seat, got ${admission.kind}.`);
  return admission;
}
const idOf = (session: Session): ManagerId => seated(session).manager.id;
const factsAt = ({ factory }: BareNode) => factory.store.seats.facts(ADA, LIMITS);
const LIMITS = {
  soft: 20,
  hard: 25,
  burstForMs: 60_000,
  coolDownMs: 60_000,
  debtMaxMs: 60_000,
  places: 10,
  waitMs: 10_000,
  promiseMs: 5_000,
  ttlMs: 3_000,
  tombstoneMs: 60_000,
};

/** Two nodes on one store. */
async function pair(renewMs: number = QUICK.lease.renewMs) {
  const store = memoryStore({ cluster: true });
  const a = await bareNode({ store, node: 'a', lease: { ...QUICK.lease, renewMs } });
  const b = await bareNode({ store, node: 'b', lease: { ...QUICK.lease, renewMs } });
  return {
    store,
    a,
    b,
    async [Symbol.asyncDispose]() {
      await a[Symbol.asyncDispose]();
      await b[Symbol.asyncDispose]();
    },
  };
}

test('a session that comes back at another node takes its seat along, and the old node lets it go at once', async () => {
  // No renewal tells it.
  await using nodes = await pair(30_000);
  const before = await nodes.a.connect('ada');
  const resume = { manager: idOf(before), serial: seated(before).manager.serial };
  const after = await nodes.b.connect('ada', { resume, client: { label: 'Tablet' } as never });
  expect(idOf(after)).toBe(idOf(before));
  const bye = await before.client.next('bye');
  expect(bye).toMatchObject({ code: 4205, reason: 'superseded' });
  expect(nodes.a.factory.find(idOf(before))).toBeUndefined();
  expect(nodes.a.told('manager-ended')).toMatchObject([{ managerId: idOf(before), reason: 'superseded' }]);
  const { seats } = await factsAt(nodes.b);
  expect(seats.map(({ manager, node }) => [manager, node])).toEqual([[idOf(before), 'b']]);
});

test('one whose connection was gone already is let go without a word, and its return there is no second seat', async () => {
  await using nodes = await pair();
  const before = await nodes.a.connect('ada');
  const id = idOf(before);
  const { serial } = seated(before).manager;
  before.transport.terminate();
  await eventually('the old node to notice', () => seated(before).manager.attachment === null);
  const there = await nodes.b.connect('ada', { resume: { manager: id, serial } });
  await eventually('the old node to let go', () => nodes.a.factory.find(id) === undefined);
  const back = await nodes.a.connect('ada', { resume: { manager: id, serial: seated(there).manager.serial } });
  expect(idOf(back)).toBe(id);
  await eventually('the other node to let go', () => nodes.b.factory.find(id) === undefined);
  expect((await factsAt(nodes.a)).seats.map(({ node }) => node)).toEqual(['a']);
});

test('a store that forgot a seat gets it back, and nobody is cut', async () => {
  await using nodes = await pair();
  const ada = await nodes.a.connect('ada');
  const { token } = seated(ada).manager.seat as { token: number };
  await nodes.store.seats.release(ADA, idOf(ada), token, LIMITS);
  expect((await factsAt(nodes.b)).seats).toEqual([]);
  await eventually('the seat to be back', async () => (await factsAt(nodes.b)).seats.some((seat) => seat.manager === idOf(ada) && seat.token === token));
  expect(seated(ada).manager.seat?.token).toBe(token);
  expect(nodes.a.told('manager-ended')).toEqual([]);
});

for (const [reason, code, level] of [
  ['lowest-value', 4201, 'force'],
  ['idle-over-limit', 4200, 'aggressive'],
  ['admin-evicted', 4204, 'force'],
] as const satisfies readonly (readonly [EvictReason, number, string])[])
  test(`a seat that was taken in the store for ${reason} ends here with that reason, explained`, async () => {
    await using nodes = await pair();
    const ada = await nodes.a.connect('ada');
    await nodes.store.seats.evict(ADA, idOf(ada), seated(ada).manager.seat?.token ?? 0, reason, LIMITS);
    expect(await ada.client.next('bye')).toMatchObject({ code, reason, explain: { level } });
    expect(nodes.a.told('manager-ended')).toMatchObject([{ managerId: idOf(ada), reason }]);
    expect(nodes.a.factory.find(idOf(ada))).toBeUndefined();
  });

test('one that was taken for dead while its node stalled is sent back without alarm', async () => {
  await using nodes = await pair();
  const ada = await nodes.a.connect('ada');
  await nodes.store.seats.evict(ADA, idOf(ada), seated(ada).manager.seat?.token ?? 0, 'node-dead', LIMITS);
  expect(await ada.client.next('bye')).toMatchObject({ code: 4000, return: 'now', reason: 'node-dead', text: '' });
});

test('seats of a node that is gone are taken for whoever needs one, before their leases end', async () => {
  const store = memoryStore({ cluster: true });
  const options = { node: 'a', store, limits: { perUser: 2, burst: { perUser: 2 } }, lease: { ttlMs: 60_000, renewMs: 10_000 } };
  const a = await bareNode(options);
  await using b = await bareNode({ ...options, node: 'b' });
  await a.connect('ada');
  await a.connect('ada');
  await eventually('each to know the other', () => b.factory.cluster?.nodes().length === 2);
  await eventually('the store to be believed', () => b.factory.cluster?.nodes()[1]?.standing === 'alive');
  // It leaves, with its managers' seats still in the store.
  await a[Symbol.asyncDispose]();
  await eventually('the death to be seen', () => b.factory.cluster?.nodes()[1]?.standing === 'dead', 8_000);
  const next = await b.connect('ada');
  expect(seated(next).how).toBe('after-cleanup');
});

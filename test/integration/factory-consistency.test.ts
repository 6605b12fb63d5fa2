/** Records that disagree are found, those on their way are not, and what is proved is repaired. */

import { expect, test, vi } from 'vitest';
import { seatLimitsOf } from '../../src/managers/admission/seat-limits.ts';
import type { FactoryEvents } from '../../src/managers/events.ts';
import type { WebSocketManager } from '../../src/managers/manager.ts';
import type { ManagerId, UserId } from '../../src/protocol/ids.ts';
import { FaultyStore } from '../support/faulty-store.ts';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';

const SLOW = 10_000;
const ADA = 'ada' as UserId;
/** Four seats, and nothing repairs by itself. */
const ALONE = { limits: { perUser: 4, burst: { perUser: 4 } }, cleanup: { proactive: false } } as const;
/** Three of four are enough for the background pass to compare records, twice a second. */
const WATCHED = { limits: { perUser: 4, burst: { perUser: 4 } }, timing: 'fast' } as const;

const managerOf = (gw: TestGateway, id: string): WebSocketManager => gw.gateway.factory.find(id as ManagerId) as WebSocketManager;
const differences = async (gw: TestGateway) => (await gw.gateway.factory.checkConsistency()).differences;
const seatsIn = async (gw: TestGateway, store: FaultyStore) =>
  (await store.seats.facts(ADA, seatLimitsOf(gw.gateway.factory.options))).seats.map((s) => s.manager);
const endsOf = (gw: TestGateway): FactoryEvents['manager-ended'][] => {
  const ends: FactoryEvents['manager-ended'][] = [];
  gw.gateway.on('manager-ended', (end) => ends.push(end));
  return ends;
};
const seat = (gw: TestGateway, count: number) => Promise.all(Array.from({ length: count }, async () => (await gw.seat('ada')).client.behave()));

test('a gateway at work has no differences: seated, waiting, lost and leaving clients, of several users', async () => {
  await using gw = await startGateway({ limits: { perUser: 2, burst: { perUser: 2 } }, cleanup: { proactive: false }, queue: { waitMs: 5_000 } });
  const [first] = [await gw.seat('ada'), await gw.seat('ada'), await gw.seat('ben')];
  const waiting = await gw.open();
  waiting.sendFrame({ ...HELLO, token: await gw.token('ada') });
  await waiting.next('queued');
  expect(await differences(gw)).toEqual([]);
  first.client.cut();
  for (let i = 0; i < 20; i++) {
    expect(await differences(gw)).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await waiting.next('ready');
  expect(await differences(gw)).toEqual([]);
});

test('an eviction under way is a transition', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ ...ALONE, store });
  const { ready } = await gw.seat('ada');
  const held = store.hold('seats.evict');
  const evicted = gw.gateway.factory.evict(ready.manager, { reason: 'admin-evicted', by: null });
  await held.reached;
  const looked = differences(gw);
  held.release();
  await evicted;
  expect(await looked).toEqual([]);
});

test('the store could not be told of a leave: its seat is held by nobody here, until the background pass gives it back', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ ...WATCHED, store });
  const ends = endsOf(gw);
  await seat(gw, 3);
  const { client, ready } = await gw.seat('ada');
  store.fail('seats.release');
  client.sendFrame({ type: 'bye', reason: 'left' });
  await vi.waitUntil(() => gw.gateway.factory.find(ready.manager) === undefined, SLOW);
  expect(await differences(gw)).toEqual([{ kind: 'seat-without-manager', user: 'ada', detail: expect.stringContaining(ready.manager) }]);
  expect(await seatsIn(gw, store)).toHaveLength(4);
  store.heal('seats.release');
  await vi.waitUntil(async () => (await seatsIn(gw, store)).length === 3, SLOW);
  expect(await differences(gw)).toEqual([]);
  expect(ends.filter((e) => e.managerId === ready.manager).map((e) => e.reason)).toEqual(['client-closed', 'ghost']);
});

test('the store forgot a live manager: it is put back, and its client notices nothing', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ ...WATCHED, store });
  await seat(gw, 2);
  const { client, ready } = await gw.seat('ada');
  client.behave();
  const token = managerOf(gw, ready.manager).seat?.token ?? 0;
  await store.seats.release(ADA, ready.manager as ManagerId, token, seatLimitsOf(gw.gateway.factory.options));
  expect(await differences(gw)).toEqual([{ kind: 'manager-without-seat', user: 'ada', detail: expect.stringContaining(ready.manager) }]);
  await vi.waitUntil(async () => (await seatsIn(gw, store)).includes(ready.manager), SLOW);
  expect(await differences(gw)).toEqual([]);
  expect(client.isOpen).toBe(true);
  expect(managerOf(gw, ready.manager).seat?.token).toBe(token);
});

test('the store gave its seat away for good: the manager ends, and its client is told that it goes on elsewhere', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ ...WATCHED, store });
  const ends = endsOf(gw);
  await seat(gw, 2);
  const { client, ready } = await gw.seat('ada');
  const token = managerOf(gw, ready.manager).seat?.token ?? 0;
  await store.seats.evict(ADA, ready.manager as ManagerId, token, 'lowest-value', seatLimitsOf(gw.gateway.factory.options));
  expect((await client.close()).code).toBe(4205);
  expect(ends).toEqual([{ managerId: ready.manager, user: 'ada', reason: 'superseded' }]);
  await vi.waitUntil(async () => (await differences(gw)).length === 0, SLOW);
});

test('a manager that believes in a socket that has closed', async () => {
  await using gw = await startGateway(ALONE);
  const { ready } = await gw.seat('ada');
  managerOf(gw, ready.manager).attachment?.socket.gone();
  expect(await differences(gw)).toMatchObject([{ kind: 'attachment-without-socket', user: 'ada' }]);
});

test('a socket that its manager has forgotten is found, and ended by the background pass', async () => {
  await using gw = await startGateway(WATCHED);
  await seat(gw, 2);
  const { client, ready } = await gw.seat('ada');
  const manager = managerOf(gw, ready.manager);
  if (manager.attachment) manager.transportLost(manager.attachment, 'transport-lost');
  expect(await differences(gw)).toMatchObject([{ kind: 'socket-without-manager', user: 'ada' }]);
  expect((await client.close()).code).toBe(1006);
  await vi.waitUntil(async () => (await differences(gw)).length === 0, SLOW);
});

test('while the store cannot be asked, nothing is proved', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ ...ALONE, store });
  await gw.seat('ada');
  store.fail('seats.facts');
  await expect(gw.gateway.factory.checkConsistency()).rejects.toMatchObject({ code: 'SPILLWAY_STORE_UNAVAILABLE' });
});

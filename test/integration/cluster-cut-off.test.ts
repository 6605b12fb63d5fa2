/** A node that cannot ask the shared store goes on serving, within bounds, and what it did alone is made good when it can. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PartialOptions } from '../../src/core/options.ts';
import type { SeatLimits, Store } from '../../src/ports/store.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { type BareNode, bareNode, eventually, type Session } from '../support/bare-node.ts';
import { FaultyStore } from '../support/faulty-store.ts';

const ADA = 'ada' as UserId;
/** What a client of Redis waits for an answer. */
const DEADLINE_MS = 150;
const OPTIONS = {
  limits: { perUser: 8, burst: { perUser: 10 } },
  lease: { ttlMs: 20_000, renewMs: 5_000 },
  queue: { waitMs: 1_000 },
} as const satisfies PartialOptions;
const LIMITS: SeatLimits = {
  soft: 8,
  hard: 10,
  burstForMs: 60_000,
  coolDownMs: 60_000,
  debtMaxMs: 60_000,
  places: 10,
  waitMs: 10_000,
  promiseMs: 5_000,
  ttlMs: 20_000,
  tombstoneMs: 60_000,
};

let shared: Store;
let road: FaultyStore;
let a: BareNode;
let b: BareNode;

beforeEach(async () => {
  shared = memoryStore({ cluster: true });
  road = new FaultyStore(shared);
  a = await bareNode({ store: road, node: 'a', ...OPTIONS });
  b = await bareNode({ store: shared, node: 'b', ...OPTIONS });
  await eventually('the nodes to know each other', () => a.factory.cluster?.living === 2 && b.factory.cluster?.living === 2);
});
afterEach(async () => {
  road.back();
  await Promise.all([a, b].map((node) => node[Symbol.asyncDispose]()));
});

const seated = ({ admission }: Session) => {
  if (admission.kind !== 'seated') throw new Error(`Expected a seat, got ${admission.kind}.`);
  return admission;
};
const idOf = (session: Session) => seated(session).manager.id;
const open = async (node: BareNode, count: number): Promise<readonly Session[]> => {
  const sessions: Session[] = [];
  for (let i = 0; i < count; i++) sessions.push(await node.connect('ada'));
  return sessions;
};
const inStore = async () => (await shared.seats.facts(ADA, LIMITS)).seats;
const isAlone = (node: BareNode) => node.factory.telemetry.gauges().storeFailOpen;
const here = (node: BareNode) => node.factory.list(ADA).length;

async function timed<T>(act: () => Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const startedAt = performance.now();
  const value = await act();
  return { value, ms: performance.now() - startedAt };
}

test('cut off, it admits up to its share of the limit, each within half a second; back, all are in the store', async () => {
  await open(b, 3);
  await open(a, 2);
  road.away(DEADLINE_MS);
  const first = await timed(() => a.connect('ada'));
  expect(first.value.admission.kind).toBe('seated');
  expect(first.ms).toBeLessThan(500);
  expect(isAlone(a)).toBe(true);
  // Nobody pays for the deadline any more.
  const refused = road.refused;
  const second = await timed(() => a.connect('ada'));
  expect(second.ms).toBeLessThan(DEADLINE_MS);
  expect(second.value.admission.kind).toBe('seated');
  expect(road.refused - refused).toBeLessThan(3);
  expect(here(a)).toBe(4);
  road.back();
  await eventually('the store to be asked again', () => !isAlone(a));
  const seats = await inStore();
  expect(seats).toHaveLength(7);
  for (const manager of a.factory.list(ADA)) expect(seats.find((seat) => seat.manager === manager.id)?.token).toBe(manager.seat?.token);
  expect(a.told('manager-ended')).toEqual([]);
  expect(b.told('manager-ended')).toEqual([]);
});

test('at its share it takes one seat for one of its own, touches nobody elsewhere, and starts no burst', async () => {
  const there = await open(b, 3);
  const own = await open(a, 5);
  road.away(DEADLINE_MS);
  // Half of 8 over two nodes is 4, and 5 are here: nobody has to go because of that.
  const { value: next, ms } = await timed(() => a.connect('ada'));
  expect(ms).toBeLessThan(500);
  const outcome = next.admission.kind === 'queued' ? await next.admission.outcome : next.admission;
  expect(outcome).toMatchObject({ kind: 'seated', how: 'force' });
  expect(here(a)).toBe(5);
  const gone = own.filter((session) => a.factory.find(idOf(session)) === undefined);
  expect(gone).toHaveLength(1);
  expect(await (gone[0] as Session).client.next('bye')).toMatchObject({ reason: 'lowest-value', code: 4201 });
  expect(here(b)).toBe(3);
  road.back();
  await eventually('the store to be asked again', () => !isAlone(a));
  const seats = await inStore();
  expect(seats).toHaveLength(8);
  expect(seats.map((seat) => seat.manager)).not.toContain(idOf(gone[0] as Session));
  expect(there.map((session) => b.factory.find(idOf(session)) !== undefined)).toEqual([true, true, true]);
});

test('where it held more than its share, a newcomer gets the seat of who left, and nobody else goes', async () => {
  const sessions = await open(a, 6);
  road.away(DEADLINE_MS);
  seated(await a.connect('bob'));
  const gone = seated(sessions[0] as Session).manager;
  await a.factory.leave(gone, 'client-closed');
  const newcomer = await a.connect('ada');
  expect(isAlone(a)).toBe(true);
  expect(seated(newcomer).how).toBe('direct');
  expect(a.told('manager-ended').map(({ managerId }) => managerId)).toEqual([gone.id]);
  expect(here(a)).toBe(6);
});

test('what left meanwhile is free in the store, what others took meanwhile ends here, and its reason is told', async () => {
  const [leaving, taken, staying] = (await open(a, 3)) as unknown as [Session, Session, Session];
  road.away();
  await eventually('it to notice by itself', () => isAlone(a), 10_000);
  await seated(leaving).manager.release();
  await shared.seats.evict(ADA, idOf(taken), seated(taken).manager.seat?.token ?? 0, 'user-freed', LIMITS);
  road.back();
  await eventually('the store to be asked again', () => !isAlone(a));
  expect((await inStore()).map((seat) => seat.manager)).toEqual([idOf(staying)]);
  expect(await taken.client.next('bye')).toMatchObject({ reason: 'user-freed' });
  expect(here(a)).toBe(1);
});

test('what the store did with what it had answered too late costs nobody a seat', async () => {
  await open(a, 1);
  road.belate('seats.admit');
  const late = await a.connect('ada');
  expect(late.admission.kind).toBe('seated');
  expect(isAlone(a)).toBe(true);
  await road.land();
  await eventually('the store to be asked again', () => !isAlone(a));
  expect(a.factory.find(idOf(late))).toBeDefined();
  const seats = await inStore();
  expect(seats).toHaveLength(2);
  expect(seats.find((seat) => seat.manager === idOf(late))?.token).toBe(seated(late).manager.seat?.token);
  expect(late.client.frames.filter((frame) => frame.type === 'bye')).toEqual([]);
});

const resumeOf = (session: Session) => ({ manager: idOf(session), serial: seated(session).manager.serial });
const byesOf = ({ client }: Session) => client.frames.filter((frame) => frame.type === 'bye');
const lost = async (session: Session): Promise<void> => {
  const { manager } = seated(session);
  session.transport.terminate();
  await eventually('the loss to be noticed', () => manager.attachment === null);
};

test('who came by while it was cut off and went back elsewhere stays there, and hears nothing', async () => {
  const before = await b.connect('ada');
  await lost(before);
  road.away();
  const visit = await a.connect('ada', { resume: resumeOf(before) });
  expect(idOf(visit)).toBe(idOf(before));
  await lost(visit);
  const back = await b.connect('ada', { resume: resumeOf(before) });
  expect(idOf(back)).toBe(idOf(before));
  road.back();
  await eventually('the store to be asked again', () => !isAlone(a));
  expect(here(a)).toBe(0);
  expect(b.factory.find(idOf(back))).toBe(seated(back).manager);
  expect((await inStore()).map(({ node }) => node)).toEqual(['b']);
  expect(byesOf(back)).toEqual([]);
});

test('who left it while it was cut off and came back stays here, and hears nothing', async () => {
  const before = await a.connect('ada');
  await lost(before);
  road.away();
  await eventually('it to notice', () => isAlone(a), 10_000);
  const visit = await b.connect('ada', { resume: resumeOf(before) });
  expect(idOf(visit)).toBe(idOf(before));
  await lost(visit);
  const back = await a.connect('ada', { resume: resumeOf(visit) });
  expect(idOf(back)).toBe(idOf(before));
  road.back();
  await eventually('the store to be asked again', () => !isAlone(a));
  expect(a.factory.find(idOf(back))?.attachment).toBe(seated(back).attachment);
  await eventually('the other node to let go', () => here(b) === 0);
  expect(await inStore()).toMatchObject([{ node: 'a', token: seated(back).manager.seat?.token }]);
  expect(byesOf(back)).toEqual([]);
});

test('one answer that is lost is no outage', async () => {
  road.fail('seats.facts', 1);
  road.loseAnswers('seats.admit', 1);
  const session = await a.connect('ada');
  expect(session.admission.kind).toBe('seated');
  expect(isAlone(a)).toBe(false);
  expect(await inStore()).toHaveLength(1);
});

test('who waits when the store goes away waits no longer than was said', async () => {
  await open(b, 10);
  const { admission } = await a.connect('ada', { waitMs: 1_000 });
  if (admission.kind !== 'queued') throw new Error(`Expected a place in the queue, got ${admission.kind}.`);
  road.away(DEADLINE_MS);
  const { value, ms } = await timed(() => admission.outcome);
  expect(value.kind).toBe('seated');
  expect(ms).toBeLessThan(1_500);
});

test('who waits when the store comes back waits no longer than was said', async () => {
  await open(a, 4);
  await open(b, 6);
  road.away();
  const { admission } = await a.connect('ada', { waitMs: 1_000 });
  if (admission.kind !== 'queued') throw new Error(`Expected a place in the queue, got ${admission.kind}.`);
  const waits = timed(() => admission.outcome);
  road.back();
  await eventually('the store to be asked again', () => !isAlone(a));
  const { value, ms } = await waits;
  expect(value.kind).toBe('seated');
  expect(ms).toBeLessThan(1_500);
  expect(await inStore()).toHaveLength(10);
});

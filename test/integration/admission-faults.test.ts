/** What can go wrong between a hello and a seat: nobody is left waiting, no seat is left behind. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { FaultyStore, type StoreCall } from '../support/faulty-store.ts';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';
import type { WireFrame } from '../support/wire-client.ts';

const resumeOf = (ready: WireFrame) => ({ resume: { manager: ready.manager, token: ready.resumeToken, subs: [] } });
/** One seat, no burst: the second session meets cleanup, queue and Force. */
const ONE = { limits: { perUser: 1, burst: { perUser: 1 } }, queue: { waitMs: 1_000 } } as const;

/** Waits for what nobody announces, under a deadline. */
async function until(what: string, holds: () => boolean, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Expected ${what} within ${withinMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const status = (gw: TestGateway) => gw.gateway.factory.getFactoryStatus();

for (const call of ['seats.facts', 'seats.admit'] as const satisfies readonly StoreCall[]) {
  test(`the store fails in ${call}: come back now, nothing is left behind, and then it works`, async () => {
    const store = new FaultyStore();
    await using gw = await startGateway({ store });
    store.fail(call);
    const client = await gw.open();
    client.sendFrame({ ...HELLO, token: await gw.token('ada') });
    expect(await client.next('bye')).toMatchObject({ code: 4009, name: 'internal-error', return: 'now' });
    expect((await client.close()).code).toBe(4009);
    await until('no socket to be counted', () => status(gw).sockets === 0);
    expect(status(gw)).toMatchObject({ seats: 0, queued: 0, users: 0 });
    store.heal(call);
    expect((await gw.seat('ada')).ready.limits).toMatchObject({ used: 1, sockets: 1 });
  });
}

test('the store fails once in the queue: it is asked again, and nobody notices', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ store, ...ONE, queue: { waitMs: 5_000 } });
  const { client: first } = await gw.seat('ada');
  const waiting = await gw.open();
  waiting.sendFrame({ ...HELLO, token: await gw.token('ada') });
  await waiting.next('queued');
  store.fail('seats.facts', 1);
  first.sendFrame({ type: 'bye', reason: 'left' });
  await waiting.next('ready');
  expect(status(gw)).toMatchObject({ seats: 1, queued: 0 });
});

test('the store goes on failing in the queue: the person who waits is sent back at once, and the place is free', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ store, ...ONE, queue: { waitMs: 5_000 } });
  const { client: first } = await gw.seat('ada');
  const waiting = await gw.open();
  waiting.sendFrame({ ...HELLO, token: await gw.token('ada') });
  await waiting.next('queued');
  store.fail('seats.facts');
  const failingSince = performance.now();
  first.sendFrame({ type: 'bye', reason: 'left' });
  expect((await waiting.close()).code).toBe(4009);
  expect(performance.now() - failingSince).toBeLessThan(2_000);
  store.heal('seats.facts');
  const again = await gw.open();
  again.sendFrame({ ...HELLO, token: await gw.token('ada') });
  await again.next('ready');
  expect(status(gw)).toMatchObject({ seats: 1, queued: 0 });
});

for (const call of ['seats.replace', 'seats.evict'] as const satisfies readonly StoreCall[]) {
  test(`the store fails in ${call} once: the person is seated all the same, or told to come back now`, async () => {
    const store = new FaultyStore();
    await using gw = await startGateway({ store, ...ONE });
    const { client: first } = await gw.seat('ada');
    if (call === 'seats.evict') {
      first.cut();
      await until('the first to be without transport', () => status(gw).sockets === 0);
    }
    store.fail(call, 1);
    const token = await gw.token('ada');
    const second = await gw.open();
    second.sendFrame({ ...HELLO, token });
    const end = await second.nextWhere('ready or bye', (f) => f.type === 'ready' || f.type === 'bye');
    if (end.type === 'bye') expect(end.return).toBe('now');
    const third = await gw.open();
    third.sendFrame({ ...HELLO, token });
    await third.next('ready');
    await until('one seat', () => status(gw).seats === 1);
  });
}

test('a store that fails has no say in a return to a seat that is held here', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ store });
  const { client, ready } = await gw.seat('ada');
  client.cut();
  store.fail('seats.facts');
  const { client: back, ready: again } = await gw.seat('ada', resumeOf(ready));
  expect(again).toMatchObject({ manager: ready.manager, resume: 'attached', limits: { used: 1 } });
  back.sendFrame({ type: 'check', n: 1 });
  await back.next('check-ok');
});

test('an issuer that never answers: the connection is ended in the time of a hello', async () => {
  await using gw = await startGateway({ timing: 'fast', authenticate: () => new Promise(() => {}) });
  const client = await gw.open();
  client.sendFrame({ ...HELLO, token: 'any' });
  expect(await client.next('bye')).toMatchObject({ code: 4009, return: 'now' });
});

test('somebody who is gone before the queue takes them in costs nobody a seat', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ store, ...ONE });
  const { client: first } = await gw.seat('ada');
  const held = store.hold('seats.enqueue');
  const second = await gw.open();
  second.sendFrame({ ...HELLO, token: await gw.token('ada') });
  await held.reached;
  second.cut();
  await until('the socket to be gone', () => status(gw).sockets === 1);
  held.release();
  await until('nobody to wait', () => status(gw).queued === 0);
  // Longer than the queue's patience, at the end of which Force would have taken the seat.
  await expect(first.nextWhere('an eviction', (f) => f.type === 'bye')).rejects.toThrow('within');
  expect(first.isOpen).toBe(true);
});

test('somebody who is gone before the seat is given leaves no seat behind', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ store });
  const held = store.hold('seats.admit');
  const admitted = new Promise((resolve) => gw.gateway.on('admission-ended', resolve));
  const client = await gw.open();
  client.sendFrame({ ...HELLO, token: await gw.token('ada') });
  await held.reached;
  client.cut();
  await until('the socket to be gone', () => status(gw).sockets === 0);
  held.release();
  await admitted;
  await until('no seat to be held', () => status(gw).seats === 0 && status(gw).users === 0);
});

test('a goodbye that comes together with the hello is heard, also while the user is still looked up', async () => {
  await using gw = await startGateway(ONE);
  const { client: first } = await gw.seat('ada');
  const brief = await gw.open();
  brief.sendFrame({ ...HELLO, token: await gw.token('ada') });
  brief.sendFrame({ type: 'bye', reason: 'left' });
  expect((await brief.close()).code).toBe(1000);
  await until('nobody to wait', () => status(gw).queued === 0);
  first.sendFrame({ type: 'check', n: 1 });
  await first.next('check-ok');
  expect(status(gw)).toMatchObject({ seats: 1, sockets: 1 });
});

test('two returns with one token at the same moment: one connection goes on, the other is told, nothing is crossed', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ store });
  const { client, ready } = await gw.seat('ada');
  client.cut();
  const token = await gw.token('ada');
  for (let round = 0; round < 5; round++) {
    const held = store.hold('seats.facts');
    const both = await Promise.all([gw.open(), gw.open()]);
    for (const one of both) one.sendFrame({ ...HELLO, token, ...resumeOf(ready) });
    await Promise.all(both.map((one) => one.next('welcome')));
    held.release();
    store.heal('seats.facts');
    await until('one of them to be told', () => both.some((one) => one.frames.some((f) => f.type === 'bye')));
    const [told] = both.filter((one) => one.frames.some((f) => f.type === 'bye'));
    const [stays] = both.filter((one) => one !== told);
    expect(await told?.next('bye')).toMatchObject({ code: 4205 });
    await stays?.next('ready');
    stays?.sendFrame({ type: 'subscribe', sub: 1, thread: `t${round}`, from: 'start' });
    await stays?.next('replayed');
    expect(stays?.frames.filter((f) => f.type === 'ready')).toHaveLength(1);
    expect(told?.frames.filter((f) => f.type === 'subscribed' || f.type === 'replayed')).toEqual([]);
    await told?.close();
    stays?.cut();
    await until('both sockets to be gone', () => status(gw).sockets === 0);
    expect(status(gw).seats).toBe(1);
    // The newest token was never confirmed by a frame before this round: the client of this test keeps using the one it has.
    Object.assign(ready, { resumeToken: stays?.frames.find((f) => f.type === 'ready')?.resumeToken });
  }
});

test('frames sent before `ready` do not show that `ready` arrived: the token before it still counts', async () => {
  await using gw = await startGateway();
  const { client, ready } = await gw.seat('ada');
  client.cut();
  const second = await gw.open();
  second.sendFrame({ ...HELLO, token: await gw.token('ada'), ...resumeOf(ready) });
  second.sendFrame({ type: 'subscribe', sub: 1, thread: 't' });
  await second.next('subscribed');
  // It never read `ready`.
  second.cut();
  const { ready: again } = await gw.seat('ada', resumeOf(ready));
  expect(again).toMatchObject({ manager: ready.manager, resume: 'attached' });
});

test('readmitted, and `ready` is lost: the token before it still leads to the same manager', async () => {
  await using gw = await startGateway();
  const { client, ready } = await gw.seat('ada');
  client.sendFrame({ type: 'bye', reason: 'parked' });
  await client.close();
  const { client: second, ready: readmitted } = await gw.seat('ada', resumeOf(ready));
  expect(readmitted).toMatchObject({ manager: ready.manager, resume: 'readmitted' });
  second.cut();
  const { ready: again } = await gw.seat('ada', resumeOf(ready));
  expect(again).toMatchObject({ manager: ready.manager, resume: 'attached', limits: { used: 1 } });
});

test('a return while its eviction is under way: seated again under its id, and nobody is told twice', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ store });
  const { client, ready } = await gw.seat('ada');
  client.cut();
  await until('it to be without transport', () => status(gw).sockets === 0);
  const held = store.hold('seats.evict');
  const freed = gw.gateway.factory.cleanup('ada' as never, { upTo: 'conservative' });
  await held.reached;
  const back = await gw.open();
  back.sendFrame({ ...HELLO, token: await gw.token('ada'), ...resumeOf(ready) });
  await back.next('welcome');
  held.release();
  await freed;
  expect(await back.next('ready')).toMatchObject({ manager: ready.manager });
  back.sendFrame({ type: 'check', n: 1 });
  await back.next('check-ok');
  expect(back.frames.some((f) => f.type === 'bye')).toBe(false);
  expect(status(gw)).toMatchObject({ seats: 1, sockets: 1 });
});

test('an application releases a manager: its client is told at once', async () => {
  await using gw = await startGateway();
  const { client, ready } = await gw.seat('ada');
  await gw.gateway.factory.find(ready.manager)?.release();
  expect((await client.close()).code).toBe(1000);
  expect(status(gw).seats).toBe(0);
});

test('`ready` comes before any notice, also for the one whose arrival starts a burst', async () => {
  await using gw = await startGateway({ limits: { perUser: 1, burst: { perUser: 3 } } });
  await gw.seat('ada');
  const { client } = await gw.seat('ada');
  expect(client.frames.slice(0, 2).map((f) => f.type)).toEqual(['welcome', 'ready']);
});

test('a Host that hides a password in the address of an upgrade is refused, and harms nobody', async () => {
  await using gw = await startGateway();
  const { client } = await gw.seat('ada');
  const socket = connect(Number(new URL(gw.url).port), '127.0.0.1');
  socket.write('GET /v1/ws HTTP/1.1\r\nHost: ada:secret@gateway\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n');
  socket.write('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /);
  socket.destroy();
  client.sendFrame({ type: 'check', n: 1 });
  await client.next('check-ok');
});

test('a gateway whose store takes nothing any more can still be stopped', async () => {
  const store = new FaultyStore();
  const gw = await startGateway({ store });
  const { client } = await gw.seat('ada');
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  await client.next('replayed');
  store.fail('log.append');
  client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'hi' } });
  client.sendFrame({ type: 'check', n: 1 });
  await client.next('check-ok');
  const startedAt = performance.now();
  await gw.gateway.drain({ withinMs: 500 });
  await gw[Symbol.asyncDispose]();
  expect(performance.now() - startedAt).toBeLessThan(8_000);
});

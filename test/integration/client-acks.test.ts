/** The client proves that the application runs: it acknowledges what listeners have taken, and nothing else. */

import { expect, test } from 'vitest';
import { createSpillway } from '../../src/client/index.ts';
import { delta, Peer, type PeerSocket, until } from './client-peer.ts';

const subscribed = (sub = 1): object => ({ type: 'subscribed', sub, thread: 't1', epoch: 'k3', offset: 0, head: 0, codec: 'agent-events', activeRun: null });
const event = (offset: number, more: object = {}): object => ({ type: 'event', sub: 1, offset, data: delta(offset, 'x'), ...more });
const acks = (socket: PeerSocket): unknown[] => socket.log.filter((f) => f.type === 'ack').map((f) => f.offset);

async function followed(peer: Peer, ack: object): Promise<PeerSocket> {
  const socket = await peer.socket();
  await socket.seat({}, { ack });
  await socket.frame('subscribe');
  socket.send(subscribed());
  return socket;
}

const NEVER_BY_TIME = { frames: 4, bytes: 1_000_000, ms: 1_000_000 };

test('acks are cumulative: the first frame, then every so many frames, and at once where a frame asks', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  client.thread('t1').on(() => {});
  const socket = await followed(peer, NEVER_BY_TIME);
  for (let offset = 1; offset <= 9; offset++) socket.send(event(offset));
  await socket.settled();
  // 1 since nothing was acknowledged before, then every fourth; the probe brings out the rest.
  expect(acks(socket)).toEqual([1, 5, 9]);
  socket.send(event(10), event(11, { ack: true }), event(12));
  await until(() => acks(socket).includes(11), 'the ack that was asked for');
  expect(acks(socket)).toEqual([1, 5, 9, 11]);
});

test('acks come after so many bytes, counted as they travel, and when time has passed as a frame comes', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  client.thread('t1').on(() => {});
  const socket = await followed(peer, { frames: 1_000, bytes: 3_000, ms: 300 });
  socket.send(event(1));
  await socket.frame('ack');
  // 1,000 characters of three bytes each.
  socket.send(event(2, { data: delta(2, '€'.repeat(1_000)) }));
  expect(await socket.frame('ack')).toMatchObject({ offset: 2 });
  const ackedAt = performance.now();
  for (let offset = 3; ; offset++) {
    socket.send(event(offset));
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (acks(socket).length > 2) break;
  }
  expect(performance.now() - ackedAt).toBeGreaterThan(290);
});

test('a page that takes events and then none is asked by a probe: first the acks of all threads, then the answer', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  client.thread('t1').on(() => {});
  client.thread('t2').on(() => {});
  const socket = await peer.socket();
  await socket.seat({}, { ack: { frames: 100, bytes: 1_000_000, ms: 1_000_000 } });
  await socket.frame('subscribe');
  await socket.frame('subscribe');
  socket.send(subscribed(1), { ...subscribed(2), thread: 't2' }, event(1), event(2), { ...event(1), sub: 2 }, { ...event(2), sub: 2 }, { type: 'probe', n: 7 });
  await socket.frame('probe-ok');
  expect(socket.log.slice(-3)).toEqual([
    { type: 'ack', sub: 1, offset: 2 },
    { type: 'ack', sub: 2, offset: 2 },
    { type: 'probe-ok', n: 7, visibility: 'visible' },
  ]);
});

test('a listener that waits for a promise holds the ack until it settles, and the next event as well', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const held: (() => void)[] = [];
  const seen: number[] = [];
  client.thread('t1').on((e) => {
    seen.push(e.position.offset);
    return new Promise<void>((resolve) => held.push(resolve));
  });
  const socket = await followed(peer, { frames: 1, bytes: 1, ms: 0 });
  socket.send(event(1), event(2, { ack: true }));
  await socket.settled();
  expect(seen).toEqual([1]);
  expect(acks(socket)).toEqual([]);
  held.shift()?.();
  expect(await socket.frame('ack')).toMatchObject({ offset: 1 });
  await until(() => held.length > 0, 'the second event');
  held.shift()?.();
  expect(await socket.frame('ack')).toMatchObject({ offset: 2 });
});

test('a listener that throws, at once or later, is told as an error and its event is acknowledged', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const errors: string[] = [];
  client.on('error', (error) => errors.push((error as Error).message));
  client.thread('t1').on((e) => {
    if (e.position.offset === 1) throw new Error('at once');
    return Promise.reject(new Error('later'));
  });
  const socket = await followed(peer, { frames: 1, bytes: 1, ms: 0 });
  socket.send(event(1), event(2));
  await until(() => acks(socket).length === 2, 'both acks');
  expect(acks(socket)).toEqual([1, 2]);
  expect(errors).toEqual(['at once', 'later']);
});

test('a loop acknowledges an event when it asks for the next, and the last one when it leaves', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const loop = client.thread('t1').follow()[Symbol.asyncIterator]();
  const socket = await followed(peer, { frames: 1, bytes: 1, ms: 0 });
  const first = loop.next();
  socket.send(event(1), event(2));
  expect((await first).value?.position.offset).toBe(1);
  await socket.settled();
  expect(acks(socket)).toEqual([]);
  await loop.next();
  expect(await socket.frame('ack')).toMatchObject({ offset: 1 });
  await loop.return?.();
  expect(await socket.frame('ack')).toMatchObject({ offset: 2 });
  await socket.frame('unsubscribe');
});

test('listeners go in step: the slowest decides when the next event comes and what is acknowledged', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const fast: number[] = [];
  let release = (): void => {};
  client.thread('t1').on((e) => void fast.push(e.position.offset));
  client.thread('t1').on(
    () =>
      new Promise<void>((resolve) => {
        release = resolve;
      }),
  );
  const socket = await followed(peer, { frames: 1, bytes: 1, ms: 0 });
  socket.send(event(1), event(2));
  await socket.settled();
  expect(fast).toEqual([1]);
  expect(acks(socket)).toEqual([]);
  expect(socket.log.filter((f) => f.type === 'subscribe')).toHaveLength(1);
  release();
  expect(await socket.frame('ack')).toMatchObject({ offset: 1 });
  await until(() => fast.length === 2, 'the second event');
});

test('a loop that takes its time keeps no listener waiting', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const fast: number[] = [];
  const loop = client.thread('t1').follow()[Symbol.asyncIterator]();
  const first = loop.next();
  client.thread('t1').on((e) => void fast.push(e.position.offset));
  const socket = await followed(peer, { frames: 1, bytes: 1, ms: 0 });
  await socket.frame('subscribe');
  socket.send(subscribed(2), event(1), event(2), { ...event(1), sub: 2 }, { ...event(2), sub: 2 });
  await socket.settled();
  expect((await first).value?.position.offset).toBe(1);
  expect(fast).toEqual([1, 2]);
  expect(socket.log.filter((f) => f.type === 'ack').map((f) => f.sub)).toEqual([2, 2]);
});

test('a range without events moves on and is acknowledged', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const loop = client.thread('t1').follow()[Symbol.asyncIterator]();
  const socket = await followed(peer, { frames: 1, bytes: 1, ms: 0 });
  socket.send({ type: 'event', sub: 1, from: 1, offset: 4, data: [] });
  expect(await socket.frame('ack')).toMatchObject({ offset: 4 });
  socket.send({ type: 'event', sub: 1, from: 5, offset: 6, data: [delta(5, 'a'), delta(6, 'b')] });
  expect((await loop.next()).value).toMatchObject({ data: { text: 'a' }, position: { offset: 4 } });
  expect((await loop.next()).value).toMatchObject({ data: { text: 'b' }, position: { offset: 6 } });
});

test('what was taken on one transport is never acknowledged on the next', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, retry: { minDelayMs: 1 } });
  let release = (): void => {};
  client.thread('t1').on((e) =>
    e.position.offset === 1
      ? new Promise<void>((resolve) => {
          release = resolve;
        })
      : undefined,
  );
  const socket = await followed(peer, { frames: 1, bytes: 1, ms: 0 });
  socket.send(event(1));
  await socket.settled();
  socket.terminate();
  const next = await peer.socket();
  const hello = await next.seat({ resume: 'attached' });
  expect(hello.resume).toMatchObject({ subs: [{ sub: 2, offset: 1 }] });
  next.send({ ...subscribed(2), offset: 1, head: 1 });
  await next.settled();
  release();
  await next.settled();
  expect(acks(next)).toEqual([]);
});

import { expect, test } from 'vitest';
import { createSpillway, type StreamEvent } from '../../src/client/index.ts';
import { accepted, completed, delta, Peer, type PeerSocket } from './client-peer.ts';

const texts = (events: readonly StreamEvent<unknown>[]): string => events.map((e) => (e.data as { text?: string }).text ?? '').join('');

test('an answer is read over a cut in the middle, each event once', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, retry: { minDelayMs: 1 } });
  const seen: StreamEvent<unknown>[] = [];
  client.thread('t1').on((event) => void seen.push(event), { from: 'start' });
  const first = await peer.socket();
  expect(await first.seat()).toMatchObject({ type: 'hello', v: 1, intent: 'user', visibility: 'visible' });
  const subscribe = await first.frame('subscribe');
  expect(subscribe).toEqual({ type: 'subscribe', sub: 1, thread: 't1', from: 'start', codec: 'agent-events' });
  first.send(
    { type: 'subscribed', sub: 1, thread: 't1', epoch: 'k3', offset: 0, head: 0, codec: 'agent-events', activeRun: null },
    { type: 'replayed', sub: 1, offset: 0 },
    { type: 'event', sub: 1, offset: 1, data: delta(1, 'a') },
    { type: 'event', sub: 1, offset: 2, data: delta(2, 'b') },
  );
  await first.settled();
  first.terminate();

  const second = await peer.socket();
  expect(second.url).toContain('intent=auto');
  const hello = await second.seat({ resume: 'attached', resumeToken: 'rt2' });
  expect(hello).toMatchObject({
    intent: 'auto',
    resume: {
      manager: 'mgr_00000000000000000001',
      token: 'rt1',
      subs: [{ sub: expect.any(Number), thread: 't1', epoch: 'k3', offset: 2, codec: 'agent-events' }],
    },
  });
  const { sub } = (hello.resume as { subs: { sub: number }[] }).subs[0] as { sub: number };
  second.send(
    { type: 'subscribed', sub, thread: 't1', epoch: 'k3', offset: 2, head: 5, codec: 'agent-events', activeRun: 'run_1' },
    { type: 'event', sub, offset: 2, data: delta(2, 'b') },
    { type: 'event', sub, from: 3, offset: 5, data: delta(5, 'cde') },
    { type: 'replayed', sub, offset: 5 },
    { type: 'event', sub, offset: 6, ack: true, data: completed() },
  );
  expect(await second.frame('ack')).toMatchObject({ sub, offset: 5 });
  expect(await second.frame('ack')).toEqual({ type: 'ack', sub, offset: 6 });
  expect(texts(seen)).toBe('abcde');
  expect(seen.map((e) => [e.position.offset, e.replay])).toEqual([
    [1, false],
    [2, false],
    [5, true],
    [6, false],
  ]);
});

const event = (offset: number, text: string, sub = 1): object => ({ type: 'event', sub, offset, data: delta(offset, text) });

/** Answers a subscription as a gateway does whose log ends at `head`. */
async function subscribed(socket: PeerSocket, offset = 0, head = offset): Promise<number> {
  const { sub } = (await socket.frame('subscribe')) as unknown as { sub: number };
  socket.send(
    { type: 'subscribed', sub, thread: 't1', epoch: 'k3', offset, head, codec: 'agent-events', activeRun: null },
    { type: 'replayed', sub, offset: head },
  );
  return sub;
}

test('a hole is never guessed over: the rest is asked for again from the last event', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const seen: StreamEvent<unknown>[] = [];
  client.thread('t1').on((e) => void seen.push(e));
  const socket = await peer.socket();
  await socket.seat();
  const sub = await subscribed(socket);
  socket.send(event(1, 'a', sub), event(3, 'LOST', sub), event(4, 'LOST', sub));
  expect(await socket.frame('unsubscribe')).toEqual({ type: 'unsubscribe', sub });
  const again = await socket.frame('subscribe');
  expect(again).toMatchObject({ from: { epoch: 'k3', offset: 1 } });
  expect(again.sub).not.toBe(sub);
  socket.send({ type: 'subscribed', sub: again.sub, thread: 't1', epoch: 'k3', offset: 1, head: 3, codec: 'agent-events', activeRun: null });
  socket.send({ ...event(3, 'bc', again.sub as number), from: 2 });
  await socket.settled();
  expect(texts(seen)).toBe('abc');
});

test('after a gap the snapshot stands for what is missing, and events go on behind it', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, getToken: () => 'a token' });
  const snapshot = { thread: 't1', position: { epoch: 'k4', offset: 40 }, activeRun: 'run_1', messages: [], hasMore: false };
  let refusals = 1;
  peer.answer = (_, response) => {
    if (refusals-- > 0) response.writeHead(503).end('busy');
    else response.end(JSON.stringify(snapshot));
  };
  const told: string[] = [];
  const errors: unknown[] = [];
  client.on('error', (error) => errors.push(error));
  client.on('gap', (gap) => told.push(`gap ${gap.from}-${gap.to} ${gap.reason} ${gap.snapshot?.position.offset} ${gap.position.epoch}`));
  client.thread('t1').on((e) => void told.push(String((e.data as { text: string }).text)), { from: { epoch: 'k3' as never, offset: 7 } });
  const socket = await peer.socket();
  await socket.seat();
  const { sub } = await socket.frame('subscribe');
  socket.send(
    { type: 'subscribed', sub, thread: 't1', epoch: 'k4', offset: 7, head: 30, codec: 'agent-events', activeRun: null },
    { type: 'gap', sub, epoch: 'k4', from: 1, to: 20, reason: 'epoch', snapshot: '/v1/threads/t1/messages' },
    { ...event(21, 'too early', sub as number) },
  );
  const again = await socket.frame('subscribe');
  expect(again).toMatchObject({ from: { epoch: 'k4', offset: 40 } });
  socket.send({ type: 'subscribed', sub: again.sub, thread: 't1', epoch: 'k4', offset: 40, head: 41, codec: 'agent-events', activeRun: null });
  socket.send(event(41, 'new', again.sub as number));
  await socket.settled();
  expect(told).toEqual(['gap 1-20 epoch 40 k4', 'new']);
  expect(errors).toHaveLength(1);
  expect(peer.requests.at(-1)).toMatchObject({
    url: '/v1/threads/t1/messages',
    headers: expect.objectContaining({ authorization: 'Bearer a token', 'spillway-manager': 'mgr_00000000000000000001' }),
  });
  expect(client.thread('t1').position).toEqual({ epoch: 'k4', offset: 41 });
});

test('a run that ended inside a gap does not keep its loop waiting', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const message = { id: 'msg_1', role: 'assistant', status: 'complete', createdAt: 1, run: 'run_1', parts: [] };
  peer.answer = (_, response) =>
    void response.end(JSON.stringify({ thread: 't1', position: { epoch: 'k3', offset: 40 }, activeRun: null, messages: [message], hasMore: false }));
  const seen: unknown[] = [];
  const run = client.thread('t1').send('hi');
  const loop = (async () => {
    for await (const e of run) seen.push(e);
  })();
  const socket = await peer.socket();
  await socket.seat();
  const { id } = await socket.frame('send');
  socket.send(accepted(id, 1));
  const sub = await subscribed(socket, 1);
  socket.send({ type: 'gap', sub, epoch: 'k3', from: 2, to: 39, reason: 'retention', snapshot: '' });
  await loop;
  expect(seen).toEqual([]);
});

test('listeners share a subscription where their positions allow it, and only there', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const thread = client.thread('t1');
  const live: unknown[] = [];
  const late: unknown[] = [];
  const whole: unknown[] = [];
  const off = thread.on((e) => void live.push(e.position.offset));
  thread.on((e) => void live.push(e.position.offset));
  const socket = await peer.socket();
  await socket.seat();
  const sub = await subscribed(socket, 5);
  socket.send(event(6, 'a', sub));
  await socket.settled();
  thread.on((e) => void late.push(e.position.offset));
  thread.on((e) => void late.push(e.position.offset), { from: { epoch: 'k3' as never, offset: 6 } });
  await socket.settled();
  expect(socket.log.filter((f) => f.type === 'subscribe')).toHaveLength(1);
  thread.on((e) => void whole.push(e.position.offset), { from: 'start' });
  const second = await socket.frame('subscribe');
  expect(second).toMatchObject({ from: 'start' });
  socket.send(event(7, 'b', sub), event(8, 'c', sub));
  await socket.settled();
  expect(live).toEqual([6, 6, 7, 7, 8, 8]);
  expect(late).toEqual([7, 7, 8, 8]);
  off();
  await socket.settled();
  expect(socket.log.filter((f) => f.type === 'unsubscribe')).toHaveLength(0);
});

test('a range that was cut differently after a reconnect is asked for again, not applied twice', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, retry: { minDelayMs: 1 } });
  const seen: StreamEvent<unknown>[] = [];
  client.thread('t1').on((e) => void seen.push(e), { from: { epoch: 'k3' as never, offset: 1 } });
  const socket = await peer.socket();
  await socket.seat();
  const sub = await subscribed(socket, 1, 5);
  socket.send(event(2, 'b', sub), event(3, 'c', sub), { ...event(5, 'bcde', sub), from: 2 });
  expect(await socket.frame('subscribe')).toMatchObject({ from: { epoch: 'k3', offset: 3 } });
  expect(texts(seen)).toBe('bc');
});

test('a subscription that is refused ends its loop with the reason, and nothing else', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const loop = client.thread('t1').follow()[Symbol.asyncIterator]();
  const next = loop.next();
  const socket = await peer.socket();
  await socket.seat();
  const { sub } = await socket.frame('subscribe');
  socket.send({ type: 'error', code: 'bad-request', message: 'No such codec.', retryable: false, ref: { type: 'subscribe', sub } });
  await expect(next).rejects.toMatchObject({ code: 'SPILLWAY_REFUSED', message: 'No such codec.' });
  expect(await loop.next()).toEqual({ done: true, value: undefined });
  expect(client.state.name).toBe('live');
});

test('threads above the bound of the gateway wait until another one ends', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const off = client.thread('a').on(() => {});
  client.thread('b').on(() => {});
  client.thread('c').on(() => {});
  const socket = await peer.socket();
  await socket.seat({}, { max: { frameBytes: 262_144, subs: 2 } });
  expect([(await socket.frame('subscribe')).thread, (await socket.frame('subscribe')).thread]).toEqual(['a', 'b']);
  await socket.settled();
  expect(socket.unread).toBe(0);
  off();
  expect(await socket.frame('subscribe')).toMatchObject({ thread: 'c' });
});

test('an aborted signal ends a listener and a loop, and cancels a run only where it was given to send', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const ending = new AbortController();
  const { signal } = ending;
  const run = client.thread('t1').send('hi', { signal });
  client.thread('t1').on(() => {}, { signal });
  const loop = client.thread('t2').follow({ signal })[Symbol.asyncIterator]();
  const next = loop.next();
  const socket = await peer.socket();
  await socket.seat();
  socket.send(accepted((await socket.frame('send')).id, 1));
  await run.accepted;
  ending.abort();
  expect(await socket.frame('cancel')).toEqual({ type: 'cancel', run: 'run_1' });
  expect(await next).toEqual({ done: true, value: undefined });
  await socket.frame('unsubscribe');
  await socket.frame('unsubscribe');
});

test('a client opened again follows anew, from the position that the application kept', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const connected = client.connect();
  await (await peer.socket()).seat();
  await connected;
  await client.close();
  client.thread('t1').on(() => {}, { from: { epoch: 'k3' as never, offset: 7 } });
  const again = client.connect();
  const socket = await peer.socket();
  expect(await socket.seat()).not.toHaveProperty('resume');
  expect(await socket.frame('subscribe')).toMatchObject({ from: { epoch: 'k3', offset: 7 } });
  await again;
});

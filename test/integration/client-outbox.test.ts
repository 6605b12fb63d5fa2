/** Messages are kept until they are stored, whatever happens to the connection. */

import { expect, test } from 'vitest';
import { createSpillway, type OutboxEvent } from '../../src/client/index.ts';
import { accepted, Peer, until } from './client-peer.ts';

const refused = (id: unknown, code: string, retryable: boolean, more: object = {}): object => ({
  type: 'error',
  code,
  message: `It was ${code}.`,
  retryable,
  ref: { type: 'send', id },
  ...more,
});

test('a message without an answer is sent again on every transport, under the same id, in the same order', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, retry: { minDelayMs: 1 } });
  const thread = client.thread('t1');
  const one = thread.send('one');
  const two = thread.send({ parts: [{ type: 'text', text: 'two' }] }, { id: 'mine', agent: 'planner' });
  expect(thread.pending.map((m) => m.id)).toEqual([one.id, 'mine']);
  const first = await peer.socket();
  await first.seat();
  const sent = [await first.frame('send'), await first.frame('send')];
  expect(sent).toEqual([
    { type: 'send', id: one.id, thread: 't1', data: { text: 'one' } },
    { type: 'send', id: 'mine', thread: 't1', data: { parts: [{ type: 'text', text: 'two' }] }, agent: 'planner' },
  ]);
  first.send(accepted(one.id, 1));
  expect(await one.accepted).toEqual({ runId: 'run_1', messageId: 'msg_0', position: { epoch: 'k3', offset: 1 }, duplicate: false });
  first.terminate();
  const second = await peer.socket();
  await second.seat({ resume: 'attached' });
  expect(await second.frame('send')).toEqual(sent[1]);
  second.send(accepted('mine', 2, { duplicate: true }));
  expect(await two.accepted).toMatchObject({ duplicate: true });
  await second.settled();
  expect(second.unread).toBe(0);
  expect(thread.pending).toEqual([]);
});

test('a full outbox says so and keeps what it has', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, outbox: { maxMessages: 2, maxBytes: 400 } });
  const events: OutboxEvent[] = [];
  client.on('outbox', (event) => events.push(event));
  const thread = client.thread('t1');
  const kept = [thread.send('a'), thread.send('b')];
  await expect(thread.send('c').accepted).rejects.toMatchObject({ code: 'SPILLWAY_OUTBOX_FULL', retry: 'later' });
  expect(events.map((e) => [e.state, e.pendingMessages])).toEqual([
    ['waiting', 1],
    ['waiting', 2],
    ['refused', 2],
  ]);
  const socket = await peer.socket();
  await socket.seat();
  for (const run of kept) {
    expect((await socket.frame('send')).id).toBe(run.id);
    socket.send(accepted(run.id, 1));
    await run.accepted;
  }
  await expect(thread.send('x'.repeat(400)).accepted).rejects.toMatchObject({ code: 'SPILLWAY_OUTBOX_FULL' });
});

test('the same id is one message; with other data it is refused at once', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const thread = client.thread('t1');
  const run = thread.send('one', { id: 'x' });
  expect(thread.send('one', { id: 'x' }).accepted).toBe(run.accepted);
  await expect(thread.send('two', { id: 'x' }).accepted).rejects.toMatchObject({ code: 'SPILLWAY_BAD_ARGUMENT' });
  expect(thread.pending).toHaveLength(1);
});

test('a message that would end the transport is refused before it is sent', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const early = client.thread('t1').send('€'.repeat(300));
  const socket = await peer.socket();
  await socket.seat({}, { max: { frameBytes: 800, subs: 64 } });
  await expect(early.accepted).rejects.toMatchObject({ code: 'SPILLWAY_BAD_ARGUMENT', message: expect.stringContaining('at most 800 bytes') });
  await expect(client.thread('t1').send('€'.repeat(300)).accepted).rejects.toMatchObject({ code: 'SPILLWAY_BAD_ARGUMENT' });
  await socket.settled();
  expect(socket.unread).toBe(0);
});

test('a message that may come later is sent again later, and those behind it wait; others do not', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const [a, b] = [client.thread('t1').send('a'), client.thread('t1').send('b')];
  const c = client.thread('t2').send('c');
  const socket = await peer.socket();
  await socket.seat();
  for (const _ of [a, b, c]) await socket.frame('send');
  socket.send(refused(a.id, 'thread-busy', true, { retryAfterMs: 60 }), refused(b.id, 'rate-limited', true, { retryAfterMs: 1 }));
  expect(await socket.frame('send')).toMatchObject({ id: a.id });
  expect(await socket.frame('send')).toMatchObject({ id: b.id });
});

test('a message refused for good rejects with the words of the gateway, and frees its place', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, outbox: { maxMessages: 1 } });
  const run = client.thread('t1').send('a');
  const socket = await peer.socket();
  await socket.seat();
  await socket.frame('send');
  socket.send(refused(run.id, 'idempotency-conflict', false));
  await expect(run.accepted).rejects.toMatchObject({ code: 'SPILLWAY_REFUSED', message: 'It was idempotency-conflict.' });
  client.thread('t1').send('b');
  expect(await socket.frame('send')).toMatchObject({ data: { text: 'b' } });
});

test('a hundred waiting messages go out without running into the bound on frames', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const runs = Array.from({ length: 100 }, (_, i) => client.thread('t1').send(`m${i}`));
  const socket = await peer.socket();
  await socket.seat();
  await socket.settled();
  expect(socket.unread).toBe(16);
  for (const run of runs) {
    const { id } = await socket.frame('send');
    expect(id).toBe(run.id);
    socket.send(accepted(id, 1));
  }
  await runs.at(-1)?.accepted;
});

test('stop takes back what was never sent, and cancels what was, on every transport until it is confirmed', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, retry: { minDelayMs: 1 } });
  const unsent = client.thread('t1').send('unsent');
  await unsent.stop();
  await expect(unsent.accepted).rejects.toMatchObject({ code: 'SPILLWAY_CLOSED' });
  const run = client.thread('t1').send('sent');
  const first = await peer.socket();
  await first.seat();
  await first.frame('send');
  const stopped = run.stop();
  first.send(accepted(run.id, 1));
  expect(await first.frame('cancel')).toEqual({ type: 'cancel', run: 'run_1' });
  first.terminate();
  const second = await peer.socket();
  await second.seat({ resume: 'attached' });
  expect(await second.frame('cancel')).toEqual({ type: 'cancel', run: 'run_1' });
  second.send({ type: 'cancelled', run: 'run_1', state: 'cancelling' });
  await stopped;
  const again = client.thread('t1').cancel('run_1');
  await second.frame('cancel');
  second.send({ type: 'error', code: 'not-found', message: 'No such run.', retryable: false, ref: { type: 'cancel', run: 'run_1' } });
  await again;
});

test('nothing of one person is sent as another', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, retry: { minDelayMs: 1 } });
  const run = client.thread('t1').send('for ada only');
  const first = await peer.socket();
  await first.seat();
  await first.frame('send');
  first.terminate();
  const second = await peer.socket();
  await second.seat({ resume: 'fresh' }, { user: { id: 'ben', name: 'Ben', tier: 'free' } });
  await expect(run.accepted).rejects.toMatchObject({ code: 'SPILLWAY_CLOSED' });
  await second.settled();
  expect(second.unread).toBe(0);
  await until(() => client.state.name === 'live', 'the client to be live');
});

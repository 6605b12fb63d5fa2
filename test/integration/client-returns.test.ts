/** When the client comes back: the range of the close code alone decides. */

import { expect, test } from 'vitest';
import { type ClientState, createSpillway, type SpillwayClient } from '../../src/client/index.ts';
import { accepted, delta, Peer, type PeerSocket, READY, until, WELCOME } from './client-peer.ts';

const bye = (code: number, more: object = {}): object => ({
  type: 'bye',
  code,
  name: 'a-name',
  return: 'now',
  retryAfterMs: 0,
  reason: 'lowest-value',
  text: 'A sentence.',
  resumable: true,
  positions: [],
  ...more,
});

async function live(peer: Peer, client: SpillwayClient): Promise<PeerSocket> {
  const connected = client.connect();
  const socket = await peer.socket();
  await socket.seat();
  await connected;
  return socket;
}

for (const code of [4000, 4001, 4003, 4009, 1000, 1006, 1011, 1012, 4999, 4042]) {
  test(`after ${code} the client is back within 250 ms, with its resume token, on its own account`, async () => {
    await using peer = await Peer.open();
    await using client = createSpillway({ url: peer.url });
    const first = await live(peer, client);
    const lostAt = performance.now();
    if (code === 1006) first.terminate();
    else first.close(code);
    const second = await peer.socket();
    expect(performance.now() - lostAt).toBeLessThan(400);
    expect(second.url).toMatch(/\?intent=auto$/);
    expect(await second.frame('hello')).toMatchObject({ intent: 'auto', resume: { manager: READY.manager, token: 'rt1' } });
    expect(client.state).toMatchObject({ name: 'reconnecting', attempt: 1, retryInMs: 0 });
  });
}

test('attempts that fail come slower and slower and never end; live for long enough, the next loss starts anew', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, retry: { minDelayMs: 1, maxDelayMs: 40 }, offlineAfterMs: 200 });
  const states: ClientState[] = [];
  client.on('state', (state) => states.push(state));
  const first = await live(peer, client);
  peer.isDown = true;
  first.terminate();
  await until(() => states.some((s) => s.name === 'offline' && s.attempt > 12), 'a dozen attempts');
  const waits = states.flatMap((s) => ('retryInMs' in s ? [s.retryInMs] : []));
  expect(Math.max(...waits)).toBeLessThanOrEqual(40);
  const since = new Set(states.flatMap((s) => ('since' in s ? [s.since] : [])));
  expect(since.size).toBe(1);
  expect(Math.abs(Date.now() - ([...since][0] as number))).toBeLessThan(10_000);
  peer.isDown = false;
  await (await peer.socket()).seat({ resume: 'attached' });
  await until(() => client.state.name === 'live', 'the client to be live again');
});

test('every attempt has an address and a token of its own, and asks for them only when it is made', async () => {
  await using peer = await Peer.open();
  const asked: string[] = [];
  await using client = createSpillway({
    url: () => `${peer.url}?ticket=${asked.push('address')}`,
    getToken: ({ reason }) => `${reason} ${asked.push('token')}`,
    retry: { minDelayMs: 1, maxDelayMs: 5 },
  });
  let socket = await live(peer, client);
  for (let attempt = 2; attempt <= 6; attempt++) {
    expect(asked.length).toBe(2 * (attempt - 1));
    socket.terminate();
    socket = await peer.socket();
    expect(socket.url).toContain(`ticket=${2 * attempt - 1}`);
    expect(await socket.seat({ resume: 'attached' })).toMatchObject({ token: `connect ${2 * attempt}` });
  }
});

test('an evicted client stays away whatever time passes, until its person comes back', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, retry: { minDelayMs: 1 } });
  const first = await live(peer, client);
  first.send(
    bye(4201, { name: 'evicted-for-newer', text: 'Paused because you went on in Phone.', explain: { level: 'force', evidence: [], by: { label: 'Phone' } } }),
  );
  await until(() => client.state.name === 'superseded', 'the client to be paused');
  expect(client.state).toEqual({
    name: 'superseded',
    info: {
      code: 4201,
      name: 'evicted-for-newer',
      return: 'user',
      reason: 'lowest-value',
      text: 'Paused because you went on in Phone.',
      by: 'Phone',
      docs: 'PROTOCOL.md#close-codes',
    },
  });
  // Somebody who only listens is no person.
  client.thread('t1').on(() => {});
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(peer.unmet).toBe(0);
  const back = client.resume();
  const second = await peer.socket();
  expect(second.url).not.toContain('intent');
  expect(await second.seat({ resume: 'readmitted' })).toMatchObject({ intent: 'user', resume: { manager: READY.manager, token: 'rt1' } });
  await back;
});

test('a message brings a paused client back, as the person who wrote it', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  (await live(peer, client)).close(4242, 'a-later-code;r=user;t=0;c=idle-over-limit');
  await until(() => client.state.name === 'superseded', 'the client to be paused');
  expect(client.state).toMatchObject({ info: { name: 'a-later-code', reason: 'idle-over-limit' } });
  client.thread('t1').send('hello');
  const second = await peer.socket();
  expect(await second.seat()).toMatchObject({ intent: 'user' });
  expect(await second.frame('send')).toMatchObject({ data: { text: 'hello' } });
});

test('with a named time the client waits for it, and claims the place that it was promised', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const connected = client.connect();
  const first = await peer.socket();
  await first.frame('hello');
  first.send(WELCOME, { type: 'queued', position: 2, of: 3, etaMs: 900, deadlineMs: 1_000 });
  await until(() => client.state.name === 'queued', 'the client to wait for a seat');
  expect(client.state).toEqual({ name: 'queued', position: 2, of: 3, etaMs: 900, deadlineMs: 1_000 });
  const askedAt = performance.now();
  first.send(bye(4101, { return: 'after', retryAfterMs: 400, manager: 'mgr_00000000000000000009', resumeToken: 'promise' }));
  await until(() => client.state.name === 'reconnecting', 'the client to wait');
  expect(client.state).toMatchObject({ info: { return: 'after', text: 'A sentence.' }, retryInMs: expect.any(Number) });
  const second = await peer.socket();
  expect(performance.now() - askedAt).toBeGreaterThanOrEqual(399);
  expect(performance.now() - askedAt).toBeLessThan(700);
  expect(await second.seat()).toMatchObject({ intent: 'auto', resume: { manager: 'mgr_00000000000000000009', token: 'promise' } });
  await connected;
});

test('a click does not wait for the named time', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  (await live(peer, client)).close(4102, 'node-overloaded;r=after;t=60000');
  await until(() => client.state.name === 'reconnecting', 'the client to wait');
  expect(client.state).toMatchObject({ retryInMs: expect.closeTo(63_000, -4) });
  const back = client.resume();
  const second = await peer.socket();
  expect(await second.seat()).toMatchObject({ intent: 'user' });
  await back;
});

for (const code of [4500, 4501, 4502, 4503, 4505, 4599, 1008, 1009]) {
  test(`after ${code} the client does not come back by itself`, async () => {
    await using peer = await Peer.open();
    await using client = createSpillway({ url: peer.url, getToken: () => 'a token' });
    const connected = client.connect();
    const first = await peer.socket();
    await first.frame('hello');
    first.close(code, 'some-name;r=never;t=0');
    await expect(connected).rejects.toMatchObject({ name: 'SpillwayError', code: 'SPILLWAY_REFUSED' });
    expect(client.state).toMatchObject({ name: 'failed', info: { code, return: 'never' } });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(peer.unmet).toBe(0);
  });
}

test('an expired credential is replaced by a fresh one, on the next attempt', async () => {
  await using peer = await Peer.open();
  const reasons: string[] = [];
  await using client = createSpillway({ url: peer.url, getToken: ({ reason }) => `token ${reasons.push(reason)}` });
  const first = await live(peer, client);
  expect(first.log[0]).toMatchObject({ token: 'token 1' });
  first.send(bye(4010, { name: 'credential-expired' }));
  const second = await peer.socket();
  expect(await second.seat({ resume: 'attached' })).toMatchObject({ token: 'token 2', intent: 'auto' });
  expect(reasons).toEqual(['connect', 'rejected']);
});

test('a token that cannot be fetched for want of a network is asked for again', async () => {
  await using peer = await Peer.open();
  let calls = 0;
  await using client = createSpillway({
    url: peer.url,
    retry: { minDelayMs: 1 },
    getToken: () => {
      calls += 1;
      if (calls > 1 && calls < 4) throw new TypeError('fetch failed');
      return 'a token';
    },
  });
  const errors: unknown[] = [];
  client.on('error', (error) => errors.push(error));
  (await live(peer, client)).send(bye(4010));
  await (await peer.socket()).seat();
  expect(errors).toHaveLength(2);
});

test('a renewed token goes over the transport that is there', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, getToken: ({ reason }) => reason });
  const socket = await live(peer, client);
  socket.send({ type: 'token-expiring', authExpiresAt: 1 });
  expect(await socket.frame('token')).toEqual({ type: 'token', token: 'expiring' });
});

test('what happened to the last transport is over: frames of a fenced one change nothing', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, getToken: () => 'a token' });
  const socket = await live(peer, client);
  socket.send(bye(4000), { type: 'limits', soft: 999 }, bye(4501));
  await (await peer.socket()).seat({ resume: 'attached' });
  await until(() => client.state.name === 'live', 'the client to be live again');
  expect(client.limits?.soft).toBe(20);
});

test('close gives the seat back and ends loops; the client can be opened again', async () => {
  await using peer = await Peer.open();
  const client = createSpillway({ url: peer.url });
  const first = await live(peer, client);
  const loop = client.thread('t1').follow()[Symbol.asyncIterator]();
  const next = loop.next();
  await first.frame('subscribe');
  const closing = client.close();
  expect(await first.frame('bye')).toEqual({ type: 'bye', reason: 'left' });
  await closing;
  expect(await next).toEqual({ done: true, value: undefined });
  expect(client.state).toEqual({ name: 'closed' });
  await expect(client.thread('t1').send('too late').accepted).rejects.toMatchObject({ code: 'SPILLWAY_CLOSED' });
  const again = client.connect();
  const second = await peer.socket();
  expect(await second.seat()).not.toHaveProperty('resume');
  await again;
  await client.close();
});

for (const code of [4501, 4503]) {
  test(`a loop over an answer that can never come ends with the reason: ${code} before the message was accepted`, async () => {
    await using peer = await Peer.open();
    await using client = createSpillway({ url: peer.url, getToken: () => 'a token' });
    const run = client.thread('t1').send('hello');
    const first = await peer.socket();
    await first.frame('hello');
    first.close(code, 'some-name;r=never;t=0');
    await expect(readAll(run)).rejects.toMatchObject({ code: 'SPILLWAY_REFUSED', message: expect.stringContaining(String(code)) });
    // One that begins now would wait as long.
    await expect(readAll(client.thread('t1').follow())).rejects.toMatchObject({ code: 'SPILLWAY_REFUSED' });
    expect(client.thread('t1').pending).toMatchObject([{ id: run.id }]);
    const back = client.resume();
    const second = await peer.socket();
    await second.seat();
    await back;
    expect(await second.frame('send')).toMatchObject({ id: run.id });
  });
}

test('a loop in the middle of an answer ends with the reason, and listeners stay for the person who comes back', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const first = await live(peer, client);
  const thread = client.thread('t1');
  const heard: unknown[] = [];
  thread.on((event) => void heard.push(event.data), { from: 'start' });
  const run = thread.send('hello');
  const sent = await first.frame('send');
  const texts: string[] = [];
  const read = (async () => {
    for await (const { data } of run) if (data.type === 'text_delta') texts.push(data.text);
  })();
  const ended = expect(read).rejects.toMatchObject({ code: 'SPILLWAY_REFUSED', cause: { code: 4502 } });
  first.send(accepted(sent.id, 1));
  const loop = await first.frameWhere((f) => f.type === 'subscribe' && f.from !== 'start', 'the subscription of the loop');
  first.send({ type: 'subscribed', sub: loop.sub, thread: 't1', epoch: 'k3', offset: 1, head: 1, codec: 'agent-events', activeRun: 'run_1' });
  first.send({ type: 'event', sub: loop.sub, offset: 2, data: delta(2, 'one') });
  await until(() => texts.length === 1, 'the first word');
  first.close(4502, 'forbidden;r=never;t=0');
  await ended;
  const back = client.resume();
  const second = await peer.socket();
  await second.seat();
  await back;
  const again = await second.frame('subscribe');
  second.send({ type: 'subscribed', sub: again.sub, thread: 't1', epoch: 'k3', offset: 0, head: 1, codec: 'agent-events', activeRun: null });
  second.send({ type: 'event', sub: again.sub, offset: 1, data: delta(1, 'for the listener') });
  await until(() => heard.length === 1, 'the listener to hear');
});

test('an address without a page to be relative to is refused at once, whoever asks first', async () => {
  const errors: unknown[] = [];
  const make = (): SpillwayClient => {
    const client = createSpillway({ url: '/v1/ws' });
    client.on('error', (error) => errors.push(error));
    return client;
  };
  const expected = { code: 'SPILLWAY_BAD_OPTION', message: 'Expected `url` to be the address of /v1/ws, whole outside a page, got "/v1/ws".' };
  await using one = make();
  await expect(one.connect()).rejects.toMatchObject(expected);
  expect(one.state).toMatchObject({ name: 'failed', info: { return: 'never' } });
  await using other = make();
  await expect(readAll(other.thread('t1').send('hello'))).rejects.toMatchObject(expected);
  await expect(other.sessions.list()).rejects.toMatchObject(expected);
  expect(errors).toEqual([expect.objectContaining(expected), expect.objectContaining(expected)]);
});

async function readAll(loop: AsyncIterable<unknown>): Promise<unknown[]> {
  const read: unknown[] = [];
  for await (const event of loop) read.push(event);
  return read;
}

/** Clients are zombies too: what the client does when nothing is said, and when its page sleeps and wakes. */

import { createServer } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { type ClientOptions, createSpillway, type SpillwayClient } from '../../src/client/index.ts';
import { listenAnywhere } from '../support/ports.ts';
import { completed, delta, Peer, type PeerSocket, until } from './client-peer.ts';

async function live(peer: Peer, client: SpillwayClient, welcome: object = {}): Promise<PeerSocket> {
  const connected = client.connect();
  const socket = await peer.socket();
  await socket.seat({}, welcome);
  await connected;
  return socket;
}

/** The page around the client, as far as it uses one: two event targets, a visibility, a storage. */
class TestPage {
  readonly window = Object.assign(new EventTarget(), { sessionStorage: new MapStorage(), localStorage: new MapStorage() });
  readonly document = Object.assign(new EventTarget(), { visibilityState: 'visible' });

  constructor() {
    Object.assign(globalThis, { window: this.window, document: this.document });
  }

  show(visibilityState: 'visible' | 'hidden'): void {
    this.document.visibilityState = visibilityState;
    this.document.dispatchEvent(new Event('visibilitychange'));
  }

  static leave(): void {
    Reflect.deleteProperty(globalThis, 'window');
    Reflect.deleteProperty(globalThis, 'document');
  }
}

class MapStorage {
  readonly #items = new Map<string, string>();
  getItem(key: string): string | null {
    return this.#items.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.#items.set(key, value);
  }
  removeItem(key: string): void {
    this.#items.delete(key);
  }
}

function withoutLocks(): Disposable {
  const { locks } = navigator;
  Object.defineProperty(navigator, 'locks', { value: undefined, configurable: true });
  return { [Symbol.dispose]: () => Object.defineProperty(navigator, 'locks', { value: locks, configurable: true }) };
}

afterEach(() => TestPage.leave());

test('a gateway that falls silent is left, and returned to with the position', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, retry: { minDelayMs: 1 } });
  const socket = await live(peer, client, { clientTimeoutMs: 300 });
  const silentSince = performance.now();
  const second = await peer.socket();
  expect(performance.now() - silentSince).toBeGreaterThan(290);
  expect(performance.now() - silentSince).toBeLessThan(1_000);
  expect(await second.seat({ resume: 'attached' })).toMatchObject({ intent: 'auto', resume: { token: 'rt1' } });
  expect(await socket.closed).toBeTypeOf('number');
});

test('every frame is a sign of life, whatever it says', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const socket = await live(peer, client, { clientTimeoutMs: 300 });
  for (let i = 0; i < 10; i++) {
    socket.send({ type: 'of-a-later-version' });
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
  expect(peer.unmet).toBe(0);
  expect(client.state.name).toBe('live');
});

test('a stall of the page itself is not blamed on the gateway', async () => {
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const socket = await live(peer, client, { clientTimeoutMs: 500 });
  await new Promise((resolve) => setTimeout(resolve, 150));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_400);
  // The late tick comes before anything that was sent meanwhile: it asks, and gives an answer its time.
  expect(await socket.frame('check')).toEqual({ type: 'check', n: 1 });
  socket.send({ type: 'check-ok', n: 1 });
  await socket.settled();
  expect(peer.unmet).toBe(0);
  expect(client.state.name).toBe('live');
});

test('an attempt that nobody answers is given up', async () => {
  const mute = createServer();
  let upgrades = 0;
  mute.on('upgrade', () => {
    upgrades += 1;
  });
  const port = await listenAnywhere(mute);
  await using client = createSpillway({ url: `ws://127.0.0.1:${port}/v1/ws`, connectTimeoutMs: 50, retry: { minDelayMs: 1 } });
  client.connect().catch(() => {});
  await until(() => upgrades >= 3, 'three attempts');
  mute.closeAllConnections();
  mute.close();
});

test('an application that never gives its token does not stop the next attempt', async () => {
  await using peer = await Peer.open();
  let calls = 0;
  await using client = createSpillway({
    url: peer.url,
    connectTimeoutMs: 50,
    retry: { minDelayMs: 1 },
    getToken: () => (++calls === 1 ? new Promise<string>(() => {}) : 'a token'),
  });
  await live(peer, client);
  expect(calls).toBe(2);
});

test('a page that wakes up asks, and dials anew if nobody answers', async () => {
  const page = new TestPage();
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, wakeTimeoutMs: 100, retry: { minDelayMs: 5_000 } });
  const socket = await live(peer, client);
  page.window.dispatchEvent(new Event('online'));
  expect(await socket.frame('check')).toEqual({ type: 'check', n: 1 });
  socket.send({ type: 'check-ok', n: 1 });
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(client.state.name).toBe('live');
  page.window.dispatchEvent(new Event('pageshow'));
  await socket.frame('check');
  const askedAt = performance.now();
  await (await peer.socket()).seat({ resume: 'attached' });
  expect(performance.now() - askedAt).toBeLessThan(1_000);
});

test('a network that is back ends the waiting', async () => {
  const page = new TestPage();
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, retry: { minDelayMs: 60_000, maxDelayMs: 60_000 } });
  (await live(peer, client)).terminate();
  await until(() => client.state.name === 'reconnecting', 'the client to wait');
  page.window.dispatchEvent(new Event('online'));
  await (await peer.socket()).seat({ resume: 'attached' });
});

test('the gateway is told what the person sees', async () => {
  const page = new TestPage();
  page.document.visibilityState = 'hidden';
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url });
  const socket = await live(peer, client);
  expect(socket.log[0]).toMatchObject({ type: 'hello', visibility: 'hidden' });
  page.show('visible');
  expect(await socket.frame('visibility')).toEqual({ type: 'visibility', state: 'visible' });
  page.document.dispatchEvent(new Event('freeze'));
  expect(await socket.frame('visibility')).toEqual({ type: 'visibility', state: 'frozen' });
  page.document.dispatchEvent(new Event('resume'));
  expect(await socket.frame('visibility')).toEqual({ type: 'visibility', state: 'visible' });
});

test('a page hidden for long gives its seat back, and takes it again when it is looked at', async () => {
  const page = new TestPage();
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, parkAfterHiddenMs: 50 });
  const socket = await live(peer, client);
  page.show('hidden');
  expect(await socket.frame('bye')).toEqual({ type: 'bye', reason: 'parked' });
  expect(client.state).toEqual({ name: 'parked' });
  page.show('visible');
  const second = await peer.socket();
  expect(await second.seat({ resume: 'readmitted' })).toMatchObject({ intent: 'user', visibility: 'visible', resume: { token: 'rt1' } });
});

test('a hidden page whose answer is still being written keeps its seat', async () => {
  const page = new TestPage();
  await using peer = await Peer.open();
  await using client = createSpillway({ url: peer.url, parkAfterHiddenMs: 50 });
  client.thread('t1').on(() => {});
  const socket = await live(peer, client);
  await socket.frame('subscribe');
  socket.send(
    { type: 'subscribed', sub: 1, thread: 't1', epoch: 'k3', offset: 0, head: 0, codec: 'agent-events', activeRun: null },
    { type: 'event', sub: 1, offset: 1, data: delta(1, 'a') },
  );
  await socket.settled();
  page.show('hidden');
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(client.state.name).toBe('live');
  socket.send({ type: 'event', sub: 1, offset: 2, data: completed() });
  await socket.settled();
  expect(client.state.name).toBe('live');
});

for (const act of ['pointerdown', 'keydown', 'focus', 'look'] as const) {
  test(`a paused page comes back on ${act}`, async () => {
    const page = new TestPage();
    await using peer = await Peer.open();
    await using client = createSpillway({ url: peer.url });
    (await live(peer, client)).close(4200);
    await until(() => client.state.name === 'superseded', 'the client to be paused');
    page.window.dispatchEvent(new Event('online'));
    page.window.dispatchEvent(new Event('pageshow'));
    page.show('hidden');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(peer.unmet).toBe(0);
    if (act === 'look') page.show('visible');
    else page.window.dispatchEvent(new Event(act));
    expect(await (await peer.socket()).seat({ resume: 'readmitted' })).toMatchObject({ intent: 'user' });
  });
}

test('a reload keeps the manager, and the messages that were not accepted', async () => {
  new TestPage();
  // A reload frees the lock of the page that was; here that page cannot go away, so it never takes one.
  using _ = withoutLocks();
  await using peer = await Peer.open();
  const options: ClientOptions = { url: `${peer.url}?ticket=once` };
  const before = createSpillway(options);
  const run = before.thread('t1').send('hello');
  const first = await peer.socket();
  await first.seat();
  await first.frame('send');

  // The page goes away without a word; its script is gone, its socket is closed.
  await using after = createSpillway(options);
  expect(after.thread('t1').pending).toEqual([{ id: run.id, thread: 't1', data: { text: 'hello' } }]);
  const connected = after.connect();
  const second = await peer.socket();
  expect(await second.seat({ resume: 'attached' })).toMatchObject({ intent: 'user', resume: { manager: 'mgr_00000000000000000001', token: 'rt1' } });
  expect(await second.frame('send')).toMatchObject({ id: run.id });
  await connected;
  await before.close();
});

test('a duplicated tab, which has the resume token too, takes a manager of its own', async () => {
  new TestPage();
  await using peer = await Peer.open();
  await using original = createSpillway({ url: peer.url });
  await live(peer, original);
  await using copy = createSpillway({ url: peer.url });
  copy.connect().catch(() => {});
  expect(await (await peer.socket()).seat({ manager: 'mgr_00000000000000000002' })).not.toHaveProperty('resume');
  expect(original.state.name).toBe('live');
});

test('a client without storage starts afresh', async () => {
  new TestPage();
  await using peer = await Peer.open();
  await using before = createSpillway({ url: peer.url, storage: 'none' });
  await live(peer, before);
  await using after = createSpillway({ url: peer.url, storage: 'none' });
  after.connect().catch(() => {});
  expect(await (await peer.socket()).seat()).not.toHaveProperty('resume');
});

test('a process that has only a waiting client left may end', async () => {
  const { spawn } = await import('node:child_process');
  const entry = new URL('../../src/client/index.ts', import.meta.url).href;
  const code = `import { createSpillway } from '${entry}'; createSpillway({ url: 'ws://127.0.0.1:1/v1/ws' }).connect().catch(() => {});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
  const status = await new Promise((resolve) => child.on('exit', resolve));
  expect(status).toBe(0);
});

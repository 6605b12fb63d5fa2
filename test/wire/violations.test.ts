import { describe, expect, test } from 'vitest';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';
import { Neighbour } from '../support/neighbour.ts';
import type { WireClient } from '../support/wire-client.ts';

/** Runs `story` beside a neighbour of another user, who must be as well after it as before. */
async function besideANeighbour(story: (gw: TestGateway) => Promise<void>, options: Parameters<typeof startGateway>[0] = {}): Promise<void> {
  await using gw = await startGateway(options);
  await using neighbour = await Neighbour.of(gw);
  await neighbour.isWell();
  await story(gw);
  await neighbour.isWell();
}

/** The end of a connection as its client sees it: `bye` with the code, then the close with its reason. */
async function expectBye(client: WireClient, code: number, name: string, back: string): Promise<void> {
  expect(await client.next('bye')).toMatchObject({ type: 'bye', code, name, return: back });
  const closed = await client.close();
  expect(closed.code).toBe(code);
  expect(closed.reason).toMatch(new RegExp(`^${name};r=${back};t=\\d+`));
  expect(client.frames.at(-1)?.type).toBe('bye');
}

const nested = (depth: number): string => `{"type":"wave","x":${'['.repeat(depth)}${']'.repeat(depth)}}`;

describe('a connection that breaks the protocol ends, and costs nobody else anything', () => {
  const VIOLATIONS: readonly (readonly [string, (client: WireClient) => void, number, string])[] = [
    ['malformed JSON', (c) => c.sendFrame('{"type":"check",'), 4500, 'protocol-error'],
    ['an empty message', (c) => c.sendFrame(''), 4500, 'protocol-error'],
    ['an array', (c) => c.sendFrame('[]'), 4500, 'protocol-error'],
    ['a frame without type', (c) => c.sendFrame({ sub: 1 }), 4500, 'protocol-error'],
    ['a frame whose type is a number', (c) => c.sendFrame({ type: 7 }), 4500, 'protocol-error'],
    ['JSON nested deeper than 64', (c) => c.sendFrame(nested(65)), 4500, 'protocol-error'],
    ['a binary frame', (c) => c.sendBinary(new TextEncoder().encode('{"type":"check","n":1}')), 4500, 'protocol-error'],
    ['a second hello', (c) => c.sendFrame(HELLO), 4500, 'protocol-error'],
    ['an ack without offset', (c) => c.sendFrame({ type: 'ack', sub: 1 }), 4500, 'protocol-error'],
    ['an ack of text', (c) => c.sendFrame({ type: 'ack', sub: 1, offset: '1' }), 4500, 'protocol-error'],
    ['a probe-ok of text', (c) => c.sendFrame({ type: 'probe-ok', n: 'one' }), 4500, 'protocol-error'],
    ['an acknowledgement of what was never sent', (c) => c.sendFrame({ type: 'ack', sub: 1, offset: 1 }), 4504, 'ack-ahead'],
    ['a frame over the limit', (c) => c.sendFrame({ type: 'wave', x: 'x'.repeat(262_144) }), 4505, 'message-too-big'],
    ['a token that is none', (c) => c.sendFrame({ type: 'token', token: 'x.y.z' }), 4501, 'unauthorized'],
    ['a token that is no text', (c) => c.sendFrame({ type: 'token', token: 5 }), 4501, 'unauthorized'],
  ];

  test.each(VIOLATIONS)('%s', async (_name, send, code, name) => {
    await besideANeighbour(async (gw) => {
      const { client } = await gw.seat('mallory');
      client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
      await client.next('replayed');
      send(client);
      await expectBye(client, code, name, 'never');
    });
  });

  test('text that is no UTF-8', async () => {
    await besideANeighbour(async (gw) => {
      const { client } = await gw.seat('mallory');
      client.sendRaw(new Uint8Array([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]));
      expect((await client.close()).code).toBe(1007);
    });
  });

  test('a frame that announces 4 GiB is not waited for', async () => {
    await besideANeighbour(async (gw) => {
      const { client } = await gw.seat('mallory');
      client.sendRaw(new Uint8Array([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]));
      expect([1009, 4505]).toContain((await client.close()).code);
    });
  });

  test('a token of another user', async () => {
    await besideANeighbour(async (gw) => {
      const { client } = await gw.seat('mallory');
      client.sendFrame({ type: 'token', token: await gw.token('neighbour') });
      await expectBye(client, 4501, 'unauthorized', 'never');
    });
  });

  test('the person whose connection was ended loses nothing: it comes back with its positions', async () => {
    await using gw = await startGateway();
    const { client, ready } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'one two' } });
    const done = await client.nextWhere('the end of the answer', (f) => f.type === 'event' && f.data.type === 'agent_completed');
    client.sendBinary(new Uint8Array(3));
    await client.close();
    const { client: next } = await gw.seat('ada', { resume: { manager: ready.manager, token: ready.resumeToken, subs: [] } });
    next.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    expect((await next.next('subscribed')).head).toBe(done.offset);
  });
});

describe('hello', () => {
  const BAD: readonly (readonly [string, object | string, number])[] = [
    ['another frame first', { type: 'check', n: 1 }, 4500],
    ['malformed JSON first', '{', 4500],
    ['a version of text', { ...HELLO, v: '1' }, 4500],
    ['no client', { ...HELLO, client: undefined }, 4500],
    ['a client name of 65 bytes', { ...HELLO, client: { name: 'x'.repeat(65), version: '1' } }, 4500],
    ['another intent', { ...HELLO, intent: 'robot' }, 4500],
    [
      '65 subscriptions to resume',
      { ...HELLO, resume: { manager: 'm', token: 't', subs: Array.from({ length: 65 }, (_, i) => ({ sub: i + 1, thread: 't', epoch: 'e', offset: 0 })) } },
      4500,
    ],
    ['only versions to come', { ...HELLO, v: 9, minV: 2 }, 4503],
    ['no credential at all', HELLO, 4501],
    ['more than 64 KiB before anybody is known', { ...HELLO, padding: 'x'.repeat(65_536) }, 4505],
  ];

  test.each(BAD)('%s', async (_name, hello, code) => {
    await besideANeighbour(async (gw) => {
      const client = await gw.open();
      client.sendFrame(hello);
      expect((await client.close()).code).toBe(code);
      expect(client.frames.filter((frame) => frame.type !== 'bye')).toEqual([]);
    });
  });

  test('a client of versions to come is told which are spoken', async () => {
    await using gw = await startGateway();
    const client = await gw.open();
    client.sendFrame({ ...HELLO, v: 9, minV: 2, token: await gw.token('ada') });
    const bye = await client.next('bye');
    expect(bye).toMatchObject({ code: 4503, name: 'unsupported-version', return: 'never', text: expect.stringMatching(/out of date.*\b1\b/) });
  });

  test('a version to come is answered with the highest that both speak', async () => {
    await using gw = await startGateway();
    const { welcome } = await gw.seat('ada', { v: 9, minV: 1 });
    expect(welcome.v).toBe(1);
  });

  test('too late: the deadline is absolute, whatever else is sent', async () => {
    await besideANeighbour(
      async (gw) => {
        const silent = await gw.open();
        const trickling = await gw.open();
        // One byte of a frame header at a time never makes a frame, and never a longer life.
        trickling.sendRaw(new Uint8Array([0x81]));
        const before = performance.now();
        expect((await silent.close()).code).toBe(4011);
        expect(performance.now() - before).toBeLessThan(2_000);
        const closed = await trickling.close();
        expect([4011, 1006]).toContain(closed.code);
      },
      { health: { helloMs: 300 } },
    );
  });
});

describe('an unknown or wrong request is answered, and the connection stays', () => {
  test('frames and fields of a later version are ignored', async () => {
    await using gw = await startGateway();
    const { client } = await gw.seat('ada', { colour: 'red' });
    client.sendFrame({ type: 'wave', n: 1 });
    client.sendFrame({ type: '__proto__' });
    client.sendFrame({ type: 'check', n: 3, mood: 'good' });
    expect(await client.next()).toEqual({ type: 'check-ok', n: 3 });
  });

  test('wrong fields of requests: an error with a ref each, in order', async () => {
    await besideANeighbour(async (gw) => {
      const { client } = await gw.seat('mallory');
      const wrong: readonly (readonly [object, object])[] = [
        [
          { type: 'subscribe', sub: 0, thread: 't' },
          { type: 'subscribe', sub: 0 },
        ],
        [
          { type: 'subscribe', sub: 3, thread: 'no spaces please' },
          { type: 'subscribe', sub: 3 },
        ],
        [
          { type: 'subscribe', sub: 3, thread: 't', codec: 'morse' },
          { type: 'subscribe', sub: 3 },
        ],
        [
          { type: 'send', id: 'a', thread: 't', data: {} },
          { type: 'send', id: 'a' },
        ],
        [{ type: 'send', id: 'x'.repeat(65), thread: 't', data: { text: 'a' } }, { type: 'send' }],
        [{ type: 'cancel' }, { type: 'cancel' }],
        [{ type: 'unsubscribe', sub: 'one' }, { type: 'unsubscribe' }],
        [{ type: 'check' }, { type: 'check' }],
        [{ type: 'visibility', state: 'dim' }, { type: 'visibility' }],
      ];
      for (const [frame, ref] of wrong) {
        client.sendFrame(frame);
        expect(await client.next('error')).toEqual({ type: 'error', code: 'bad-request', message: expect.any(String), retryable: false, ref });
      }
      client.sendFrame({ type: 'check', n: 1 });
      expect(await client.next()).toEqual({ type: 'check-ok', n: 1 });
    });
  });

  test('a number in use, a 65th subscription', async () => {
    await using gw = await startGateway();
    const { client } = await gw.seat('ada');
    for (let sub = 1; sub <= 64; sub++) client.sendFrame({ type: 'subscribe', sub, thread: `t${sub}` });
    for (let sub = 1; sub <= 64; sub++) await client.next('replayed');
    client.sendFrame({ type: 'subscribe', sub: 5, thread: 'again' });
    expect(await client.next('error')).toMatchObject({ code: 'bad-request', ref: { type: 'subscribe', sub: 5 } });
    client.sendFrame({ type: 'subscribe', sub: 65, thread: 't65' });
    expect(await client.next('error')).toMatchObject({ code: 'bad-request', ref: { type: 'subscribe', sub: 65 } });
    client.sendFrame({ type: 'unsubscribe', sub: 5 });
    expect(await client.next()).toEqual({ type: 'unsubscribed', sub: 5 });
    client.sendFrame({ type: 'subscribe', sub: 65, thread: 't65' });
    expect(await client.next('subscribed')).toMatchObject({ sub: 65 });
  });

  test('acknowledgements that come late or for nobody are ignored', async () => {
    await using gw = await startGateway();
    const { client } = await gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'one two three' } });
    const last = await client.nextWhere('the end', (f) => f.type === 'event' && f.data.type === 'agent_completed');
    for (const offset of [last.offset, 1, 0, last.offset]) client.sendFrame({ type: 'ack', sub: 1, offset });
    client.sendFrame({ type: 'ack', sub: 77, offset: 12 });
    client.sendFrame({ type: 'probe-ok', n: 4_711 });
    client.sendFrame({ type: 'check', n: 1 });
    expect(await client.next()).toEqual({ type: 'check-ok', n: 1 });
  });
});

describe('too many frames', () => {
  test('over 100 in ten seconds are answered, not done; acknowledgements do not count', async () => {
    await besideANeighbour(async (gw) => {
      const { client } = await gw.seat('mallory');
      client.sendFrame({ type: 'subscribe', sub: 1, thread: 't' });
      await client.next('replayed');
      for (let i = 0; i < 500; i++) client.sendFrame({ type: 'ack', sub: 1, offset: 0 });
      for (let i = 0; i < 120; i++) client.sendFrame({ type: 'visibility', state: i % 2 === 0 ? 'hidden' : 'visible' });
      client.sendFrame({ type: 'send', id: 'late', thread: 't', data: { text: 'not done' } });
      const refused = await client.nextWhere('the refused send', (f) => f.type === 'error' && f.ref?.type === 'send');
      expect(refused).toMatchObject({ code: 'rate-limited', retryable: true, ref: { type: 'send', id: 'late' } });
      expect(refused.retryAfterMs).toBeGreaterThan(0);
      expect(client.isOpen).toBe(true);
      const { threads } = await (await gw.request('GET', '/v1/threads', { user: 'mallory' })).json();
      expect(threads).toEqual([]);
    });
  });

  test('over 1,000 close the connection for a while', async () => {
    await besideANeighbour(async (gw) => {
      const { client } = await gw.seat('mallory');
      for (let i = 0; i < 1_050; i++) client.sendFrame({ type: 'visibility', state: 'visible' });
      const bye = await client.next('bye');
      expect(bye).toMatchObject({ code: 4103, name: 'rate-limited', return: 'after' });
      expect(bye.retryAfterMs).toBeGreaterThan(0);
      expect((await client.close()).reason).toMatch(/^rate-limited;r=after;t=[1-9]\d*/);
    });
  });
});

import { describe, expect, test } from 'vitest';
import { HELLO, startGateway, tokenFor } from '../support/gateway.ts';
import { Neighbour } from '../support/neighbour.ts';
import { UpgradeRefused, type WireClient } from '../support/wire-client.ts';

const ORIGIN = 'https://chat.example';

const limitsOf = async (gw: Awaited<ReturnType<typeof startGateway>>, user: string) => (await (await gw.request('GET', '/v1/auth/me', { user })).json()).limits;
const refusal = (opening: Promise<WireClient>): Promise<unknown> =>
  opening.then(
    () => 'opened',
    (error: unknown) => error,
  );

describe('bad credentials are told after the upgrade and leave no trace', () => {
  const BAD: readonly (readonly [string, () => Promise<string> | string, number])[] = [
    ['a token of another key', () => tokenFor('ada', { secret: new TextEncoder().encode('another key that is 32 bytes long!') }), 4501],
    ['a token that is none', () => 'not.a.token', 4501],
    [
      'a token with algorithm none',
      () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(`{"sub":"ada","exp":9999999999}`).toString('base64url')}.`,
      4501,
    ],
    ['a token with bytes that no header holds', () => 'a\u0000b\nc', 4501],
    ['an expired token', () => tokenFor('ada', { livesMs: -60_000 }), 4010],
  ];

  test.each(BAD)('%s', async (_name, makeToken, code) => {
    await using gw = await startGateway();
    await using neighbour = await Neighbour.of(gw, 'ada');
    const client = await gw.open();
    client.sendFrame({ ...HELLO, token: await makeToken() });
    client.sendFrame({ type: 'send', id: 'x', thread: 'forged', data: { text: 'hi' } });
    const closed = await client.close();
    expect(closed.code).toBe(code);
    expect(client.frames.map((frame) => frame.type)).toEqual(['bye']);
    expect(client.frames[0]).toMatchObject({ code, return: code === 4010 ? 'now' : 'never' });
    expect(JSON.stringify(client.frames)).not.toContain('eyJ');
    expect(await limitsOf(gw, 'ada')).toMatchObject({ used: 1, sockets: 1 });
    const { threads } = await (await gw.request('GET', '/v1/threads', { user: 'ada' })).json();
    expect(threads).toEqual([]);
    await neighbour.isWell();
  });

  test('two credentials of different users', async () => {
    await using gw = await startGateway();
    const client = await gw.open({ protocols: ['spillway.v1', `bearer.${await gw.token('bob')}`] });
    client.sendFrame({ ...HELLO, token: await gw.token('ada') });
    expect((await client.close()).code).toBe(4501);
  });
});

describe('places for a credential', () => {
  test('the subprotocol, which is never selected', async () => {
    await using gw = await startGateway();
    const client = await gw.open({ protocols: ['spillway.v1', `bearer.${await gw.token('ada')}`] });
    expect(client.protocol).toBe('spillway.v1');
    client.sendFrame(HELLO);
    expect((await client.next('welcome')).user.id).toBe('ada');
    await client.next('ready');
  });

  test('a ticket is good once', async () => {
    await using gw = await startGateway();
    const bought = await gw.request('POST', '/v1/auth/ticket', { user: 'ada', body: {} });
    expect(bought.status).toBe(201);
    const { ticket } = await bought.json();
    const client = await gw.open({ query: `?ticket=${ticket}` });
    client.sendFrame(HELLO);
    expect((await client.next('welcome')).user.id).toBe('ada');
    await client.next('ready');
    const thief = await gw.open({ query: `?ticket=${ticket}` });
    thief.sendFrame(HELLO);
    expect((await thief.close()).code).toBe(4501);
    expect(client.isOpen).toBe(true);
    expect(await limitsOf(gw, 'ada')).toMatchObject({ used: 1, sockets: 1 });
  });

  test('a ticket that nobody sold', async () => {
    await using gw = await startGateway();
    for (const ticket of ['', 'x', 'A'.repeat(43)]) {
      const client = await gw.open({ query: `?ticket=${ticket}` });
      client.sendFrame(HELLO);
      expect((await client.close()).code).toBe(4501);
    }
  });

  test('an expired ticket', async () => {
    await using gw = await startGateway();
    const { ticket, expiresAt } = await (await gw.request('POST', '/v1/auth/ticket', { user: 'ada', body: { ttlMs: 1_000 } })).json();
    await new Promise((resolve) => setTimeout(resolve, expiresAt - Date.now() + 50));
    const client = await gw.open({ query: `?ticket=${ticket}` });
    client.sendFrame(HELLO);
    expect((await client.close()).code).toBe(4010);
  });

  test('the cookie counts only from an allowed page', async () => {
    await using gw = await startGateway({ origins: [ORIGIN] });
    const headers = { cookie: `spillway_session=${await gw.token('ada')}` };
    const client = await gw.open({ headers, origin: ORIGIN });
    client.sendFrame(HELLO);
    expect((await client.next('welcome')).user.id).toBe('ada');
    const bare = await gw.open({ headers });
    bare.sendFrame(HELLO);
    expect((await bare.close()).code).toBe(4501);
  });

  test('a worthless resume token does not spoil the cookie beside it', async () => {
    await using gw = await startGateway({ origins: [ORIGIN] });
    const client = await gw.open({ headers: { cookie: `spillway_session=${await gw.token('ada')}` }, origin: ORIGIN });
    client.sendFrame({ ...HELLO, resume: { manager: 'mgr_00000000000000000000', token: 'rt1worthless', subs: [] } });
    expect((await client.next('ready')).resume).toBe('fresh');
  });

  test('the resume token alone, while the credential it grew from is good', async () => {
    await using gw = await startGateway();
    const { client, ready } = await gw.seat('ada');
    client.cut();
    const next = await gw.open();
    next.sendFrame({ ...HELLO, resume: { manager: ready.manager, token: ready.resumeToken, subs: [] } });
    expect((await next.next('welcome')).user.id).toBe('ada');
    expect(await next.next('ready')).toMatchObject({ manager: ready.manager, resume: 'attached' });
    const forged = await gw.open();
    forged.sendFrame({ ...HELLO, resume: { manager: ready.manager, token: 'rt1forged', subs: [] } });
    expect((await forged.close()).code).toBe(4010);
  });
});

describe('before the upgrade', () => {
  test('a page of an origin that is not allowed', async () => {
    await using gw = await startGateway({ origins: [ORIGIN] });
    await using neighbour = await Neighbour.of(gw);
    for (const origin of ['https://evil.example', 'https://chat.example.evil.example', 'http://chat.example', 'https://chat.example:8443', 'null']) {
      const error = await refusal(gw.open({ origin }));
      expect(error, origin).toBeInstanceOf(UpgradeRefused);
      expect(error).toMatchObject({ status: 403 });
      expect(JSON.parse((error as UpgradeRefused).body)).toMatchObject({ code: 'origin-denied', status: 403, type: 'urn:spillway:problem:origin-denied' });
    }
    const own = await gw.open({ origin: gw.url });
    own.sendFrame({ ...HELLO, token: await gw.token('ada') });
    await own.next('ready');
    await neighbour.isWell();
  });

  test('no subprotocol that we know', async () => {
    await using gw = await startGateway();
    expect(await refusal(gw.open({ protocols: ['graphql-ws', 'spillway.v9'] }))).toMatchObject({ status: 400 });
  });

  test('a plain request where a WebSocket is spoken', async () => {
    await using gw = await startGateway();
    const response = await gw.request('GET', '/v1/ws');
    expect(response.status).toBe(426);
    expect(await response.json()).toMatchObject({ code: 'upgrade-required' });
  });
});

describe('a credential that ends', () => {
  test('a new token is taken in flight; the connection is asked for it at 80 % of its life', async () => {
    await using gw = await startGateway();
    const client = await gw.open();
    client.sendFrame({ ...HELLO, token: await gw.token('ada', { livesMs: 3_000 }) });
    const welcome = await client.next('welcome');
    expect(await client.next('token-expiring')).toMatchObject({ authExpiresAt: welcome.authExpiresAt });
    client.sendFrame({ type: 'token', token: await gw.token('ada') });
    const renewed = await client.next('token-ok');
    expect(renewed.authExpiresAt).toBeGreaterThan(welcome.authExpiresAt);
    expect(client.isOpen).toBe(true);
  });
});

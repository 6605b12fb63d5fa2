import { readFile, stat, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { ensureUsersFile, readUsersFile } from '../../src/auth/users-file.ts';
import { systemClock } from '../../src/ports/clock.ts';
import { HELLO, startGateway } from '../support/gateway.ts';
import { bearer, EventReader, expectProblem, startWithAccounts } from './http-support.ts';

describe('signing in', () => {
  test('each demo account gets tokens that name it', async () => {
    await using a = await startWithAccounts();
    for (const [username, tier] of [
      ['ada', 'free'],
      ['ben', 'early'],
      ['cleo', 'mid'],
      ['dora', 'enterprise'],
    ] as const) {
      const session = await a.login(username);
      expect(session.user).toEqual({ id: username, name: username[0]?.toUpperCase() + username.slice(1), tier });
      expect(session.expiresAt).toBeGreaterThan(Date.now());
      expect(session.refreshExpiresAt).toBeGreaterThan(session.expiresAt);
      const me = await a.gw.request('GET', '/v1/auth/me', { token: session.accessToken });
      expect(await me.json()).toMatchObject({ user: session.user, limits: { soft: 20, burst: 25, used: 0, tier } });
    }
  });

  test('a wrong password and an unknown name get the same answer in the same time', async () => {
    await using a = await startWithAccounts({ accountsOptions: { loginsPerMinute: 100 } });
    await a.login();
    const ask = async (username: string): Promise<{ body: object; ms: number }> => {
      const before = performance.now();
      const response = await a.post('/v1/auth/login', { username, password: 'wrong' });
      const { instance: _, ...body } = await expectProblem(response, 401, 'invalid-credentials');
      return { body, ms: performance.now() - before };
    };
    await ask('nobody');
    const known: number[] = [];
    const unknown: number[] = [];
    for (let i = 0; i < 9; i++) {
      const [right, wrong] = [await ask('ada'), await ask(`nobody-${i}`)];
      expect(right.body).toEqual(wrong.body);
      known.push(right.ms);
      unknown.push(wrong.ms);
    }
    // A name that is looked up and found missing would be answered in a tenth of the time that a hash takes. The shortest time is the one
    // that a busy machine has not lengthened.
    expect(Math.min(...unknown)).toBeGreaterThan(Math.min(...known) / 2);
    expect(Math.min(...unknown)).toBeLessThan(Math.min(...known) * 2);
  });

  test('the eleventh attempt in a minute for a name waits; other names do not', async () => {
    await using a = await startWithAccounts();
    for (let i = 0; i < 10; i++) await expectProblem(await a.post('/v1/auth/login', { username: 'ada', password: 'wrong' }), 401, 'invalid-credentials');
    const problem = await expectProblem(await a.post('/v1/auth/login', { username: 'ada', password: 'spillway' }), 429, 'rate-limited');
    expect(problem.retryAfterMs).toBeLessThanOrEqual(60_000);
    await a.login('ben');
  });

  test('a storm of log-ins is bounded: some are asked to wait a second, and none is answered wrongly', async () => {
    await using a = await startWithAccounts();
    const answers = await Promise.all(Array.from({ length: 120 }, (_, i) => a.post('/v1/auth/login', { username: `nobody-${i}`, password: 'x' })));
    const statuses = answers.map((answer) => answer.status);
    expect([...new Set(statuses)].sort()).toEqual([401, 429]);
    const waiting = answers.find((answer) => answer.status === 429) as Response;
    expect((await expectProblem(waiting, 429, 'rate-limited')).retryAfterMs).toBe(1_000);
    await a.login();
  });

  test('without accounts the paths are not there', async () => {
    await using gw = await startGateway();
    for (const path of ['login', 'refresh', 'logout']) await expectProblem(await gw.request('POST', `/v1/auth/${path}`, { body: {} }), 404, 'not-found');
    await expectProblem(await fetch(`${gw.url}/me`), 404, 'not-found');
  });
});

describe('a refresh token', () => {
  test('is good once for new tokens', async () => {
    await using a = await startWithAccounts();
    const first = await a.login();
    const second = await (await a.post('/v1/auth/refresh', { refreshToken: first.refreshToken })).json();
    expect(second).toMatchObject({ user: first.user, accessToken: expect.any(String) });
    expect((second as typeof first).refreshToken).not.toBe(first.refreshToken);
    expect((await a.gw.request('GET', '/v1/auth/me', { token: (second as typeof first).accessToken })).status).toBe(200);
  });

  test('that is used again ends its log-in, for whoever has the newer one', async () => {
    await using a = await startWithAccounts();
    const other = await a.login();
    const first = await a.login();
    const second = (await (await a.post('/v1/auth/refresh', { refreshToken: first.refreshToken })).json()) as typeof first;
    await expectProblem(await a.post('/v1/auth/refresh', { refreshToken: first.refreshToken }), 401, 'refresh-reused');
    expect((await a.post('/v1/auth/refresh', { refreshToken: second.refreshToken })).status).toBe(401);
    await expectProblem(await a.gw.request('GET', '/v1/auth/me', { token: second.accessToken }), 401, 'unauthorized');
    expect((await a.post('/v1/auth/refresh', { refreshToken: other.refreshToken })).status).toBe(200);
  });

  test.each(['x', 'a'.repeat(43), 'a'.repeat(600)])('that nobody gave out is refused', async (refreshToken) => {
    await using a = await startWithAccounts();
    const response = await a.post('/v1/auth/refresh', { refreshToken });
    await expectProblem(response, refreshToken.length > 512 ? 400 : 401, refreshToken.length > 512 ? 'bad-request' : 'unauthorized');
  });
});

describe('logging out', () => {
  test('ends the sessions of that log-in with 4506, and no others', async () => {
    await using a = await startWithAccounts();
    const [here, there] = [await a.login(), await a.login()];
    const [leaving, staying] = [await a.gw.seat('ada', { token: here.accessToken }), await a.gw.seat('ada', { token: there.accessToken })];
    await using reader = new EventReader(await fetch(`${a.gw.url}/v1/threads/t/events`, { headers: bearer(here.accessToken) }));
    await reader.until('replayed');
    expect((await a.post('/v1/auth/logout', { refreshToken: here.refreshToken })).status).toBe(204);
    expect(await leaving.client.next('bye')).toMatchObject({ code: 4506, name: 'logged-out' });
    expect(await reader.next()).toMatchObject({ event: 'bye', data: { code: 4506 } });
    expect(await reader.next()).toBeNull();
    await expectProblem(await a.gw.request('GET', '/v1/auth/me', { token: here.accessToken }), 401, 'unauthorized');
    expect((await a.post('/v1/auth/refresh', { refreshToken: here.refreshToken })).status).toBe(401);
    expect((await a.gw.request('GET', '/v1/auth/me', { token: there.accessToken })).status).toBe(200);
    staying.client.sendFrame({ type: 'check', n: 1 });
    expect(await staying.client.next('check-ok')).toMatchObject({ n: 1 });
  });

  test('everywhere ends all of the user’s, and a new log-in works at once', async () => {
    await using a = await startWithAccounts();
    const [here, there, ben] = [await a.login(), await a.login(), await a.login('ben')];
    const seated = await a.gw.seat('ada', { token: there.accessToken });
    expect((await a.post('/v1/auth/logout', { refreshToken: here.refreshToken, everywhere: true })).status).toBe(204);
    expect(await seated.client.next('bye')).toMatchObject({ code: 4506 });
    for (const { accessToken } of [here, there]) await expectProblem(await a.gw.request('GET', '/v1/auth/me', { token: accessToken }), 401, 'unauthorized');
    expect((await a.gw.request('GET', '/v1/auth/me', { token: ben.accessToken })).status).toBe(200);
    expect((await a.gw.request('GET', '/v1/auth/me', { token: (await a.login()).accessToken })).status).toBe(200);
  });

  test('may be repeated', async () => {
    await using a = await startWithAccounts();
    const { refreshToken } = await a.login();
    for (let i = 0; i < 2; i++) expect((await a.post('/v1/auth/logout', { refreshToken })).status).toBe(204);
  });
});

describe('the session cookie', () => {
  const cookieIn = (response: Response): string => response.headers.getSetCookie().find((cookie) => cookie.startsWith('spillway_session=')) ?? '';

  test('is set only if asked for, and no script can read it', async () => {
    await using a = await startWithAccounts();
    expect(cookieIn(await a.post('/v1/auth/login', { username: 'ada', password: 'spillway' }))).toBe('');
    const cookie = cookieIn(await a.post('/v1/auth/login', { username: 'ada', password: 'spillway', cookie: true }, { origin: a.gw.url }));
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).toMatch(/; SameSite=Lax/);
    expect(cookie).not.toMatch(/Secure/);
  });

  test('is Secure where the page is on https, also behind a proxy that ends TLS', async () => {
    await using a = await startWithAccounts({ origins: ['https://chat.example.com'] });
    const response = await a.post('/v1/auth/login', { username: 'ada', password: 'spillway', cookie: true }, { origin: 'https://chat.example.com' });
    expect(cookieIn(response)).toMatch(/; Secure/);
  });

  test('is worth something only with an allowed Origin', async () => {
    await using a = await startWithAccounts();
    const response = await a.post('/v1/auth/login', { username: 'ada', password: 'spillway', cookie: true }, { origin: a.gw.url });
    const cookie = cookieIn(response).split(';')[0] as string;
    const me = (headers: Record<string, string>) => fetch(`${a.gw.url}/v1/auth/me`, { headers: { cookie, ...headers } });
    expect((await me({ origin: a.gw.url })).status).toBe(200);
    await expectProblem(await me({}), 401, 'unauthorized');
    await expectProblem(await me({ origin: 'https://evil.example' }), 403, 'origin-denied');
    await expectProblem(await me({ origin: 'null' }), 403, 'origin-denied');
  });

  test('is renewed with the tokens and taken away at log-out', async () => {
    await using a = await startWithAccounts();
    const login = await a.post('/v1/auth/login', { username: 'ada', password: 'spillway', cookie: true }, { origin: a.gw.url });
    const { refreshToken } = (await login.json()) as { refreshToken: string };
    const headers = { origin: a.gw.url, cookie: cookieIn(login).split(';')[0] as string };
    const refreshed = await a.post('/v1/auth/refresh', { refreshToken }, headers);
    const renewed = (await refreshed.clone().json()) as { refreshToken: string; accessToken: string };
    expect(cookieIn(refreshed)).toContain(renewed.accessToken);
    expect(cookieIn(await a.post('/v1/auth/logout', { refreshToken: renewed.refreshToken }, headers))).toMatch(/Max-Age=0/);
  });
});

describe('a ticket', () => {
  test('opens one connection in the name of its buyer', async () => {
    await using gw = await startGateway();
    const bought = await gw.request('POST', '/v1/auth/ticket', { user: 'ada', body: { ttlMs: 5_000 } });
    expect(bought.status).toBe(201);
    const { ticket, expiresAt } = (await bought.json()) as { ticket: string; expiresAt: number };
    expect(expiresAt - Date.now()).toBeLessThanOrEqual(5_000);
    const client = await gw.open({ query: `?ticket=${ticket}` });
    client.sendFrame(HELLO);
    expect(await client.next('welcome')).toMatchObject({ user: { id: 'ada' } });
    const second = await gw.open({ query: `?ticket=${ticket}` });
    second.sendFrame(HELLO);
    expect(await second.next('bye')).toMatchObject({ code: 4501 });
  });

  test.each([0, 999, 300_001, 1.5, '30000'])('for %s milliseconds is not sold', async (ttlMs) => {
    await using gw = await startGateway();
    await expectProblem(await gw.request('POST', '/v1/auth/ticket', { user: 'ada', body: { ttlMs } }), 400, 'bad-request');
  });

  test('is sold thirty times a second to one person; the next waits, and other people do not', async () => {
    // A second of this gateway takes a minute, so that a busy machine does not stretch the requests over several.
    await using gw = await startGateway({ clock: { ...systemClock, mono: () => performance.now() / 60 } });
    const token = await gw.token('ada');
    const answers = await Promise.all(Array.from({ length: 40 }, () => gw.request('POST', '/v1/auth/ticket', { token })));
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(30);
    const refused = answers.find((answer) => answer.status === 429);
    expect((await expectProblem(refused as Response, 429, 'rate-limited')).retryAfterMs).toBeLessThanOrEqual(1_000);
    expect((await gw.request('POST', '/v1/auth/ticket', { user: 'ben' })).status).toBe(201);
  });

  test('needs no body', async () => {
    await using gw = await startGateway();
    expect((await gw.request('POST', '/v1/auth/ticket', { user: 'ada' })).status).toBe(201);
  });
});

describe('the users file', () => {
  test('is its owner’s alone, holds no password, and is never overwritten', async () => {
    await using a = await startWithAccounts();
    expect((await stat(a.usersFile)).mode & 0o777).toBe(0o600);
    const before = await readFile(a.usersFile, 'utf8');
    expect(before).not.toContain('"spillway"');
    expect(before.match(/\$argon2id\$/g)).toHaveLength(4);
    await ensureUsersFile(a.usersFile);
    expect(await readFile(a.usersFile, 'utf8')).toBe(before);
  });

  test('that cannot be used names all that is wrong with it', async () => {
    await using a = await startWithAccounts();
    await writeFile(
      a.usersFile,
      JSON.stringify({
        users: [
          { username: 'a', passwordHash: 'plain' },
          { username: 'a', id: 'x\ny', passwordHash: '$argon2id$v=19$x' },
        ],
      }),
    );
    expect(() => readUsersFile(a.usersFile)).toThrow(/users\[0\]\.passwordHash.*users\[1\]\.id.*"a" is there twice/);
    await writeFile(a.usersFile, '{');
    expect(() => readUsersFile(a.usersFile)).toThrow('in JSON');
  });
});

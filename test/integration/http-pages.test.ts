import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { expectProblem, startWithAccounts } from './http-support.ts';

describe('the descriptions for programs', () => {
  test('OpenAPI is valid 3.1, names every public path, and says which need a credential', async () => {
    await using a = await startWithAccounts();
    const document = (await (await fetch(`${a.gw.url}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, Record<string, { security: unknown[]; parameters?: unknown[] }>>;
    };
    const answer = await new Validator().validate(structuredClone(document));
    expect(answer).toMatchObject({ valid: true });
    expect(document.openapi).toBe('3.1.0');
    const paths = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
    expect(paths.sort()).toEqual(
      [
        'POST /v1/auth/login',
        'POST /v1/auth/refresh',
        'POST /v1/auth/logout',
        'GET /v1/auth/me',
        'POST /v1/auth/ticket',
        'GET /v1/me/sessions',
        'DELETE /v1/me/sessions/{id}',
        'POST /v1/me/sessions/free-unresponsive',
        'GET /v1/threads',
        'GET /v1/threads/{id}/messages',
        'POST /v1/threads/{id}/messages',
        'GET /v1/threads/{id}/events',
        'POST /v1/runs/{id}/cancel',
        'GET /v1/config',
        'GET /livez',
        'GET /readyz',
        'GET /startupz',
      ].sort(),
    );
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { security }] of Object.entries(methods)) {
        const url = `${a.gw.url}${path.replace('{id}', 'x')}`;
        const { status } = await fetch(url, { method, ...(method === 'post' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {}) });
        expect([path, method, status === 401 && !path.includes('refresh')]).toEqual([path, method, security.length > 0]);
      }
    }
    expect(JSON.stringify(document.paths['/v1/threads']?.get?.parameters)).toContain('"maximum":100');
  });

  test('without accounts it leaves their paths out', async () => {
    await using gw = await startGateway();
    const { paths } = (await (await fetch(`${gw.url}/openapi.json`)).json()) as { paths: Record<string, unknown> };
    expect(
      Object.keys(paths)
        .filter((path) => path.startsWith('/v1/auth/'))
        .sort(),
    ).toEqual(['/v1/auth/me', '/v1/auth/ticket']);
  });

  test('a prefix stands before every path in them', async () => {
    await using gw = await startGateway({ prefix: '/chat' });
    const openApi = (await (await fetch(`${gw.url}/chat/openapi.json`)).json()) as { paths: Record<string, unknown> };
    expect(Object.keys(openApi.paths).every((path) => path.startsWith('/chat/'))).toBe(true);
    expect(await (await fetch(`${gw.url}/chat/asyncapi.json`)).json()).toMatchObject({ asyncapi: '3.0.0', channels: { native: { address: '/chat/v1/ws' } } });
    expect(await (await fetch(`${gw.url}/chat/v1/config`)).json()).toEqual({
      v: [1],
      paths: { ws: '/chat/v1/ws' },
      auth: { modes: ['jwt'] },
      agent: { name: 'echo' },
      version: expect.any(String),
    });
    await expectProblem(await fetch(`${gw.url}/v1/config`), 404, 'not-found');
  });
});

describe('health', () => {
  test('says yes while the node works, and readiness says no while it is being stopped', async () => {
    await using gw = await startGateway();
    await gw.gateway.recovered;
    for (const path of ['/livez', '/readyz', '/startupz']) {
      const response = await fetch(`${gw.url}${path}`);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({
        status: 'ok',
        checks: expect.arrayContaining([{ name: expect.any(String), ok: true }].map((check) => expect.objectContaining(check))),
      });
    }
    await gw.gateway.drain({ withinMs: 0 });
    const ready = await fetch(`${gw.url}/readyz`);
    expect([ready.status, ((await ready.json()) as { status: string }).status]).toEqual([503, 'fail']);
    expect((await fetch(`${gw.url}/livez`)).status).toBe(200);
  });
});

describe('pages of other origins', () => {
  const preflight = (url: string, origin: string) =>
    fetch(`${url}/v1/threads/t/messages`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' },
    });

  test('on the list may ask and read', async () => {
    await using gw = await startGateway({ origins: ['https://app.example.com'] });
    const allowed = await preflight(gw.url, 'https://app.example.com');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(allowed.headers.get('access-control-allow-headers')).toContain('authorization');
    const asked = await gw.request('GET', '/v1/threads', { user: 'ada', headers: { origin: 'https://app.example.com' } });
    expect([asked.status, asked.headers.get('access-control-allow-origin'), asked.headers.get('vary')]).toEqual([200, 'https://app.example.com', 'Origin']);
  });

  test('not on the list may do nothing, whatever credential they bring', async () => {
    await using gw = await startGateway({ origins: ['https://app.example.com'] });
    for (const origin of ['https://evil.example', 'null', 'https://app.example.com.evil.example', 'http://app.example.com']) {
      const response = await preflight(gw.url, origin);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      await expectProblem(response, 403, 'origin-denied');
      await expectProblem(
        await gw.request('POST', '/v1/threads/t/messages', { user: 'ada', body: { id: 'a', data: { text: 'x' } }, headers: { origin } }),
        403,
        'origin-denied',
      );
    }
    expect(await (await gw.request('GET', '/v1/threads', { user: 'ada' })).json()).toMatchObject({ threads: [] });
  });

  test('a request without an origin gets no leave for any', async () => {
    await using gw = await startGateway();
    expect((await fetch(`${gw.url}/v1/config`)).headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('the chat page', () => {
  async function withPages(story: (url: string) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'spillway-pages-'));
    try {
      await mkdir(join(folder, 'assets'));
      await writeFile(join(folder, 'index.html'), '<!doctype html><title>Chat</title><script type="module" src="./assets/index-abc123.js"></script>');
      await writeFile(join(folder, 'assets', 'index-abc123.js'), 'export {};');
      await using gw = await startGateway({ chatPages: folder });
      await story(gw.url);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  test('is served under a policy that runs our own scripts only', () =>
    withPages(async (url) => {
      const response = await fetch(`${url}/`);
      expect(await response.text()).toContain('<title>Chat</title>');
      const { host } = new URL(url);
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'self'");
      expect(policy).toContain(`connect-src 'self' ws://${host} wss://${host}`);
      expect(policy).not.toMatch(/unsafe|script-src|\*/);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('strict-transport-security')).toBeNull();
      expect(response.headers.get('cache-control')).toBe('no-cache');
    }));

  test('and its assets are kept by browsers', () =>
    withPages(async (url) => {
      const asset = await fetch(`${url}/assets/index-abc123.js`);
      expect([asset.headers.get('content-type'), asset.headers.get('cache-control')]).toEqual([
        'text/javascript; charset=utf-8',
        'public, max-age=31536000, immutable',
      ]);
      const again = await fetch(`${url}/`, { headers: { 'if-none-match': (await fetch(`${url}/`)).headers.get('etag') ?? '' } });
      expect([again.status, await again.text()]).toEqual([304, '']);
      for (const path of ['/assets/', '/assets/missing.js', '/assets/%2e%2e/%2e%2e/package.json', '/index.html'])
        await expectProblem(await fetch(`${url}${path}`), 404, 'not-found');
    }));

  test('that was not built is a start error that says so', async () => {
    await expect(startGateway({ chatPages: join(tmpdir(), 'spillway-nowhere') })).rejects.toThrow('`chatPages`');
  });

  test('is left out where none is given', async () => {
    await using gw = await startGateway();
    await expectProblem(await fetch(`${gw.url}/`), 404, 'not-found');
  });
});

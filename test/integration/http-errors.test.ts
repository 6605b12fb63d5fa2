import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { jwtAuthenticator } from '../../src/auth/jwt.ts';
import type { LogRecord } from '../../src/ports/telemetry.ts';
import { SpillwayError } from '../../src/protocol/errors.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { bearer, expectProblem } from './http-support.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

/** Sends bytes as they are, in chunks without a length, and reads the status before or after all of them went. */
async function sendChunked(
  gw: TestGateway,
  path: string,
  headers: Record<string, string>,
  chunks: Iterable<Uint8Array>,
): Promise<{ status: number; body: string }> {
  const request = httpRequest(`${gw.url}${path}`, { method: 'POST', headers });
  // Every wait for room leaves its listeners behind, for the answer may come first.
  request.setMaxListeners(0);
  // The gateway may stop listening before everything went.
  request.on('error', () => {});
  const answered = once(request, 'response');
  for (const chunk of chunks) if (!request.write(chunk)) await Promise.race([once(request, 'drain'), answered]);
  request.end();
  const [response] = await answered;
  let body = '';
  for await (const piece of response) body += piece;
  return { status: response.statusCode, body };
}

function* zeros(total: number): Iterable<Uint8Array> {
  for (let left = total; left > 0; left -= 65_536) yield new Uint8Array(Math.min(left, 65_536)).fill(0x20);
}

describe('a body that cannot be taken', () => {
  const BAD: readonly (readonly [string, string, Record<string, string>])[] = [
    ['malformed JSON', '{"id":', JSON_TYPE],
    ['no body', '', JSON_TYPE],
    ['an array', '[]', JSON_TYPE],
    ['null', 'null', JSON_TYPE],
    ['a field of the wrong type', '{"id":7,"data":{"text":"x"}}', JSON_TYPE],
    ['a missing field', '{"id":"a"}', JSON_TYPE],
    ['an id of 65 bytes', JSON.stringify({ id: 'x'.repeat(65), data: { text: 'x' } }), JSON_TYPE],
    ['text and parts', '{"id":"a","data":{"text":"x","parts":[{"type":"text","text":"x"}]}}', JSON_TYPE],
    ['nesting of 65', `{"id":"a","data":{"text":"x"},"more":${'['.repeat(65)}${']'.repeat(65)}}`, JSON_TYPE],
    ['a form', 'id=a', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['no type', '{"id":"a","data":{"text":"x"}}', { 'content-type': 'text/plain' }],
  ];
  test.each(BAD)('%s', async (_name, body, headers) => {
    await using gw = await startGateway();
    const response = await fetch(`${gw.url}/v1/threads/t/messages`, { method: 'POST', headers: { ...bearer(await gw.token('ada')), ...headers }, body });
    const problem = await expectProblem(response, 400, 'bad-request');
    expect(problem.detail).toMatch(/xpected/);
    expect((await gw.request('GET', '/v1/threads/t/messages', { user: 'ada' })).status).toBe(404);
  });

  test('text that is no UTF-8', async () => {
    await using gw = await startGateway();
    const body = new Uint8Array([...new TextEncoder().encode('{"id":"a","data":{"text":"'), 0xff, 0xfe, ...new TextEncoder().encode('"}}')]);
    await expectProblem(
      await fetch(`${gw.url}/v1/threads/t/messages`, { method: 'POST', headers: { ...bearer(await gw.token('ada')), ...JSON_TYPE }, body }),
      400,
      'bad-request',
    );
  });

  test('more than a mebibyte, with its length said and without', async () => {
    await using gw = await startGateway();
    const headers = { ...bearer(await gw.token('ada')), ...JSON_TYPE };
    await expectProblem(await fetch(`${gw.url}/v1/threads/t/messages`, { method: 'POST', headers, body: ' '.repeat(1_048_577) }), 413, 'payload-too-large');
    for (const total of [1_048_577, 8 * 1_048_576]) {
      const { status, body } = await sendChunked(gw, '/v1/threads/t/messages', headers, zeros(total));
      expect([status, (JSON.parse(body) as { code: string }).code]).toEqual([413, 'payload-too-large']);
    }
    expect(
      (await sendChunked(gw, '/v1/threads/t/messages', headers, [...zeros(1_048_000), new TextEncoder().encode('{"id":"a","data":{"text":"x"}}')])).status,
    ).toBe(202);
  });

  test('the finding names the field and never repeats a value', async () => {
    const records: LogRecord[] = [];
    await using gw = await startGateway({ telemetry: { record: (record) => records.push(record) } });
    const problem = await expectProblem(await gw.request('POST', '/v1/auth/ticket', { user: 'ada', body: { ttlMs: 'secret-word' } }), 400, 'bad-request');
    expect(problem.detail).toBe('Expected `ttlMs` to be a number, got text of 11 characters. `openapi.json` describes every field.');
    const malformed = await fetch(`${gw.url}/v1/auth/ticket`, {
      method: 'POST',
      headers: { ...bearer(await gw.token('ada')), ...JSON_TYPE },
      body: '{"password":secret-word}',
    });
    expect(JSON.stringify([problem, await expectProblem(malformed, 400, 'bad-request'), records])).not.toContain('secret-word');
  });
});

describe('whoever asks', () => {
  test.each([
    ['nothing', {}, 'unauthorized'],
    ['another scheme', { authorization: 'Basic YTpi' }, 'unauthorized'],
    ['no token', { authorization: 'Bearer x' }, 'unauthorized'],
  ])('with %s is asked to sign in', async (_name, headers, code) => {
    await using gw = await startGateway();
    for (const [method, path] of [
      ['GET', '/v1/auth/me'],
      ['GET', '/v1/me/sessions'],
      ['GET', '/v1/threads'],
      ['GET', '/v1/threads/t/messages'],
      ['GET', '/v1/threads/t/events'],
      ['POST', '/v1/threads/t/messages'],
      ['POST', '/v1/auth/ticket'],
      ['DELETE', '/v1/me/sessions/x'],
      ['POST', '/v1/runs/x/cancel'],
    ] as const) {
      const response = await fetch(`${gw.url}${path}`, { method, headers });
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      await expectProblem(response, 401, code);
    }
  });

  test('with a forged token is nobody, with an old one is told so', async () => {
    await using gw = await startGateway();
    await expectProblem(await gw.request('GET', '/v1/auth/me', { token: await gw.token('ada', { secret: new Uint8Array(32) }) }), 401, 'unauthorized');
    await expectProblem(await gw.request('GET', '/v1/auth/me', { token: await gw.token('ada', { livesMs: -1_000 }) }), 401, 'credential-expired');
  });

  test('for another user’s thread, run or session finds nothing, and changes nothing', async () => {
    await using gw = await startGateway();
    const { ready } = await gw.seat('ada');
    const sent = (await (await gw.request('POST', '/v1/threads/mine/messages', { user: 'ada', body: { id: 'a', data: { text: 'canary' } } })).json()) as {
      run: string;
      message: string;
    };
    await expectProblem(await gw.request('GET', '/v1/threads/mine/messages', { user: 'ben' }), 404, 'not-found');
    await expectProblem(await gw.request('GET', `/v1/threads/mine/messages?before=${sent.message}`, { user: 'ben' }), 404, 'not-found');
    for (const id of [sent.run, 'run_00000000000000000000', 'nonsense'])
      await expectProblem(await gw.request('POST', `/v1/runs/${id}/cancel`, { user: 'ben' }), 404, 'not-found');
    for (const id of [ready.manager as string, 'mgr_00000000000000000000', 'nonsense'])
      await expectProblem(await gw.request('DELETE', `/v1/me/sessions/${id}`, { user: 'ben' }), 404, 'not-found');
    expect(await (await gw.request('GET', '/v1/threads', { user: 'ben' })).json()).toEqual({ threads: [], nextCursor: null });
    expect(await (await gw.request('GET', '/v1/me/sessions', { user: 'ben' })).json()).toMatchObject({ sessions: [] });
    expect(await (await gw.request('GET', '/v1/me/sessions', { user: 'ada' })).json()).toMatchObject({ sessions: [{ id: ready.manager }] });
  });
});

describe('a path or parameter that is not there', () => {
  test.each(['/nope', '/v1', '/v1/threads/', '/v1/auth/login', '/admin/api/v1/status', '/metrics', '/..%2f..%2fetc/passwd', '/assets/../../package.json'])(
    '%s is not found',
    async (path) => {
      await using gw = await startGateway();
      await expectProblem(await gw.request('GET', path, { user: 'ada' }), 404, 'not-found');
    },
  );

  test.each([
    '/v1/threads?limit=0',
    '/v1/threads?limit=101',
    '/v1/threads?limit=1e1',
    '/v1/threads?cursor=nonsense',
    '/v1/threads/t/messages?limit=201',
    '/v1/threads/a%20b/messages',
    '/v1/threads/t/events?from=tomorrow',
    '/v1/threads/t/events?from=E:1',
    '/v1/threads/t/events?codec=morse',
    `/v1/threads/${'x'.repeat(129)}/messages`,
  ])('%s is a bad request', async (path) => {
    await using gw = await startGateway();
    await expectProblem(await gw.request('GET', path, { user: 'ada' }), 400, 'bad-request');
  });
});

describe('a request that is refused says what was expected, what came and what helps', () => {
  test.each([
    ['POST', '/v1/threads/t/messages', { id: 'x'.repeat(65), data: { text: 'x' } }, 'Expected `id` to be at most 64 characters, got text of 65 characters.'],
    ['POST', '/v1/threads/t/messages', { id: 'a' }, 'Expected `data` to be an object with either `text` or `parts`, got nothing.'],
    ['POST', '/v1/threads/t/messages', [], 'Expected the request to be an object, got a list of 0.'],
    ['POST', '/v1/auth/ticket', { ttlMs: 5 }, 'Expected `ttlMs` to be at least 1000, got another number.'],
    ['POST', '/v1/auth/ticket', { ttlMs: 1.5 }, 'Expected `ttlMs` to be a whole number, got another number.'],
    ['GET', '/v1/threads?limit=101', undefined, 'Expected `limit` to be at most 100, got text of 3 characters.'],
    ['GET', '/v1/threads/t/events?codec=morse', undefined, 'Expected `codec` to be "agent-events", got text of 5 characters.'],
    ['GET', '/v1/threads/a%20b/messages', undefined, 'Expected `id` to be text that matches /^[A-Za-z0-9._:-]{1,128}$/, got text of 3 characters.'],
  ] as const)('%s %s', async (method, path, body, detail) => {
    await using gw = await startGateway();
    const problem = await expectProblem(await gw.request(method, path, { user: 'ada', ...(body === undefined ? {} : { body }) }), 400, 'bad-request');
    expect(problem.detail).toBe(`${detail} \`openapi.json\` describes every field.`);
  });
});

test.each([
  ['POST', '/v1/threads', 'GET, HEAD'],
  ['PUT', '/v1/threads/t/messages', 'GET, HEAD, POST'],
  ['GET', '/v1/me/sessions/free-unresponsive', 'POST'],
  ['POST', '/v1/ws', 'GET, HEAD'],
  ['DELETE', '/openapi.json', 'GET, HEAD'],
  ['POST', '/readyz', 'GET, HEAD'],
] as const)('%s at %s is told the methods that are there', async (method, path, allow) => {
  await using gw = await startGateway();
  const response = await gw.request(method, path, { user: 'ada' });
  expect(response.headers.get('allow')).toBe(allow);
  const problem = await expectProblem(response, 405, 'method-not-allowed');
  expect(problem.detail).toBe(`Expected one of ${allow} at this path, got ${method}.`);
});

test('asking for the WebSocket without being one is told so', async () => {
  await using gw = await startGateway();
  await expectProblem(await fetch(`${gw.url}/v1/ws`), 426, 'upgrade-required');
});

describe('our own failures', () => {
  test('an unexpected error tells its id and nothing else; the log knows more under it', async () => {
    const records: LogRecord[] = [];
    await using gw = await startGateway({
      authenticate: () => {
        throw new Error('inner workings');
      },
      telemetry: { record: (record) => records.push(record) },
    });
    const response = await gw.request('GET', '/v1/auth/me', { token: 'x' });
    const problem = await expectProblem(response, 500, 'internal');
    expect(JSON.stringify(problem)).not.toContain('inner');
    expect(records.find((record) => record.request === problem.instance)).toMatchObject({
      severity: 'ERROR',
      event: 'http-problem',
      code: 'internal',
      error: expect.stringContaining('inner workings'),
    });
  });

  test('a store that cannot be reached is said to be so, with a time to come back', async () => {
    const store = memoryStore();
    const failing = { ...store.threads, list: () => Promise.reject(new SpillwayError('SPILLWAY_STORE_UNAVAILABLE', 'disk of node seven', { retry: 'later' })) };
    await using gw = await startGateway({ store: new Proxy(store, { get: (target, key) => (key === 'threads' ? failing : Reflect.get(target, key)) }) });
    const problem = await expectProblem(await gw.request('GET', '/v1/threads', { user: 'ada' }), 503, 'store-unavailable');
    expect(problem.retryable).toBe(true);
    expect(JSON.stringify(problem)).not.toContain('seven');
  });

  test('an issuer whose keys cannot be had is our trouble, not the token’s; with keys the token is good', async () => {
    const { exportJWK, generateKeyPair, SignJWT } = await import('jose');
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    let isUp = false;
    const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] };
    const issuer = createServer((_, response) =>
      isUp ? response.setHeader('content-type', 'application/json').end(JSON.stringify(keys)) : response.writeHead(503).end(),
    );
    issuer.listen(0, '127.0.0.1');
    await once(issuer, 'listening');
    try {
      const jwksUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/keys`;
      await using gw = await startGateway({ authenticate: jwtAuthenticator({ jwksUrl }) });
      const token = await new SignJWT({ tier: 'mid' })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setSubject('ada')
        .setExpirationTime('1h')
        .sign(privateKey);
      const problem = await expectProblem(await gw.request('GET', '/v1/auth/me', { token }), 500, 'internal');
      expect(problem.retryable).toBe(true);
      isUp = true;
      expect(await (await gw.request('GET', '/v1/auth/me', { token })).json()).toMatchObject({ user: { id: 'ada', tier: 'mid' } });
      await expectProblem(await gw.request('GET', '/v1/auth/me', { token: await gw.token('ada') }), 401, 'unauthorized');
    } finally {
      issuer.closeAllConnections();
      issuer.close();
    }
  });
});

import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { createGateway } from '../../src/gateway/gateway.ts';
import { ADMIN_KEY, startWithAdmin } from '../support/admin.ts';
import { startGateway, tokenFor } from '../support/gateway.ts';
import { echoAgent } from '../support/scripted-agent.ts';
import { expectProblem } from './http-support.ts';

const HEALTH = ['livez', 'readyz', 'startupz'];

describe('the admin key', () => {
  test.each([
    ['no key', {}, 'none came'],
    ['another key', { authorization: `Bearer ${ADMIN_KEY}x` }, 'another one came'],
    ['a part of the key', { authorization: `Bearer ${ADMIN_KEY.slice(0, -1)}` }, 'another one came'],
    ['another scheme', { authorization: `Basic ${btoa(`admin:${ADMIN_KEY}`)}` }, 'none came'],
  ])('whoever comes with %s learns nothing but how to come', async (_, headers, came) => {
    await using admin = await startWithAdmin();
    for (const path of ['status', 'managers', 'openapi.json', 'no-such-path', 'cleanup/run']) {
      const response = await fetch(`${admin.url}/admin/api/v1/${path}`, { headers });
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
      const { detail } = await expectProblem(response, 401, 'unauthorized');
      expect(detail).toContain(came);
      expect(detail).toContain('`admin.token`');
    }
  });

  test('a person’s own token is none', async () => {
    await using admin = await startWithAdmin();
    await expectProblem(await admin.ask('GET', 'status', undefined, { authorization: `Bearer ${await tokenFor('ada')}` }), 401, 'unauthorized');
  });

  test('opens nothing on the public port', async () => {
    await using admin = await startWithAdmin();
    for (const path of ['status', 'users', 'openapi.json']) {
      const response = await fetch(`${admin.gw.url}/admin/api/v1/${path}`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
      await expectProblem(response, 404, 'not-found');
    }
  });

  test('has 16 characters at least, which a header can carry', async () => {
    const make = (adminKey: string) => () => createGateway({ authenticate: () => null, agent: echoAgent, adminKey });
    for (const short of ['', 'fifteen-letters', 'sixteen characters', 'sechzehn-zeichän']) {
      expect(make(short), short).toThrow(expect.objectContaining({ code: 'SPILLWAY_BAD_OPTION', message: expect.stringContaining('at least 16 characters') }));
    }
    await using gateway = make('sixteen-letters!')();
    expect(gateway.admin).toBeDefined();
  });

  test('without one there is no admin API, only health', async () => {
    await using gw = await startGateway();
    const ask = (path: string) => gw.gateway.admin.fetch(new Request(`http://localhost/${path}`, { headers: { authorization: 'Bearer undefined' } }));
    for (const path of ['admin/api/v1/status', 'admin/api/v1/openapi.json', 'admin/api/v1/cleanup/run', '']) {
      expect((await expectProblem(await ask(path), 404, 'not-found')).detail).toContain('without `adminKey`');
    }
    for (const path of HEALTH) expect((await ask(path)).status).toBe(200);
  });
});

describe('a request that cannot be served', () => {
  test('at an unknown path names where the known ones are listed', async () => {
    await using admin = await startWithAdmin();
    expect((await expectProblem(await admin.ask('GET', 'manager'), 404, 'not-found')).detail).toContain('openapi.json');
    await expectProblem(await fetch(`${admin.url}/`), 404, 'not-found');
  });

  test.each([
    ['DELETE', 'status', 'GET, HEAD'],
    ['GET', 'cleanup/plan', 'POST'],
    ['PUT', 'managers/mgr_x/evict', 'POST'],
    ['POST', 'openapi.json', 'GET, HEAD'],
    ['OPTIONS', 'users', 'GET, HEAD'],
  ])('by %s at %s is told the methods that are there', async (method, path, allow) => {
    await using admin = await startWithAdmin();
    const response = await admin.ask(method, path);
    expect(response.headers.get('allow')).toBe(allow);
    await expectProblem(response, 405, 'method-not-allowed');
  });

  test('from a page of another origin is refused, key or not', async () => {
    await using admin = await startWithAdmin();
    await expectProblem(await admin.ask('GET', 'status', undefined, { origin: 'https://elsewhere.example' }), 403, 'origin-denied');
    expect((await admin.ask('GET', 'status', undefined, { origin: admin.url })).status).toBe(200);
  });

  test.each([
    ['GET', 'managers?verdict=dead', undefined, ['`verdict`', '"zombie"', 'got "dead"']],
    ['GET', 'managers?limit=0', undefined, ['`limit`']],
    ['GET', 'managers?limit=many', undefined, ['`limit`', 'got "many"']],
    ['GET', 'managers?cursor=@@@@', undefined, ['`cursor`', 'got "@@@@"']],
    ['GET', 'users?cursor=%00', undefined, ['`cursor`']],
    ['GET', 'cleanup/history?cursor=-5', undefined, ['`cursor`', 'got "-5"']],
    ['GET', 'managers?usr=ada', undefined, ['"usr"']],
    ['GET', 'events?type=login', undefined, ['`type`', '"cleanup-finished"', 'got "login"']],
    ['GET', 'events?since=yesterday', undefined, ['`since`', 'got "yesterday"']],
    ['GET', 'cleanup/history?since=2026-13-45', undefined, ['`since`', 'ISO 8601']],
    ['GET', 'users?sort=age', undefined, ['`sort`', '"zombies"', 'got "age"']],
    ['GET', 'managers?sort=seats', undefined, ['`sort`', '"last-ack"', 'got "seats"']],
    ['GET', `managers?sort=age&cursor=${Buffer.from('id\nmgr_x').toString('base64url')}`, undefined, ['`cursor`', 'order `age`', 'without it']],
    ['GET', 'audit?action=login', undefined, ['`action`', '"free-user"', 'got "login"']],
    ['GET', 'audit?limit=501', undefined, ['`limit`', 'at most 500', 'got "501"']],
    ['GET', 'threads/ada/plans/log?from=first', undefined, ['`from`', 'got "first"']],
    ['GET', 'threads/ada/a%20b/log', undefined, ['`thread`', 'got "a b"']],
    ['GET', 'users/~ada', undefined, ['`id`', '`~.`', 'one more `~`', 'got "~ada"']],
    ['PUT', 'users/ada/tier', { tier: 'gold medal', reason: 'x' }, ['`tier`', 'got "gold medal"']],
    ['PUT', 'users/ada/tier', { tier: 'gold' }, ['`reason`', 'got nothing']],
    ['POST', 'nodes/gw-1/drain', { timeoutMs: -1, reason: 'x' }, ['`timeoutMs`', 'at least 0', 'got -1']],
    ['POST', 'drills/frozen-tabs/start', { count: 201 }, ['`count`', 'at most 200', 'got 201']],
    ['POST', 'drills/runs/drl_x/stop', { now: true }, ['"now"']],
    ['POST', 'users/ada/free', {}, ['`reason`']],
    ['POST', 'users/ada/free', { reason: 'x' }, ['exactly one of `managers`']],
    ['POST', 'users/ada/free', { reason: 'x', count: 1, unresponsive: true }, ['exactly one of `managers`']],
    ['POST', 'users/ada/free', { reason: 'x', count: '3' }, ['`count`', 'a number', 'got "3"']],
    ['POST', 'managers/mgr_x/evict', { overrideProtection: true }, ['`reason`']],
    ['POST', 'managers/mgr_x/evict', { reason: '' }, ['`reason`']],
    ['POST', 'cleanup/plan', { user: 'ada', ned: 2 }, ['"ned"']],
    ['POST', 'cleanup/run', { planId: 'pln_x', level: 'gentle', reason: 'x' }, ['`level`', '"conservative"', 'got "gentle"']],
  ] as const)('%s %s %o says what was expected and what came', async (method, path, body, parts) => {
    await using admin = await startWithAdmin();
    const { detail } = await expectProblem(await admin.ask(method, path, body), 400, 'bad-request');
    for (const part of parts) expect(detail).toContain(part);
  });

  test('because its body is no JSON, or none, is told that', async () => {
    await using admin = await startWithAdmin();
    const post = (headers: Record<string, string>, body: string) =>
      fetch(`${admin.url}/admin/api/v1/cleanup/plan`, { method: 'POST', headers: { authorization: `Bearer ${ADMIN_KEY}`, ...headers }, body });
    for (const body of ['', '{"user"', '"ada"', '[]']) await expectProblem(await post({ 'content-type': 'application/json' }, body), 400, 'bad-request');
    expect((await expectProblem(await post({}, '{"user":"ada"}'), 400, 'bad-request')).detail).toContain('application/json');
    await expectProblem(await post({ 'content-type': 'application/json' }, ' '.repeat(1_048_577)), 413, 'payload-too-large');
  });
});

describe('the description', () => {
  test('is a valid OpenAPI document that names every path', async () => {
    await using admin = await startWithAdmin();
    const document = await admin.get('openapi.json');
    const { valid, errors } = await new Validator().validate(document);
    expect(valid, JSON.stringify(errors)).toBe(true);
    const paths = Object.keys(document.paths).map((path) => path.replace('/admin/api/v1/', ''));
    expect(paths.sort()).toEqual(
      [
        ...[...HEALTH, 'metrics', 'version'].map((name) => `/${name}`),
        'alerts',
        'audit',
        'cleanup/history',
        'cleanup/history/{run}',
        'cleanup/plan',
        'cleanup/run',
        'config',
        'consistency',
        'drills',
        'drills/runs',
        'drills/runs/{id}',
        'drills/runs/{id}/stop',
        'drills/{name}/start',
        'events',
        'health-check',
        'managers',
        'managers/{id}',
        'managers/{id}/evict',
        'managers/{id}/explain',
        'managers/{id}/probe',
        'nodes',
        'nodes/{id}/drain',
        'queue',
        'status',
        'threads/{user}/{thread}/log',
        'users',
        'users/{id}',
        'users/{id}/free',
        'users/{id}/tier',
      ].sort(),
    );
  });

  test('and docs/admin-api.md name the same requests', async () => {
    await using admin = await startWithAdmin();
    const page = readFileSync(new URL('../../docs/admin-api.md', import.meta.url), 'utf8');
    const told = [...page.matchAll(/^\| `(GET|POST|PUT) ([a-z/:.-]+)(?:\?([a-z&]+))?`/gm)].map(([, method, path, query]) => `${method} ${path}?${query ?? ''}`);
    const { paths } = await admin.get('openapi.json');
    const served = Object.entries(paths as Record<string, Record<string, { parameters?: { in: string; name: string }[] }>>)
      .filter(([path]) => path.startsWith('/admin/'))
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, { parameters = [] }]) => {
          const query = parameters.filter((one) => one.in === 'query' && one.name !== 'pretty').map(({ name }) => name);
          return `${method.toUpperCase()} ${path.replace('/admin/api/v1/', '').replace(/\{(\w+)\}/g, ':$1')}?${query.join('&')}`;
        }),
      );
    expect(told.toSorted()).toEqual([...served, 'GET openapi.json?'].toSorted());
  });

  test('holds behind a prefix too', async () => {
    await using admin = await startWithAdmin({ prefix: '/chat' });
    expect(Object.keys((await admin.get('openapi.json')).paths)).toContain('/chat/admin/api/v1/status');
    expect((await fetch(`${admin.url}/chat/readyz`)).status).toBe(200);
  });
});

test('health is for anybody, on this port too', async () => {
  await using admin = await startWithAdmin();
  for (const path of HEALTH) {
    const [here, public_] = await Promise.all([fetch(`${admin.url}/${path}`), fetch(`${admin.gw.url}/${path}`)]);
    expect(await here.json()).toEqual(await public_.json());
  }
});

test('`pretty` spreads an answer over lines; left out it is one', async () => {
  await using admin = await startWithAdmin();
  expect(await (await admin.ask('GET', 'status?pretty')).text()).toContain('\n  "node": "gw-1"');
  expect(await (await admin.ask('GET', 'status')).text()).not.toContain('\n');
  expect(await (await admin.ask('GET', 'nothing?pretty')).text()).toContain('\n  "code": "not-found"');
});

import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { mintRoleToken, ROLES } from '../../src/auth/role-tokens.ts';
import type { GatewayOptions } from '../../src/gateway/gateway-options.ts';
import type { OperatorRole } from '../../src/ports/events.ts';
import { type AdminGateway, startWithAdmin } from '../support/admin.ts';
import { drillBoard } from '../support/drill-board.ts';
import { EventReader, expectProblem } from './http-support.ts';

const SIGNING_KEY = new Uint8Array(32).fill(7);
const HOUR_MS = 3_600_000;
const reason = 'a test of roles';

const tokenOf = (role: OperatorRole, livesMs = HOUR_MS): Promise<string> => mintRoleToken(SIGNING_KEY, { role, expiresAt: Date.now() + livesMs });
const as = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

/** Every path of the API: who may ask, and a request that is understood. What it is about is not there, so that the table changes nothing. */
const PATHS: readonly (readonly [needed: OperatorRole, method: string, path: string, body?: object])[] = [
  ['viewer', 'GET', 'status'],
  ['viewer', 'GET', 'health-check'],
  ['viewer', 'GET', 'users'],
  ['viewer', 'GET', 'users/nobody'],
  ['viewer', 'GET', 'managers'],
  ['viewer', 'GET', 'managers/mgr_x'],
  ['viewer', 'GET', 'managers/mgr_x/explain'],
  ['viewer', 'GET', 'cleanup/history'],
  ['viewer', 'GET', 'cleanup/history/cln_x'],
  ['viewer', 'GET', 'queue'],
  ['viewer', 'GET', 'events'],
  ['viewer', 'GET', 'consistency'],
  ['viewer', 'GET', 'threads/nobody/plans/log'],
  ['viewer', 'GET', 'nodes'],
  ['viewer', 'GET', 'alerts'],
  ['viewer', 'GET', 'audit'],
  ['viewer', 'GET', 'config'],
  ['viewer', 'GET', 'drills'],
  ['viewer', 'GET', 'drills/runs'],
  ['viewer', 'GET', 'drills/runs/drl_x'],
  ['operator', 'POST', 'users/nobody/free', { unresponsive: true, reason }],
  ['operator', 'POST', 'managers/mgr_x/probe'],
  ['operator', 'POST', 'managers/mgr_x/evict', { reason }],
  ['operator', 'POST', 'cleanup/plan', { user: 'nobody' }],
  ['operator', 'POST', 'cleanup/run', { planId: 'pln_x', level: 'force', reason }],
  ['operator', 'POST', 'drills/no-drill/start', { reason }],
  ['operator', 'POST', 'drills/runs/drl_x/stop', { reason }],
  ['admin', 'PUT', 'users/nobody/tier', { tier: null, reason }],
  ['admin', 'POST', 'nodes/gw-2/drain', { reason }],
];

const start = (options: Partial<GatewayOptions> = {}): Promise<AdminGateway> => startWithAdmin({ signingKey: SIGNING_KEY, drills: drillBoard(), ...options });

describe('roles', () => {
  test('the table above holds every path', async () => {
    await using admin = await start();
    const { paths } = await admin.get('openapi.json');
    const described = Object.entries(paths as Record<string, Record<string, { description?: string }>>)
      .filter(([path]) => path.startsWith('/admin/'))
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, { description }]) => `${description?.match(/`(\w+)`/)?.[1] ?? 'viewer'} ${method.toUpperCase()} ${path}`),
      );
    const shapeOf = (path: string): RegExp => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`);
    for (const line of described) {
      const [needed, method, path] = line.split(' ') as [string, string, string];
      const row = PATHS.find((one) => one[1] === method && shapeOf(path).test(`/admin/api/v1/${one[2]}`));
      expect(row?.[0], line).toBe(needed);
    }
    expect(described).toHaveLength(PATHS.length);
  });

  test.each(ROLES)('a %s may do what the table says, and nothing above it', async (role) => {
    await using admin = await start();
    const token = await tokenOf(role);
    for (const [needed, method, path, body] of PATHS) {
      const response = await admin.ask(method, path, body, as(token));
      if (ROLES.indexOf(role) >= ROLES.indexOf(needed)) {
        expect([200, 404], `${method} ${path}: ${await response.clone().text()}`).toContain(response.status);
        await response.body?.cancel();
      } else {
        const { detail } = await expectProblem(response, 403, 'forbidden');
        expect(detail).toMatch(new RegExp(`role \`${needed}\`.*role \`${role}\`.*spillway token create --role ${needed}`));
      }
    }
  });

  test('who may not do it learns that first, whatever else is wrong with what was asked', async () => {
    await using admin = await start();
    await expectProblem(await admin.ask('POST', 'managers/mgr_x/evict', { nonsense: true }, as(await tokenOf('viewer'))), 403, 'forbidden');
  });

  test.each([
    ['signed with another key', () => mintRoleToken(new Uint8Array(32).fill(8), { role: 'admin', expiresAt: Date.now() + HOUR_MS })],
    ['for another audience', () => forged({ role: 'admin' }, 'spillway')],
    ['of a role that is none', () => forged({ role: 'owner' }, 'spillway-admin')],
    ['without a role', () => forged({}, 'spillway-admin')],
  ])('a token %s opens nothing', async (_, make) => {
    await using admin = await start();
    await expectProblem(await admin.ask('GET', 'status', undefined, as(await make())), 401, 'unauthorized');
  });

  test('a token that has ended says so, and an event stream ends with its token', async () => {
    await using admin = await start();
    const token = await tokenOf('viewer', 1_500);
    await using live = new EventReader(await admin.ask('GET', 'events', undefined, { ...as(token), accept: 'text/event-stream' }));
    expect(await live.next()).toMatchObject({ event: 'bye' });
    expect(await live.next()).toBeNull();
    const refused = await expectProblem(await admin.ask('GET', 'status', undefined, as(token)), 401, 'credential-expired');
    expect(refused.detail).toContain('spillway token create');
  });
});

describe('`admin.readOnly`', () => {
  test('refuses every change to everybody, and nothing else', async () => {
    await using admin = await start({ adminReadOnly: true });
    const { ready } = await admin.gw.seat('ada');
    for (const [needed, method, path, body] of PATHS) {
      const response = await admin.ask(method, path, body);
      if (needed === 'viewer' || path === 'cleanup/plan') {
        expect([200, 404], `${method} ${path}`).toContain(response.status);
        await response.body?.cancel();
      } else expect((await expectProblem(response, 403, 'forbidden')).detail).toMatch(/read-only.*`admin\.readOnly`.*Nothing was changed/);
    }
    await expectProblem(await admin.ask('POST', `managers/${ready.manager}/evict`, { reason }), 403, 'forbidden');
    await expectProblem(await admin.ask('POST', 'nodes/gw-1/drain', { reason }), 403, 'forbidden');
    expect(await admin.get('status')).toMatchObject({ seats: 1, evicted: 0 });
    expect((await fetch(`${admin.url}/readyz`)).status).toBe(200);
  });
});

/** As ours, but for what it says. */
async function forged(claims: Record<string, string>, audience: string): Promise<string> {
  const { hkdfSync } = await import('node:crypto');
  const key = new Uint8Array(hkdfSync('sha256', SIGNING_KEY, new Uint8Array(0), 'spillway role token', 32));
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setIssuer('spillway').setAudience(audience).setExpirationTime('1h').sign(key);
}

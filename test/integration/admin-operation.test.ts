import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Alerts, Configuration, Draining, DrillRun, DrillRuns, DrillStopped, Drills, Nodes, TierSet, Version } from '../../src/schemas/admin-operation.ts';
import { type AdminGateway, expectShape, startWithAdmin } from '../support/admin.ts';
import { drillBoard } from '../support/drill-board.ts';
import { FaultyStore } from '../support/faulty-store.ts';
import { HELLO } from '../support/gateway.ts';
import type { WireClient } from '../support/wire-client.ts';
import { expectProblem } from './http-support.ts';

const reason = 'a planned change';

describe('nodes', () => {
  test('this one tells how it is, and null for what it does not know', async () => {
    await using admin = await startWithAdmin();
    await admin.gw.gateway.recovered;
    await admin.gw.seat('ada');
    const answer = await admin.get('nodes');
    expectShape(Nodes, answer);
    expect(answer.nodes).toEqual([
      expect.objectContaining({ node: 'gw-1', state: 'ready', managers: 1, zombies: 0, storeMs: expect.any(Number), leaseMs: expect.any(Number) }),
    ]);
    expect(answer.nodes[0].rssBytes).toBeGreaterThan(10_000_000);
    // Its first second is not over: nothing was measured of it. Later it is.
    await expect.poll(async () => (await admin.get('nodes')).nodes[0].loopP99Ms, { timeout: 5_000 }).not.toBeNull();
    const { cpuShare, loopP99Ms } = (await admin.get('nodes')).nodes[0];
    expect(cpuShare).toBeGreaterThan(0);
    // A share of one core each, which no machine has so many of; and a second that is over cannot have been late by a minute.
    expect(cpuShare).toBeLessThan(1_000);
    expect(loopP99Ms).toBeLessThan(60_000);
  });

  test('a store that does not answer has no time', async () => {
    const store = new FaultyStore();
    store.health = () => Promise.reject(new Error('gone'));
    await using admin = await startWithAdmin({ store });
    expect((await admin.get('nodes')).nodes).toMatchObject([{ storeMs: null }]);
  });

  test('a drain answers at once, moves everybody away, and takes nobody any more', async () => {
    await using admin = await startWithAdmin({ shutdown: { predelayMs: 0, spreadMs: 0, timeoutMs: 5_000 } });
    const { client } = await admin.gw.seat('ada');
    const finished = new Promise((resolve) => admin.gw.gateway.on('drain-finished', resolve));
    const response = await admin.ask('POST', 'nodes/gw-1/drain', { timeoutMs: 2_000, reason });
    expect(response.status).toBe(202);
    const answer = await response.json();
    expectShape(Draining, answer);
    expect(answer).toEqual({ node: 'gw-1', state: 'draining', withinMs: 2_000 });
    expect((await client.closed).code).toBe(4001);
    await finished;
    expect((await fetch(`${admin.url}/readyz`)).status).toBe(503);
    expect((await admin.get('nodes')).nodes).toMatchObject([{ state: 'draining' }]);
    // Again is no other drain: the one that is under way goes on as it was asked for.
    expect(await admin.post('nodes/gw-1/drain', { timeoutMs: 9_000, reason })).toMatchObject({ withinMs: 2_000 });
    expect((await admin.get('events?type=drain-started')).events).toHaveLength(1);
  });

  test('another node is unknown, and nothing is drained for it', async () => {
    await using admin = await startWithAdmin();
    expect((await expectProblem(await admin.ask('POST', 'nodes/gw-2/drain', { reason }), 404, 'not-found')).detail).toMatch(/`gw-1`.*got `gw-2`/);
    expect((await admin.get('nodes')).nodes[0].state).not.toBe('draining');
  });
});

describe('tiers', () => {
  test('given by an operator count for whoever comes, and not for who is here', async () => {
    await using admin = await startWithAdmin();
    const before = await admin.gw.seat('ada');
    const answer = await (await admin.ask('PUT', 'users/ada/tier', { tier: 'enterprise', reason })).json();
    expectShape(TierSet, answer);
    expect(answer).toEqual({ user: 'ada', tier: 'enterprise', unanswered: [] });
    const after = await admin.gw.seat('ada');
    const tierOf = async (id: string): Promise<string> => (await admin.get(`managers/${id}`)).tier;
    expect([await tierOf(before.ready.manager), await tierOf(after.ready.manager)]).toEqual(['free', 'enterprise']);
    expect(await admin.get('users/ada')).toMatchObject({ tier: 'enterprise' });
    expect((await (await admin.gw.request('GET', '/v1/auth/me', { user: 'ada' })).json()) as object).toMatchObject({ limits: { tier: 'enterprise' } });
    await admin.ask('PUT', 'users/ada/tier', { tier: null, reason });
    expect(await tierOf((await admin.gw.seat('ada')).ready.manager)).toBe('free');
  });

  test('count at once for who waits at the gate of a full node', async () => {
    await using admin = await startWithAdmin({ limits: { perNode: 1 }, queue: { waitMs: 10_000 } });
    const holder = await admin.gw.seat('holder');
    const knock = async (user: string): Promise<WireClient> => {
      const client = (await admin.gw.open({ deadlineMs: 10_000 })).behave();
      client.sendFrame({ ...HELLO, token: await admin.gw.token(user) });
      await client.next('queued');
      return client;
    };
    await knock('ada');
    const ben = await knock('ben');
    const order = async (): Promise<string[]> => (await admin.get('queue')).queued.map(({ user, tier }: { user: string; tier: string }) => `${user} ${tier}`);
    expect(await order()).toEqual(['ada free', 'ben free']);
    await admin.ask('PUT', 'users/ben/tier', { tier: 'enterprise', reason });
    expect(await order()).toEqual(['ben enterprise', 'ada free']);
    holder.client.sendFrame({ type: 'bye', reason: 'left' });
    await ben.next('ready');
  });

  test('can be given to users of any name', async () => {
    await using admin = await startWithAdmin();
    for (const [id, segment] of [
      ['.', '~.'],
      ['..', '~..'],
      ['~ada', '~~ada'],
      ['a/b?c#d', encodeURIComponent('a/b?c#d')],
    ] as const) {
      await admin.gw.seat(id);
      expect(await (await admin.ask('PUT', `users/${segment}/tier`, { tier: 'mid', reason })).json()).toEqual({ user: id, tier: 'mid', unanswered: [] });
      expect(await admin.get(`users/${segment}`)).toMatchObject({ user: id, tier: 'mid', seats: 1 });
    }
    expect((await expectProblem(await admin.ask('GET', 'users/..'), 404, 'not-found')).detail).toContain('`~..`');
  });
});

describe('what is around a node', () => {
  test('alerts are all there, quiet ones too', async () => {
    await using admin = await startWithAdmin();
    const answer = await admin.get('alerts');
    expectShape(Alerts, answer);
    expect(answer.alerts.map(({ alert }: { alert: string }) => alert)).toContain('Lockout');
    expect(answer.alerts.every(({ state }: { state: string }) => state === 'quiet')).toBe(true);
  });

  test('the configuration says what was given and what is by default', async () => {
    await using admin = await startWithAdmin({ limits: { perUser: 3 } });
    const answer = await admin.get('config');
    expectShape(Configuration, answer);
    const of = (key: string): unknown => answer.options.find((one: { key: string }) => one.key === key);
    expect(of('limits.perUser')).toMatchObject({ value: 3, source: 'code' });
    expect(of('queue.waitMs')).toMatchObject({ source: 'default' });
  });

  test('drills are started, told of and stopped, one at a time', async () => {
    await using admin = await startWithAdmin({ drills: drillBoard() });
    expectShape(Drills, await admin.get('drills'));
    const response = await admin.ask('POST', 'drills/frozen-tabs/start', { count: 5, user: 'ada' });
    expect(response.status).toBe(201);
    const run = await response.json();
    expectShape(DrillRun, run);
    expect(run).toMatchObject({ name: 'frozen-tabs', user: 'drill:ada', count: 5, state: 'running' });
    expect((await expectProblem(await admin.ask('POST', 'drills/frozen-tabs/start'), 409, 'protected')).detail).toContain('Another drill runs');
    expectShape(DrillRuns, await admin.get('drills/runs'));
    expect(await admin.get(`drills/runs/${run.id}`)).toEqual(run);
    const stopped = await admin.post(`drills/runs/${run.id}/stop`);
    expectShape(DrillStopped, stopped);
    expect(stopped).toMatchObject({ stopped: true, run: { id: run.id, state: 'stopped' } });
    expect(await admin.post(`drills/runs/${run.id}/stop`)).toMatchObject({ stopped: false });
    expect((await expectProblem(await admin.ask('POST', 'drills/frozen-tabs/start', { count: 41 }), 400, 'bad-request')).detail).toMatch(/at most 40, got 41/);
    expect((await expectProblem(await admin.ask('POST', 'drills/melted-tabs/start'), 404, 'not-found')).detail).toMatch(/frozen-tabs; got `melted-tabs`/);
    expect((await expectProblem(await admin.ask('GET', 'drills/runs/drl_x'), 404, 'not-found')).detail).toContain('drl_x');
  });

  test('without drills every path of theirs says how to have them', async () => {
    await using admin = await startWithAdmin();
    const paths = [
      ['GET', 'drills'],
      ['POST', 'drills/frozen-tabs/start'],
      ['GET', 'drills/runs'],
      ['GET', 'drills/runs/drl_x'],
      ['POST', 'drills/runs/drl_x/stop'],
    ] as const;
    for (const [method, path] of paths) expect((await expectProblem(await admin.ask(method, path), 404, 'not-found')).detail).toMatch(/option `drills`/);
  });
});

test('the version is told to anybody, at the root of the port', async () => {
  await using admin = await startWithAdmin();
  expectShape(Version, await (await fetch(`${admin.url}/version`)).json());
});

describe('the dashboard', () => {
  test('is at the root of the operators’ port for anybody, and its data is not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spillway-pages-'));
    try {
      await mkdir(join(folder, 'assets'));
      await writeFile(join(folder, 'index.html'), '<!doctype html><title>dashboard</title>');
      await writeFile(join(folder, 'assets', 'page-1234.js'), 'export {};');
      await using admin: AdminGateway = await startWithAdmin({ dashboardPages: folder });
      const page = await fetch(`${admin.url}/`);
      expect(await page.text()).toContain('dashboard');
      expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
      expect((await fetch(`${admin.url}/assets/page-1234.js`)).headers.get('cache-control')).toContain('immutable');
      await expectProblem(await fetch(`${admin.url}/admin/api/v1/status`), 401, 'unauthorized');
      expect((await fetch(`${admin.gw.url}/assets/page-1234.js`)).status).toBe(404);
    } finally {
      await rm(folder, { recursive: true });
    }
    await expect(startWithAdmin({ dashboardPages: join(tmpdir(), 'spillway-nowhere') })).rejects.toThrow('`dashboardPages`');
  });
});

/** Operators over several nodes: what they look at is gathered from all of them, what they do is done where it must be, and who does not
 *  answer is named. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeCard } from '../../src/ports/cluster.ts';
import type { NodeId } from '../../src/protocol/ids.ts';
import { Cleanups, Events, FreedByOperator, Managers, Queue, Users } from '../../src/schemas/admin-bodies.ts';
import { AuditEntries, Nodes } from '../../src/schemas/admin-operation.ts';
import { Consistency, Status, UserDetail } from '../../src/schemas/admin-reports.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { type AdminGateway, expectShape, type Json, startWithAdmin } from '../support/admin.ts';
import { LiveClient } from '../support/live.ts';

const reason = 'seen in a test';
const NAMES = ['gw-1', 'gw-2', 'gw-3'] as const;

/** Resolves when a node has met so many, itself included. */
async function knows({ gw }: AdminGateway, nodes: number): Promise<void> {
  const { cluster } = gw.gateway.factory;
  if (cluster === null) throw new Error('Expected a store that is shared.');
  await new Promise<void>((resolve) => {
    const undo = cluster.onJoin(() => look());
    const look = (): void => {
      if (cluster.living < nodes) return;
      undo();
      resolve();
    };
    look();
  });
}

/** Three gateways on one store, each of which knows the others. */
async function threeNodes(): Promise<{ readonly nodes: readonly AdminGateway[]; readonly store: ReturnType<typeof memoryStore> } & AsyncDisposable> {
  const store = memoryStore({ cluster: true });
  await using stack = new AsyncDisposableStack();
  const nodes: AdminGateway[] = [];
  for (const node of NAMES) nodes.push(stack.use(await startWithAdmin({ store, node })));
  await Promise.all(nodes.map((node) => knows(node, NAMES.length)));
  const kept = stack.move();
  return { nodes, store, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

let scene: Awaited<ReturnType<typeof threeNodes>>;
let [one, two, three] = [] as unknown as [AdminGateway, AdminGateway, AdminGateway];
const managers: string[] = [];

beforeAll(async () => {
  scene = await threeNodes();
  [one, two, three] = scene.nodes as typeof scene.nodes & [AdminGateway, AdminGateway, AdminGateway];
  for (const [i, user] of [
    [0, 'ada'],
    [1, 'ada'],
    [1, 'ben'],
    [2, 'cleo'],
    [2, 'ada'],
  ] as const)
    managers.push((await scene.nodes[i]?.gw.seat(user))?.ready.manager);
});
afterAll(() => scene[Symbol.asyncDispose]());

describe('what is looked at', () => {
  test('every node is listed, the one that is asked first', async () => {
    const answer = await two.get('nodes');
    expectShape(Nodes, answer);
    expect(answer.nodes.map((node: Json) => [node.node, node.state, node.managers])).toEqual([
      ['gw-2', 'ready', 2],
      ['gw-1', 'ready', 1],
      ['gw-3', 'ready', 2],
    ]);
    expect(answer.unanswered).toEqual([]);
  });

  test('figures are those of all nodes together, whichever is asked', async () => {
    for (const { get } of scene.nodes) {
      const status = await get('status');
      expectShape(Status, status);
      expect(status).toMatchObject({ seats: 5, sockets: 5, created: 5, unanswered: [], managersByVerdict: { healthy: 5 } });
      expect(status.nodes.toSorted()).toEqual(NAMES);
    }
  });

  test('a user has one row, and its room holds the sessions of all nodes', async () => {
    const users = await one.get('users');
    expectShape(Users, users);
    expect(users.users.map((user: Json) => [user.user, user.seats, user.nodes.toSorted()])).toEqual([
      ['ada', 3, ['gw-1', 'gw-2', 'gw-3']],
      ['ben', 1, ['gw-2']],
      ['cleo', 1, ['gw-3']],
    ]);
    const ada = await three.get('users/ada');
    expectShape(UserDetail, ada);
    expect(ada.managers.map((manager: Json) => manager.node).toSorted()).toEqual(NAMES);
    expect(ada).toMatchObject({ seats: 3, sockets: 3, effective: 3 });
    expect(await one.get('users/cleo')).toMatchObject({ seats: 1, managers: [{ node: 'gw-3' }] });
  });

  test.each(['id', 'age', 'last-ack', 'unacked', 'idle'])('managers by %s: pages over nodes skip nobody and repeat nobody', async (sort) => {
    const seen: string[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < 5; page++) {
      const answer = await two.get(`managers?limit=2&sort=${sort}${cursor === null ? '' : `&cursor=${cursor}`}`);
      expectShape(Managers, answer);
      seen.push(...answer.managers.map((manager: Json) => manager.managerId));
      cursor = answer.nextCursor;
      if (cursor === null) break;
    }
    expect(cursor).toBeNull();
    expect(seen.toSorted()).toEqual(managers.toSorted());
    if (sort === 'id') expect(seen).toEqual(managers.toSorted());
    if (sort === 'age') expect(seen).toEqual(managers);
  });

  test.each(['id', 'seats', 'zombies'])('users by %s: one row each, over pages too', async (sort) => {
    const seen: [string, number][] = [];
    let cursor: string | null = null;
    for (let page = 0; page < 8; page++) {
      const answer = await one.get(`users?limit=1&sort=${sort}${cursor === null ? '' : `&cursor=${cursor}`}`);
      seen.push(...answer.users.map((user: Json) => [user.user, user.seats] as [string, number]));
      cursor = answer.nextCursor;
      if (cursor === null) break;
    }
    expect(cursor).toBeNull();
    expect(seen.toSorted()).toEqual([
      ['ada', 3],
      ['ben', 1],
      ['cleo', 1],
    ]);
  });

  test('events of all nodes come in the order in which they happened, and the cursor goes on behind them', async () => {
    const first = await one.get('events?type=manager-seated&limit=3');
    expectShape(Events, first);
    expect(first.events.map((event: Json) => event.data.managerId)).toEqual(managers.slice(2));
    const { client } = await three.gw.seat('dora');
    const next = await one.get(`events?type=manager-seated&cursor=${first.nextCursor}`);
    expect(next.events).toMatchObject([{ node: 'gw-3', data: { user: 'dora' } }]);
    client.sendFrame({ type: 'bye', reason: 'left' });
    await expect.poll(async () => (await one.get('status')).seats).toBe(5);
    expect((await one.get('events?type=manager-ended&node=gw-3')).events).toMatchObject([{ node: 'gw-3' }]);
    expect((await one.get('events?type=manager-ended&node=gw-2')).events).toEqual([]);
    expect((await one.ask('GET', 'events?node=gw-9')).status).toBe(404);
  });

  test('a manager of another node is found and explained', async () => {
    const [, second] = managers;
    expect(await three.get(`managers/${second}`)).toMatchObject({ managerId: second, node: 'gw-2' });
    expect(await three.get(`managers/${second}/explain`)).toMatchObject({ managerId: second, node: 'gw-2', goesAt: expect.anything() });
    expect((await three.ask('GET', 'managers/mgr_nobody')).status).toBe(404);
  });

  test('what this node refuses is refused as it refuses it', async () => {
    expect((await one.ask('GET', 'managers?limit=0')).status).toBe(400);
    expect(await (await one.ask('GET', 'managers?sort=size')).json()).toMatchObject({ code: 'bad-request' });
    expect((await one.ask('GET', 'status', undefined, { authorization: 'Bearer nobody' })).status).toBe(401);
  });

  test('queue and consistency are those of all nodes', async () => {
    expectShape(Queue, await one.get('queue'));
    const told = await one.get('consistency');
    expectShape(Consistency, told);
    expect(told).toMatchObject({ differences: [], unanswered: [] });
  });

  test('the live connection tells of all nodes', async () => {
    await using page = await LiveClient.welcomed(one);
    page.watch(1, { of: 'nodes' });
    expect((await page.update('nodes', ({ nodes }) => nodes.length === 3)).nodes[0]).toMatchObject({ node: 'gw-1' });
    page.watch(2, { of: 'summary' });
    expect(await page.update('summary', ({ summary }) => summary.seats === 5)).toMatchObject({ unanswered: [] });
    page.watch(3, { of: 'managers', sort: 'age', window: { from: 0, size: 3 } });
    const list = await page.update('managers');
    expect(list.total).toBe(5);
    expect(list).not.toHaveProperty('unanswered');
    expect(list.rows.map(({ manager }) => manager)).toEqual(managers.slice(0, 3));
    page.watch(4, { of: 'users', sort: 'seats', window: { from: 0, size: 10 } });
    expect((await page.update('users')).rows.map(({ user, seats }) => [user, seats])).toEqual([
      ['ada', 3],
      ['ben', 1],
      ['cleo', 1],
    ]);
    page.watch(5, { of: 'user', user: 'ada' });
    expect((await page.update('user')).user).toMatchObject({ seats: 3 });
    page.watch(6, { of: 'manager', manager: managers[3] ?? '' });
    const told = await page.update('manager');
    expect(told.manager).toMatchObject({ node: 'gw-3' });
    expect(told.timeline.map(({ type }) => type)).toContain('manager-seated');
    page.watch(7, { of: 'queue' });
    expect(await page.update('queue')).toMatchObject({ total: 0, queued: [] });
  });
});

describe('what is done', () => {
  test('a probe is asked where its manager is', async () => {
    expect(await one.post(`managers/${managers[3]}/probe`, { reason })).toMatchObject({ managerId: managers[3], node: 'gw-3' });
    const { entries } = await two.get('audit?action=probe-manager');
    expect(entries).toMatchObject([{ node: 'gw-3', via: 'gw-1', action: 'probe-manager', target: managers[3], outcome: 'done' }]);
  });

  test('an eviction takes the seat on its node, and the audit there names who asked', async () => {
    const { ready, client } = await two.gw.seat('eve');
    expect(await three.post(`managers/${ready.manager}/evict`, { reason })).toEqual({ freed: [ready.manager] });
    expect((await client.closed).code).toBeGreaterThanOrEqual(4200);
    const audit = await one.get('audit?action=evict-manager');
    expectShape(AuditEntries, audit);
    expect(audit.entries).toMatchObject([{ node: 'gw-2', via: 'gw-3', target: ready.manager, outcome: 'done', reason }]);
    const cleanups = await one.get('cleanup/history?user=eve');
    expectShape(Cleanups, cleanups);
    expect(cleanups.cleanups).toMatchObject([{ node: 'gw-2', cleanup: { user: 'eve' } }]);
    expect(await one.get(`cleanup/history/${cleanups.cleanups[0].cleanup.run}`)).toMatchObject({ node: 'gw-2' });
  });

  test('named sessions of a user are freed where they are, or none of them', async () => {
    const here = (await one.gw.seat('finn')).ready.manager;
    const there = (await three.gw.seat('finn')).ready.manager;
    const strange = await two.ask('POST', 'users/finn/free', { managers: [here, 'mgr_nobody'], reason });
    expect(strange.status).toBe(404);
    expect(await two.get('users/finn')).toMatchObject({ seats: 2 });
    const freed = await two.post('users/finn/free', { managers: [here, there], reason });
    expectShape(FreedByOperator, freed);
    expect(freed.freed.toSorted()).toEqual([here, there].toSorted());
    // Its sockets may take their farewell first.
    await expect.poll(async () => (await two.ask('GET', 'users/finn')).status, { timeout: 5_000 }).toBe(404);
  });

  test('a tier counts on every node', async () => {
    expect(await (await one.ask('PUT', 'users/gil/tier', { tier: 'enterprise', reason })).json()).toEqual({ user: 'gil', tier: 'enterprise', unanswered: [] });
    await three.gw.seat('gil');
    expect((await one.get('users/gil')).tier).toBe('enterprise');
    const { entries } = await one.get('audit?action=set-tier');
    expect(entries.map((entry: Json) => entry.node).toSorted()).toEqual(NAMES);
  });

  test('a plan is carried out by the node that made it', async () => {
    await two.gw.seat('hal');
    const plan = await two.post('cleanup/plan', { user: 'hal', need: 0 });
    expect((await three.post('cleanup/run', { planId: plan.planId, level: 'aggressive', reason })).cleanup).toMatchObject({ user: 'hal', victims: [] });
    expect((await three.ask('POST', 'cleanup/run', { planId: 'pln_nobody', level: 'aggressive', reason })).status).toBe(404);
  });

  test('a viewer is refused there as here', async () => {
    const refused = await one.ask('POST', `managers/${managers[1]}/evict`, {});
    expect(refused.status).toBe(400);
    expect(await two.get(`managers/${managers[1]}`)).toMatchObject({ node: 'gw-2' });
  });
});

describe('a node that does not answer', () => {
  test('is named, and nothing smaller is shown without a word', async () => {
    await using other = await threeNodes();
    const [first] = other.nodes as [AdminGateway];
    await other.nodes[1]?.gw.seat('ada');
    // A process that beats and reads no letters: stopped, or on the other side of a cut.
    const card: NodeCard = { node: 'gw-9' as NodeId, incarnation: 'x', version: '0.1.0', startedAt: Date.now(), managers: 7, isDraining: false };
    await other.store.cluster?.beat(card, 60_000);
    await knows(first, 4);
    const askedAt = performance.now();
    expect(await first.get('status')).toMatchObject({ seats: 1, unanswered: ['gw-9'] });
    expect(performance.now() - askedAt).toBeLessThan(3_000);
    for (const path of ['users', 'managers', 'queue', 'events', 'audit', 'cleanup/history', 'consistency', 'users/ada'])
      expect(await first.get(path), path).toMatchObject({ unanswered: ['gw-9'] });
    const { nodes } = await first.get('nodes');
    expect(nodes.find((node: Json) => node.node === 'gw-9')).toMatchObject({ state: 'silent', managers: 7, zombies: null });
    expect(await (await first.ask('GET', 'managers/mgr_nobody')).json()).toMatchObject({
      code: 'not-found',
      detail: expect.stringContaining('gw-9 did not answer'),
    });
    expect(await (await first.ask('POST', 'users/ada/free', { unresponsive: true, reason })).json()).toMatchObject({ detail: expect.stringContaining('gw-9') });
  });

  test('another one is drained by its name, and ends there', async () => {
    await using other = await threeNodes();
    const [first, second] = other.nodes as [AdminGateway, AdminGateway];
    const { client } = await second.gw.seat('ada');
    const response = await first.ask('POST', 'nodes/gw-2/drain', { timeoutMs: 1_000, reason });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ node: 'gw-2', state: 'draining' });
    expect((await client.closed).code).toBe(4001);
    expect((await first.get('nodes')).nodes.find((node: Json) => node.node === 'gw-2')).toMatchObject({ state: 'draining' });
    expect((await first.get('audit?action=drain-node')).entries).toMatchObject([{ node: 'gw-2', via: 'gw-1' }]);
    expect((await first.ask('POST', 'nodes/gw-8/drain', { reason })).status).toBe(404);
  });
});

import { describe, expect, test } from 'vitest';
import { Cleanups, Managers, Queue, Users } from '../../src/schemas/admin-bodies.ts';
import { Consistency, Explanation, HealthCheck, ManagerDetail, Status, UserDetail } from '../../src/schemas/admin-reports.ts';
import { expectShape, startWithAdmin } from '../support/admin.ts';
import { HELLO } from '../support/gateway.ts';
import { expectProblem } from './http-support.ts';

describe('how the node stands', () => {
  test('every answer has the shape that the OpenAPI document gives', async () => {
    await using admin = await startWithAdmin({ limits: { perUser: 2 } });
    const { ready } = await admin.gw.seat('ada');
    await admin.gw.seat('ada');
    await admin.gw.seat('ben');
    expectShape(Status, await admin.get('status'));
    expectShape(HealthCheck, await admin.get('health-check'));
    expectShape(Queue, await admin.get('queue'));
    expectShape(Consistency, await admin.get('consistency'));
    expectShape(Users, await admin.get('users'));
    expectShape(UserDetail, await admin.get('users/ada'));
    expectShape(Managers, await admin.get('managers'));
    expectShape(ManagerDetail, await admin.get(`managers/${ready.manager}`));
    expectShape(Explanation, await admin.get(`managers/${ready.manager}/explain`));
    expectShape(Cleanups, await admin.get('cleanup/history'));
  });

  test('the status counts what is open, and nobody else’s user is at the limit', async () => {
    await using admin = await startWithAdmin({ limits: { perUser: 2 } });
    await admin.gw.seat('ada');
    const second = await admin.gw.seat('ada');
    await admin.gw.seat('ben');
    expect(await admin.get('status')).toMatchObject({
      node: 'gw-1',
      limits: { perUser: 2 },
      users: 2,
      usersAtLimit: 1,
      seats: 3,
      effective: 3,
      sockets: 3,
      created: 3,
      managersByVerdict: { healthy: 3, zombie: 0 },
      evicted: 0,
      lastCleanup: null,
    });
    second.client.sendFrame({ type: 'bye', reason: 'left' });
    await second.client.closed;
    expect(await admin.get('status')).toMatchObject({ users: 2, usersAtLimit: 0, seats: 2, created: 3 });
  });

  test('a sound node has no differences', async () => {
    await using admin = await startWithAdmin();
    await admin.gw.seat('ada');
    expect(await admin.get('consistency')).toMatchObject({ differences: [] });
  });
});

describe('users', () => {
  test('are listed page by page, each once, whoever comes and goes in between', async () => {
    await using admin = await startWithAdmin();
    for (const user of ['dora', 'ada', 'carl', 'ben']) await admin.gw.seat(user);
    const first = await admin.get('users?limit=2');
    expect(first.users.map(({ user }: { user: string }) => user)).toEqual(['ada', 'ben']);
    await admin.gw.seat('aaron');
    const second = await admin.get(`users?limit=2&cursor=${first.nextCursor}`);
    expect(second).toMatchObject({ users: [{ user: 'carl' }, { user: 'dora' }], nextCursor: null });
  });

  test('have a room that can be looked at, whatever their id is made of', async () => {
    await using admin = await startWithAdmin();
    const strange = 'auth0|ä/b?c#d%20';
    await admin.gw.seat(strange);
    expect(await admin.get(`users/${encodeURIComponent(strange)}`)).toMatchObject({
      user: strange,
      limit: 20,
      seats: 1,
      sockets: 1,
      managers: [{ userId: strange }],
    });
    expect((await expectProblem(await admin.ask('GET', 'users/ada'), 404, 'not-found')).detail).toContain('`ada`');
  });
});

describe('managers', () => {
  test('are found by user and by verdict, page by page', async () => {
    await using admin = await startWithAdmin();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push((await admin.gw.seat('ada')).ready.manager);
    await admin.gw.seat('ben');
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await admin.get(`managers?user=ada&verdict=healthy&limit=2${cursor}`);
      seen.push(...page.managers.map(({ managerId }: { managerId: string }) => managerId));
      cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`;
    } while (cursor !== '');
    expect(seen).toEqual(ids.toSorted());
    expect(await admin.get('managers?user=ada&verdict=zombie')).toEqual({ managers: [], nextCursor: null, unanswered: [] });
    expect((await admin.get('managers')).managers).toHaveLength(6);
  });

  test('tell what they are and what they follow, and nothing of what was said', async () => {
    await using admin = await startWithAdmin();
    const { client, ready } = await admin.gw.seat('ada', { client: { ...HELLO.client, label: 'Laptop' } });
    client.behave().sendFrame({ type: 'subscribe', sub: 1, thread: 'plans', from: 'start' });
    client.sendFrame({ type: 'send', id: 'c-1', thread: 'plans', data: { text: 'a secret of ada' } });
    await client.nextWhere('the end of the answer', (frame) => frame.type === 'event' && frame.data.type === 'agent_completed');
    const manager = await admin.get(`managers/${ready.manager}`);
    expect(manager).toMatchObject({ userId: 'ada', label: 'Laptop', connected: true, threads: ['plans'], verdict: 'healthy' });
    const told = await Promise.all(['users/ada', 'managers', 'events', 'health-check', `managers/${ready.manager}/explain`].map(admin.get));
    expect(JSON.stringify([manager, told])).not.toContain('secret');
  });

  test('that are not there are 404 by every path', async () => {
    await using admin = await startWithAdmin();
    for (const path of ['managers/mgr_x', 'managers/mgr_x/explain']) await expectProblem(await admin.ask('GET', path), 404, 'not-found');
    await expectProblem(await admin.ask('POST', 'managers/mgr_x/probe'), 404, 'not-found');
    await expectProblem(await admin.ask('POST', 'managers/mgr_x/evict', { reason: 'why not' }), 404, 'not-found');
  });

  test('answer a probe: afterwards their evidence is younger', async () => {
    await using admin = await startWithAdmin({ timing: 'fast' });
    const { client, ready } = await admin.gw.seat('ada');
    client.behave();
    const age = (explanation: { evidence: { signal: string; ageMs: number }[] }): number =>
      explanation.evidence.find(({ signal }) => signal === 'E2')?.ageMs ?? Number.POSITIVE_INFINITY;
    await expect.poll(async () => age(await admin.get(`managers/${ready.manager}/explain`)), { timeout: 5_000 }).toBeGreaterThan(600);
    const probed = await admin.post(`managers/${ready.manager}/probe`);
    expectShape(Explanation, probed);
    expect(age(probed)).toBeLessThan(600);
  });
});

import { expect, test } from 'vitest';
import type { ManagerId } from '../../src/protocol/ids.ts';
import { Managers, Queue, Users } from '../../src/schemas/admin-bodies.ts';
import { type AdminGateway, expectShape, startWithAdmin } from '../support/admin.ts';
import { HELLO } from '../support/gateway.ts';

/** All pages of a list, two at a time. */
async function all<T>(admin: AdminGateway, path: string, of: 'users' | 'managers', keyOf: (item: Record<string, string>) => T): Promise<T[]> {
  const found: T[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await admin.get(`${path}${path.includes('?') ? '&' : '?'}limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
    expectShape(of === 'users' ? Users : Managers, page);
    found.push(...page[of].map(keyOf));
    cursor = page.nextCursor;
  }
  return found;
}

test('users come in the order that was asked for, each once over all pages', async () => {
  await using admin = await startWithAdmin({ timing: 'fast', cleanup: { proactive: false }, limits: { perUser: 3, perNode: 7 }, queue: { waitMs: 20_000 } });
  for (const [user, seats] of [
    ['ada', 1],
    ['ben', 3],
    ['cleo', 2],
  ] as const)
    for (let i = 0; i < seats; i++) (await admin.gw.seat(user)).client.behave();
  const { ready } = await admin.gw.seat('dora');
  const id = ready.manager as ManagerId;
  await expect.poll(async () => (await admin.get(`managers/${id}`)).verdict, { timeout: 15_000, interval: 100 }).toBe('zombie');
  const users = (query: string): Promise<string[]> => all(admin, `users${query}`, 'users', ({ user }) => user as string);
  expect(await users('')).toEqual(['ada', 'ben', 'cleo', 'dora']);
  expect(await users('?sort=name')).toEqual(['ada', 'ben', 'cleo', 'dora']);
  expect(await users('?sort=seats')).toEqual(['ben', 'cleo', 'ada', 'dora']);
  expect(await users('?sort=zombies')).toEqual(['dora', 'ada', 'ben', 'cleo']);
  expect(await users('?tier=mid')).toEqual([]);
});

test('who only waits is among the users too, first where the longest queues come first', async () => {
  await using admin = await startWithAdmin({ limits: { perNode: 1 }, queue: { waitMs: 10_000 } });
  await admin.gw.seat('ada');
  const waiting = (await admin.gw.open({ deadlineMs: 10_000 })).behave();
  waiting.sendFrame({ ...HELLO, token: await admin.gw.token('zoe') });
  await waiting.next('queued');
  expectShape(Queue, await admin.get('queue'));
  const users = (sort: string): Promise<string[]> => all(admin, `users?sort=${sort}`, 'users', ({ user }) => user as string);
  expect(await users('id')).toEqual(['ada', 'zoe']);
  expect(await users('queued')).toEqual(['zoe', 'ada']);
});

test('managers come in the order that was asked for, each once over all pages', async () => {
  await using admin = await startWithAdmin();
  const ids: string[] = [];
  // Instants are compared in whole milliseconds, those of evidence by attentive time, which stands still while we stall.
  for (let i = 0; i < 5; i++) {
    ids.push((await admin.gw.seat('ada')).ready.manager);
    const { factory } = admin.gw.gateway;
    const seatedAt = factory.now();
    await expect.poll(() => factory.now()).toBeGreaterThan(seatedAt + 2);
    await expect.poll(() => Date.now()).toBeGreaterThan((await admin.get(`managers/${ids[i]}`)).openedAt + 2);
  }
  const managers = (query: string): Promise<string[]> => all(admin, `managers${query}`, 'managers', ({ managerId }) => managerId as string);
  expect(await managers('')).toEqual(ids.toSorted());
  for (const sort of ['age', 'idle', 'last-ack']) expect(await managers(`?sort=${sort}`), sort).toEqual(ids);
  for (const sort of ['unacked', 'buffered']) expect((await managers(`?sort=${sort}`)).toSorted(), sort).toEqual(ids.toSorted());
  expect(await managers('?tier=enterprise')).toEqual([]);
  expect(await managers('?tier=free&verdict=healthy&user=ada&sort=age')).toEqual(ids);
});

test('who owes most acknowledgements comes first with `unacked`', async () => {
  await using admin = await startWithAdmin();
  const follow = async (thread: string): Promise<string> => {
    const { client, ready } = await admin.gw.seat('ada');
    client.sendFrame({ type: 'subscribe', sub: 1, thread, from: 'start' });
    await client.next('subscribed');
    return ready.manager;
  };
  const idle = await follow('quiet');
  const owing = await follow('loud');
  for (let i = 0; i < 3; i++) await admin.gw.gateway.publish('ada' as never, 'loud' as never, { type: 'text_delta', text: 'x' });
  await expect
    .poll(async () => (await admin.get('managers?sort=unacked')).managers.map(({ managerId }: { managerId: string }) => managerId))
    .toEqual([owing, idle]);
});

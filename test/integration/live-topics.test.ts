import { expect, test } from 'vitest';
import type { ManagerRow, Summary } from '../../src/protocol/live.ts';
import { type AdminGateway, type Json, startWithAdmin } from '../support/admin.ts';
import { eventually } from '../support/bare-node.ts';
import type { Seated } from '../support/gateway.ts';
import { Cells, LiveClient } from '../support/live.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';

async function whoIs(page: LiveClient, cell: number): Promise<string | null> {
  page.send({ type: 'who', id: 77, cell });
  return (await page.next('who')).manager;
}

test('the map has a cell for every manager, and follows what becomes of it', async () => {
  const agent = new ScriptedAgent();
  await using admin = await startWithAdmin({ agent, limits: { perUser: 2, burst: { perUser: 3 } } });
  const one = await admin.gw.seat('ada');
  await admin.gw.seat('ben', { token: await admin.gw.token('ben', { tier: 'enterprise' }), visibility: 'hidden' });
  await using page = await LiveClient.welcomed(admin);
  const cells = new Cells();
  page.watch(1, { of: 'map' });
  cells.take(await page.update('map'));
  expect(cells.bytes).toHaveLength(2);
  const cellOf = async (manager: string): Promise<number> => {
    for (let cell = 0; cell < cells.bytes.length; cell++) if ((await whoIs(page, cell)) === manager) return cell;
    throw new Error(`Expected a cell of ${manager}.`);
  };
  const ada = await cellOf(one.ready.manager as string);
  expect(cells.cell(ada)).toEqual({ verdict: 'healthy', tier: 3, run: false, visible: true, burst: false });
  expect(cells.cell(1 - ada)).toEqual({ verdict: 'healthy', tier: 0, run: false, visible: false, burst: false });
  const until = async (what: string, isSo: () => boolean): Promise<void> => {
    while (!isSo()) cells.take(await page.update('map').catch((cause: unknown) => Promise.reject(new Error(`Expected ${what}.`, { cause }))));
  };

  // What no event tells.
  one.client.sendFrame({ type: 'visibility', state: 'hidden' });
  await until('the page of ada to be hidden', () => !cells.cell(ada).visible);
  one.client.sendFrame({ type: 'subscribe', sub: 1, thread: 't1' });
  await one.client.next('subscribed');
  one.client.behave().sendFrame({ type: 'send', id: 'm1', thread: 't1', data: { text: 'hello' } });
  const run = await agent.nextRun();
  run.start();
  await until('the run of ada', () => cells.cell(ada).run);
  run.complete();
  await until('its end', () => !cells.cell(ada).run);
  // More than its limit: the third has a burst seat.
  await admin.gw.seat('ada');
  const third = await admin.gw.seat('ada');
  await until('four cells', () => cells.bytes.length === 4);
  expect(cells.cell(await cellOf(third.ready.manager as string))).toMatchObject({ burst: third.ready.seat === 'burst' });
  // A cable that is cut, then a goodbye.
  one.client.cut();
  await until('ada to be inactive', () => cells.cell(ada).verdict === 'inactive');
  const gone = await cellOf(third.ready.manager as string);
  third.client.sendFrame({ type: 'bye', reason: 'left' });
  await until('a free cell', () => cells.cell(gone).verdict === 'nobody');
  expect(await whoIs(page, gone)).toBeNull();
  // Whoever comes next has that cell.
  const next = await admin.gw.seat('cleo');
  await until('a cell that is used again', () => cells.cell(gone).verdict === 'healthy');
  expect(await whoIs(page, gone)).toBe(next.ready.manager);
  await expectMapAsApi(admin, cells);
});

async function expectMapAsApi(admin: AdminGateway, cells: Cells): Promise<void> {
  const { managersByVerdict } = await admin.get('status');
  for (const [verdict, count] of Object.entries(managersByVerdict as Record<string, number>))
    expect(cells.bytes.filter((_, cell) => cells.cell(cell).verdict === verdict)).toHaveLength(count);
}

test('lists are filtered, sorted and cut as asked, and say of each manager what the admin API says', async () => {
  await using admin = await startWithAdmin();
  const seated: Seated[] = [];
  for (const user of ['ada', 'ada', 'ada', 'ben', 'cleo', 'cleo']) seated.push(await admin.gw.seat(user));
  seated[3]?.client.cut();
  await using page = await LiveClient.welcomed(admin);

  page.watch(1, { of: 'managers', sort: 'age', window: { from: 1, size: 3 } });
  const { total, from, rows } = await page.update('managers', (update) => update.rows.some(({ verdict }) => verdict === 'inactive'));
  expect({ total, from }).toEqual({ total: 6, from: 1 });
  expect(rows.map(({ manager }) => manager)).toEqual([1, 2, 3].map((n) => seated[n]?.ready.manager));
  for (const row of rows) expectAsExplained(row, await admin.get(`managers/${row.manager}/explain`));

  page.watch(1, { of: 'managers', filter: { user: 'cleo' }, sort: 'idle', window: { from: 0, size: 100 } });
  expect((await page.update('managers', (update) => update.total === 2)).rows.map(({ user }) => user)).toEqual(['cleo', 'cleo']);
  page.watch(1, { of: 'managers', filter: { verdict: 'inactive' }, sort: 'last-ack', window: { from: 0, size: 100 } });
  expect((await page.update('managers', (update) => update.total === 1)).rows).toMatchObject([{ user: 'ben', connected: false, reason: 'transport-lost' }]);

  page.watch(2, { of: 'users', sort: 'seats', window: { from: 0, size: 2 } });
  const users = await page.update('users');
  expect(users).toMatchObject({
    total: 3,
    from: 0,
    rows: [
      { user: 'ada', seats: 3 },
      { user: 'cleo', seats: 2 },
    ],
  });
  const listed = (await admin.get('users')).users as readonly Json[];
  for (const row of users.rows) {
    const { verdicts, nodes: _, ...same } = listed.find(({ user }) => user === row.user);
    expect(row).toEqual({ ...same, zombies: verdicts.zombie });
  }
  page.watch(2, { of: 'users', filter: 'e', sort: 'name', window: { from: 0, size: 10 } });
  expect((await page.update('users', (update) => update.total === 2)).rows.map(({ user }) => user)).toEqual(['ben', 'cleo']);
  // The list goes on while somebody comes.
  await admin.gw.seat('eve');
  expect((await page.update('users', (update) => update.total === 3)).rows.at(-1)).toMatchObject({
    user: 'eve',
    seats: 1,
    effective: 1,
    sockets: 1,
    zombies: 0,
  });
});

function expectAsExplained(row: ManagerRow, explained: Json): void {
  expect({ ...row, text: row.text.replace(/[\d.]+s/, '…') }).toMatchObject({
    manager: explained.managerId,
    user: explained.userId,
    tier: explained.tier,
    verdict: explained.verdict,
    reason: explained.reason,
    connected: explained.connected,
    running: explained.running,
    seat: explained.seat,
    text: explained.text.replace(/[\d.]+s/, '…'),
  });
  const owed = explained.evidence.find(({ signal }: Json) => signal === 'E1');
  expect(row.unacked).toBe(owed.value);
}

test('a user and a manager are explained as by the admin API, with what happened to them', async () => {
  await using admin = await startWithAdmin();
  const { client, ready } = await admin.gw.seat('ada');
  const manager = ready.manager as string;
  await using page = await LiveClient.welcomed(admin);
  page.watch(1, { of: 'user', user: 'ada' });
  page.watch(2, { of: 'manager', manager });
  page.watch(3, { of: 'user', user: 'nobody' });
  page.watch(4, { of: 'manager', manager: 'mgr_00000000000000000000' });
  const same = (value: Json): Json => JSON.parse(JSON.stringify(value, (key, one: unknown) => (/ms$|^text$|^age/i.test(key) ? null : one)));
  const { user } = await page.update('user', (update) => update.user !== null);
  const { unanswered: _, ...listed } = await admin.get('users/ada');
  expect(same(user)).toEqual(same(listed));
  const told = await page.update('manager', (update) => update.manager !== null);
  expect(same(told.manager)).toEqual(same(await admin.get(`managers/${manager}/explain`)));
  expect(told.timeline.map(({ type }) => type)).toEqual(expect.arrayContaining(['admission-ended', 'manager-seated']));

  client.cut();
  const lost = await page.update('manager', (update) => (update.manager as Json)?.verdict === 'inactive');
  expect(lost.timeline.at(-1)).toMatchObject({ type: 'verdict-changed', data: { verdict: 'inactive', was: 'healthy' } });
  await admin.post(`managers/${manager}/evict`, { reason: 'a test' });
  const over = await page.update('manager', (update) => update.manager === null);
  expect(over.timeline.slice(-2)).toMatchObject([
    { type: 'manager-ended', data: { managerId: manager, reason: 'admin-evicted' } },
    { type: 'cleanup-finished', data: { victims: [{ managerId: manager }] } },
  ]);
  await page.update('user', (update) => update.user === null);
  const nulls = page.messages.filter((message) => message.type === 'update' && (message.id === 3 || message.id === 4));
  // Told once, since nothing changes about nobody.
  expect(nulls).toHaveLength(2);
  expect(nulls).toContainEqual({ type: 'update', id: 3, data: { of: 'user', user: null } });
  expect(nulls).toContainEqual({ type: 'update', id: 4, data: { of: 'manager', manager: null, timeline: [] } });
});

test('events come as they happen, filtered, and of too many it is told how many were left out', async () => {
  await using admin = await startWithAdmin();
  await admin.gw.seat('ada');
  await using page = await LiveClient.welcomed(admin);
  page.watch(1, { of: 'events', filter: { type: 'manager-seated' } });
  const before = await page.update('events');
  expect(before).toMatchObject({ skipped: 0, rows: [{ type: 'manager-seated', data: { user: 'ada' } }] });
  await admin.gw.seat('ben');
  const after = await page.update('events');
  expect(after).toMatchObject({ skipped: 0, rows: [{ type: 'manager-seated', data: { user: 'ben' } }] });
  const { events } = await admin.get('events?type=manager-seated');
  expect([...before.rows, ...after.rows]).toEqual(events.map(({ node: _, ...row }: Json) => row));
  page.watch(1, { of: 'events', filter: { user: 'ben', type: 'manager-seated' } });
  expect((await page.update('events')).rows).toHaveLength(1);

  // Nothing happened yet that this one asks for.
  page.watch(1, { of: 'events', filter: { type: 'manager-ended' } });
  await page.update('events', ({ rows }) => rows.length === 0);
  // Far more than a page can show, in one instant.
  const { factory } = admin.gw.gateway;
  const made = await Promise.all(
    Array.from({ length: 300 }, (_, n) => factory.createManager({ userId: `u${n}` as never, tier: 'free', requestId: 'r', websocketClientId: 'w' })),
  );
  await Promise.all(made.map((admission) => admission.kind === 'seated' && factory.leave(admission.manager, 'client-closed')));
  let rows = 0;
  let skipped = 0;
  while (rows + skipped < 300) {
    const update = await page.update('events');
    rows += update.rows.length;
    skipped += update.skipped;
    expect(update.rows.length).toBeLessThanOrEqual(50);
  }
  expect(rows + skipped).toBe(300);
  expect(skipped).toBeGreaterThan(0);
});

test('the queue is told as by the admin API', async () => {
  await using admin = await startWithAdmin({ limits: { perUser: 1, burst: { perUser: 1 } }, health: { newbornMs: 60_000 } });
  const first = await admin.gw.seat('ada');
  first.client.behave();
  await using page = await LiveClient.welcomed(admin);
  page.watch(1, { of: 'queue' });
  expect(await page.update('queue')).toMatchObject({ total: 0 });
  const waiting = await admin.gw.open();
  waiting.sendFrame({ type: 'hello', v: 1, client: { name: 'test', version: '1' }, intent: 'auto', token: await admin.gw.token('ada') });
  const update = await page.update('queue', ({ total }) => total === 1);
  expect(update.queued).toMatchObject([{ user: 'ada', at: 'queue', position: 1 }]);
});

test('the summary says what gauges and clients say, and series begin with their ring', async () => {
  await using admin = await startWithAdmin();
  for (const user of ['ada', 'ada', 'ben']) await admin.gw.seat(user);
  const cut = await admin.gw.seat('cleo');
  cut.client.cut();
  await using page = await LiveClient.welcomed(admin);
  page.watch(1, { of: 'summary' });
  const { summary } = await page.update('summary', (update) => update.summary.managers.inactive === 1);
  const status = await admin.get('status');
  expect(summary).toMatchObject({
    users: status.users,
    seats: status.seats,
    effectiveSeats: status.effective,
    transports: status.sockets,
    quarantined: status.quarantined,
    managers: status.managersByVerdict,
    usersAtLimit: status.usersAtLimit,
    lockouts: { total: 0, last24h: 0 },
    gaps: 0,
    queue: { length: 0, longestMs: 0 },
    evicted: 0,
    draining: false,
    storeFailOpen: false,
    selfSlow: false,
  } satisfies Partial<Summary>);
  expect(JSON.stringify(summary).length).toBeLessThan(2_000);

  page.watch(2, { of: 'series', range: '15m' });
  const whole = await page.update('series');
  expect(whole).toMatchObject({ range: '15m', stepMs: 1_000, whole: true });
  const more = await page.update('series', (update) => !update.whole && update.points.length > 0);
  const instants = [...whole.points, ...more.points].map(([at]) => at as number);
  expect(instants).toEqual(instants.toSorted((a, b) => a - b));
  expect(new Set(instants).size).toBe(instants.length);
});

test('alerts, nodes and drills are told as by the admin API where the gateway has them', async () => {
  await using admin = await startWithAdmin();
  await using page = await LiveClient.welcomed(admin);
  page.watch(1, { of: 'nodes' });
  const { nodes } = await page.update('nodes');
  expect(nodes).toMatchObject([{ node: 'gw-1', state: 'ready', managers: 0, zombies: 0 }]);
  page.watch(2, { of: 'alerts' });
  const { alerts } = await page.update('alerts');
  const asked = (await admin.get('alerts')).alerts as readonly Json[];
  expect(alerts.map(({ alert, state }) => ({ alert, state }))).toEqual(asked.map(({ alert, state }) => ({ alert, state })));
  await eventually('its own node in the API', async () => ((await admin.get('nodes')).nodes as readonly Json[]).some(({ node }) => node === 'gw-1'));
});

import { expect, test } from 'vitest';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';
import type { WireClient, WireFrame } from '../support/wire-client.ts';

/** Three places, a fourth for a second and a half, and a wait that a test can sit out. */
const SMALL = { limits: { perUser: 3, burst: { perUser: 4, forMs: 1_500 } }, queue: { waitMs: 1_200 }, health: { newbornMs: 50 } };
/** What is promised is 100 ms; the rest is this machine's. */
const AT_ONCE_MS = 300;

const isNotice =
  (kind: string, more: (f: WireFrame) => boolean = () => true) =>
  (f: WireFrame) =>
    f.type === 'notice' && f.kind === kind && more(f);
const heard = (client: WireClient, kind: string): WireFrame[] => client.frames.filter(isNotice(kind));

interface Tab {
  readonly client: WireClient;
  readonly ready: WireFrame;
}

/** At least three. */
async function tabs(gw: TestGateway, count: number): Promise<[Tab, Tab, Tab, ...Tab[]]> {
  const seats: Tab[] = [];
  for (let n = 1; n <= count; n++) {
    const seat = await gw.seat('ada', { client: { name: 'test', version: '1', label: `Tab ${n}` } });
    seat.client.behave();
    seats.push(seat);
  }
  return seats as [Tab, Tab, Tab, ...Tab[]];
}

async function waiter(gw: TestGateway): Promise<WireClient> {
  const client = (await gw.open()).behave();
  client.sendFrame({ ...HELLO, token: await gw.token('ada'), client: { name: 'test', version: '1', label: 'Phone' } });
  await client.next('queued');
  return client;
}

test('everybody learns at once what is near, what is lent and who waits: what, why, until when, and what to do', async () => {
  await using gw = await startGateway(SMALL);
  const [one, two, three] = await tabs(gw, 3);
  let since = performance.now();
  for (const { client } of [one, two, three]) {
    const near = await client.nextWhere('the limit to be near', isNotice('limit-near'));
    expect(near).toMatchObject({
      level: 'info',
      actions: ['free'],
      data: { used: 3, limit: 3 },
      text: expect.stringMatching(/^You have 3 of 3 .*New ones still open.*until fewer/),
    });
  }
  expect(performance.now() - since).toBeLessThan(AT_ONCE_MS);

  const four = await gw.seat('ada');
  since = performance.now();
  for (const { client } of [one, two, three, four]) {
    const burst = await client.nextWhere('the burst', isNotice('burst'));
    expect(burst).toMatchObject({
      actions: ['free'],
      data: { used: 4, limit: 3, burst: 4 },
      text: expect.stringMatching(/All of them work; the extra room stays for another [12] s\./),
    });
    expect(burst.until - Date.now()).toBeLessThanOrEqual(1_500);
  }
  expect(performance.now() - since).toBeLessThan(AT_ONCE_MS);
  // It is not said to be near any more: more than that is true now.
  expect(heard(one.client, 'limit-near').map((f) => [f.version, f.cleared])).toEqual([
    [1, undefined],
    [2, true],
  ]);

  const phone = await waiter(gw);
  since = performance.now();
  for (const { client } of [one, two, three, four]) {
    const queue = await client.nextWhere('the queue', isNotice('queue'));
    expect(queue).toMatchObject({
      actions: ['free'],
      data: { waiting: 1 },
      text: expect.stringMatching(/^One of your tabs is waiting for room, about [12] s\. Closing a session/),
    });
    expect(queue.until).toBeGreaterThan(Date.now() - 100);
  }
  expect(performance.now() - since).toBeLessThan(AT_ONCE_MS);

  const freed = await gw.request('DELETE', `/v1/me/sessions/${two.ready.manager}`, { user: 'ada', headers: { 'spillway-manager': one.ready.manager } });
  expect(freed.status).toBe(200);
  expect(await two.client.nextWhere('the eviction', isNotice('evicting'))).toMatchObject({
    level: 'warning',
    text: 'You are closing this tab from Tab 1. Nothing is lost; it stays paused until you resume it here.',
    actions: ['resume-here'],
    data: { reason: 'user-freed', by: { label: 'Tab 1' } },
  });
  await phone.next('ready');
  since = performance.now();
  await one.client.nextWhere(
    'the queue to be over',
    isNotice('queue', (f) => f.cleared === true),
  );
  expect(performance.now() - since).toBeLessThan(AT_ONCE_MS);
});

test('what has not changed is not said again, so that what a person put away stays away', async () => {
  await using gw = await startGateway({ ...SMALL, limits: { perUser: 5, burst: { perUser: 6, forMs: 60_000 } }, queue: { waitMs: 5_000 } });
  const [first, ...others] = await tabs(gw, 6);
  await waiter(gw);
  await first.client.nextWhere('the queue', isNotice('queue'));
  for (const { client } of others) client.sendFrame({ type: 'visibility', state: 'hidden' });
  const another = await waiter(gw);
  const queue = await first.client.nextWhere(
    'the second one who waits',
    isNotice('queue', (f) => f.data.waiting === 2),
  );
  expect(queue.version).toBe(2);
  // The place is told every two seconds; the time left is for the page to count.
  await another.next('queued');
  expect(heard(first.client, 'queue')).toHaveLength(2);
  expect(heard(first.client, 'burst')).toHaveLength(1);
  expect(heard(first.client, 'limit-near').filter((f) => f.cleared !== true).length).toBeLessThanOrEqual(2);
});

test('a burst that ends is said to be over, though nothing else happens', async () => {
  await using gw = await startGateway(SMALL);
  const [first] = await tabs(gw, 4);
  const burst = await first.client.nextWhere('the burst', isNotice('burst'));
  const near = await first.client.nextWhere(
    'what is next',
    isNotice('limit-near', (f) => f.data.used === 4),
  );
  expect(near.text).toContain('The extra room is over: those unused for longest are paused until 3 are left');
  const over = await first.client.nextWhere(
    'the end of the burst',
    isNotice('burst', (f) => f.cleared === true),
  );
  expect(over.version).toBe(burst.version + 1);
  expect(Date.now() - burst.until).toBeLessThan(AT_ONCE_MS);
});

test('a new transport is told what still holds', async () => {
  await using gw = await startGateway(SMALL);
  const [first] = await tabs(gw, 3);
  await first.client.nextWhere('the limit to be near', isNotice('limit-near'));
  first.client.cut();
  const back = (await gw.open()).behave();
  back.sendFrame({ ...HELLO, token: await gw.token('ada'), resume: { manager: first.ready.manager, token: first.ready.resumeToken, subs: [] } });
  expect(await back.next('ready')).toMatchObject({ resume: 'attached' });
  expect(await back.nextWhere('the limit to be near', isNotice('limit-near'))).toMatchObject({ version: 1, data: { used: 3 } });
});

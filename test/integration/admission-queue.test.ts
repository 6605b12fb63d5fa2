/** The queue as ten people see it, promises to those who found it full, and what is left when everybody has gone. */

import { expect, test } from 'vitest';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import type { WireClient, WireFrame } from '../support/wire-client.ts';

const ONE = { limits: { perUser: 1, burst: { perUser: 1 } } } as const;
const status = (gw: TestGateway) => gw.gateway.factory.getFactoryStatus();

async function knock(gw: TestGateway, hello: object = {}): Promise<WireClient> {
  const client = await gw.open();
  client.sendFrame({ ...HELLO, token: await gw.token('ada'), ...hello });
  await client.next('welcome');
  return client;
}

const placed = (client: WireClient, position: number, of: number): Promise<WireFrame> =>
  client.nextWhere(`place ${position} of ${of}`, (f) => f.type === 'queued' && f.position === position && f.of === of);

async function until(what: string, holds: () => boolean, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Expected ${what} within ${withinMs} ms, got ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('ten wait: each knows their place, who leaves lets the others up, who gets a free seat is the first', { timeout: 60_000 }, async () => {
  await using gw = await startGateway({ ...ONE, queue: { waitMs: 20_000 } });
  const { client: seated } = await gw.seat('ada');
  const waiting: WireClient[] = [];
  for (let i = 1; i <= 10; i++) {
    const client = await knock(gw);
    await placed(client, i, i);
    waiting.push(client);
  }
  // Those before hear of those behind.
  await placed(waiting[0] as WireClient, 1, 10);
  const notice = await seated.nextWhere('the queue', (f) => f.type === 'notice' && f.kind === 'queue' && f.data.waiting === 10);
  expect(notice.data.etaMs).toBeGreaterThan(0);

  // The third gives up, the fifth says goodbye.
  waiting[2]?.cut();
  await placed(waiting[3] as WireClient, 3, 9);
  await placed(waiting[9] as WireClient, 9, 9);
  waiting[4]?.sendFrame({ type: 'bye', reason: 'left' });
  await placed(waiting[5] as WireClient, 4, 8);
  await placed(waiting[1] as WireClient, 2, 8);

  const startedAt = performance.now();
  seated.sendFrame({ type: 'bye', reason: 'left' });
  await waiting[0]?.next('ready');
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  await placed(waiting[1] as WireClient, 1, 7);
  expect(status(gw)).toMatchObject({ seats: 1, queued: 7 });
  // No place that was told ever got worse.
  for (const client of waiting) {
    const places = client.frames.filter((f) => f.type === 'queued').map((f) => f.position as number);
    expect(places).toEqual([...places].sort((a, b) => b - a));
  }
});

test('many whose waiting ends in the same moment: each is seated, and none gives way to the next before its own question runs', async () => {
  const agent = new ScriptedAgent();
  await using gw = await startGateway({ limits: { perUser: 6, burst: { perUser: 6 } }, queue: { waitMs: 1_000 }, agent });
  const asking = (client: WireClient, thread: string): void => {
    client.sendFrame({ type: 'subscribe', sub: 1, thread, from: 'start' });
    client.sendFrame({ type: 'send', id: thread, thread, data: { text: 'go' } });
  };
  for (let i = 0; i < 6; i++) {
    const { client } = await gw.seat('ada');
    asking(client.behave(), `seated-${i}`);
    await client.nextWhere('the message', (f) => f.type === 'event' && f.offset === 1);
  }
  const waiting = await Promise.all(Array.from({ length: 6 }, () => knock(gw)));
  for (const [i, client] of waiting.entries()) asking(client.behave(), `waiting-${i}`);
  for (const client of waiting) {
    await client.next('ready');
    await client.next('run-accepted');
  }
  expect(waiting.filter((client) => client.frames.some((f) => f.type === 'bye'))).toEqual([]);
  expect(status(gw)).toMatchObject({ seats: 6, queued: 0 });
});

test('who finds the queue full comes back at the told time with the token of the goodbye, and has the place', { timeout: 60_000 }, async () => {
  await using gw = await startGateway({ ...ONE, queue: { places: 2, waitMs: 1_500, promiseMs: 3_000 } });
  await gw.seat('ada');
  const first = await knock(gw);
  await placed(first, 1, 1);
  const second = await knock(gw);
  await placed(second, 2, 2);
  const late = await knock(gw);
  const bye = await late.next('bye');
  expect(bye).toMatchObject({ code: 4100, name: 'queue-full', return: 'after', reason: 'queue-full' });
  expect(bye.retryAfterMs).toBeLessThanOrEqual(1_500);
  await late.close();
  await second.next('ready');
  await new Promise((resolve) => setTimeout(resolve, bye.retryAfterMs));
  // Others press in meanwhile; the place is kept.
  const pressing = await knock(gw);
  await pressing.next('queued');
  const back = await knock(gw, { intent: 'auto', resume: { manager: bye.manager, token: bye.resumeToken, subs: [] } });
  const answer = await back.nextWhere('an answer', (f) => f.type === 'queued' || f.type === 'ready' || f.type === 'bye');
  expect(answer).toMatchObject({ type: expect.stringMatching(/^(queued|ready)$/) });
  const seat = answer.type === 'ready' ? answer : await back.next('ready');
  expect(seat).toMatchObject({ manager: bye.manager, limits: { used: 1 } });
});

test('two returns of one manager that had lost its seat, at the same moment: one session, one seat', async () => {
  await using gw = await startGateway({ limits: { perUser: 3 } });
  const { client, ready } = await gw.seat('ada');
  client.sendFrame({ type: 'bye', reason: 'parked' });
  await client.close();
  const resume = { manager: ready.manager, token: ready.resumeToken, subs: [] };
  const both = await Promise.all([knock(gw, { resume }), knock(gw, { resume })]);
  await until('one to be told', () => both.some((one) => one.frames.some((f) => f.type === 'bye')));
  const [told] = both.filter((one) => one.frames.some((f) => f.type === 'bye'));
  const [stays] = both.filter((one) => one !== told);
  expect(await told?.next('bye')).toMatchObject({ code: 4205 });
  expect(await stays?.next('ready')).toMatchObject({ manager: ready.manager, limits: { used: 1 } });
  await told?.close();
  await until('one socket', () => status(gw).sockets === 1);
  expect(status(gw)).toMatchObject({ seats: 1, users: 1 });
  stays?.sendFrame({ type: 'check', n: 1 });
  await stays?.next('check-ok');
});

test('a hello that is answered after draining began moves on at once', async () => {
  let answer = (): void => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await using gw = await startGateway({
    authenticate: async () => {
      await asked;
      return { userId: 'ada' };
    },
  });
  const client = await gw.open();
  client.sendFrame({ ...HELLO, token: 'any' });
  const drained = gw.gateway.drain({ withinMs: 300 });
  answer();
  expect(await client.next('bye')).toMatchObject({ code: 4001, return: 'now' });
  await drained;
  expect(status(gw)).toMatchObject({ seats: 0, queued: 0 });
});

test('a thousand sessions come and go, by goodbye, by cut, in the queue and in the middle of an answer: nothing is left', { timeout: 120_000 }, async () => {
  const timing = { resume: { windowMs: 1_000 }, cleanup: { passMs: 200 }, log: { keepMs: 1 } };
  await using gw = await startGateway({ limits: { perUser: 5, burst: { perUser: 5 } }, queue: { waitMs: 1_000 }, rate: { upgradesPer10s: 5_000 }, ...timing });
  const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => gw.token(`user-${i}`)));
  const visit = async (n: number): Promise<void> => {
    const client = await gw.open();
    client.sendFrame({ ...HELLO, intent: n % 7 === 0 ? 'auto' : 'user', token: tokens[n % 20] });
    const answer = await client.nextWhere('an answer', (f) => f.type === 'ready' || f.type === 'queued' || f.type === 'bye');
    if (answer.type === 'ready' && n % 2 === 0) {
      client.sendFrame({ type: 'subscribe', sub: 1, thread: `t${n % 50}`, from: 'start' });
      client.sendFrame({ type: 'send', id: `m${n}`, thread: `t${n % 50}`, data: { text: 'one two three' } });
      if (n % 4 === 0) await client.nextWhere('the first event', (f) => f.type === 'event' || f.type === 'bye');
    }
    if (n % 3 === 0) client.cut();
    else {
      client.sendFrame({ type: 'bye', reason: 'left' });
      await client.close();
    }
  };
  for (let batch = 0; batch < 50; batch++) await Promise.all(Array.from({ length: 20 }, (_, i) => visit(batch * 20 + i)));
  await until(
    'nothing to be left',
    () => {
      const { seats, sockets, quarantined, queued, users } = status(gw);
      return seats + sockets + quarantined + queued + users + gw.gateway.factory.streams.size === 0;
    },
    20_000,
  );
});

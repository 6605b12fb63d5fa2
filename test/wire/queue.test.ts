import { describe, expect, test } from 'vitest';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';
import { expectFrame } from '../support/transcript.ts';
import type { WireClient, WireFrame } from '../support/wire-client.ts';

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const WAIT_MS = 1_000;
/** Two seats, one more while a burst lasts, and a wait that a test can sit out. */
const SMALL = { limits: { perUser: 2, burst: { perUser: 3 } }, queue: { waitMs: WAIT_MS }, health: { newbornMs: 50 } };

interface Seat {
  readonly client: WireClient;
  readonly ready: WireFrame;
  readonly epoch: string;
  readonly last: number;
}

/** A tab in which the person asked and read the whole answer. */
async function usedTab(gw: TestGateway, label: string): Promise<Seat> {
  const { client, ready } = await gw.seat('ada', { client: { name: 'test', version: '1', label } });
  client.behave();
  client.sendFrame({ type: 'subscribe', sub: 1, thread: label, from: 'start' });
  const { epoch } = await client.next('subscribed');
  client.sendFrame({ type: 'send', id: label, thread: label, data: { text: 'one two three' } });
  const done = await client.nextWhere('the end', (f) => f.type === 'event' && f.data.type === 'agent_completed');
  return { client, ready, epoch, last: done.offset };
}

describe('more sessions than there is room for', () => {
  test('all of them well: a place in the queue, then exactly one gives way and loses nothing', async () => {
    await using gw = await startGateway(SMALL);
    const laptop = await usedTab(gw, 'Laptop');
    const desk = await usedTab(gw, 'Desk');
    const sofa = await usedTab(gw, 'Sofa');
    expect([laptop, desk, sofa].map((seat) => seat.ready.seat)).toEqual(['soft', 'soft', 'burst']);

    const phone = (await gw.open()).behave();
    phone.sendFrame({ ...HELLO, token: await gw.token('ada'), client: { name: 'test', version: '1', label: 'Phone' } });
    await phone.next('welcome');
    const asked = performance.now();
    await expectFrame(phone, {
      type: 'queued',
      position: 1,
      of: 1,
      etaMs: isCount,
      deadlineMs: (value: unknown) => isCount(value) && (value as number) <= WAIT_MS,
    });
    phone.sendFrame({ type: 'send', id: 'p-1', thread: 'phone', data: { text: 'hi' } });

    const told = await laptop.client.nextWhere('the notice', (f) => f.type === 'notice' && f.kind === 'evicting');
    expect(told).toMatchObject({
      level: 'warning',
      actions: ['resume-here'],
      data: { level: 'force', reason: 'lowest-value', graceMs: 250, by: { label: 'Phone' } },
    });
    const bye = await laptop.client.next('bye');
    expect(bye).toMatchObject({
      code: 4201,
      name: 'evicted-for-newer',
      return: 'user',
      reason: 'lowest-value',
      text: 'Paused because you went on in Phone. Nothing is lost.',
      resumable: true,
      positions: [{ sub: 1, epoch: laptop.epoch, offset: laptop.last }],
    });
    expect(await laptop.client.close()).toEqual({ code: 4201, reason: 'evicted-for-newer;r=user;t=0;c=lowest-value' });

    const ready = await phone.next('ready');
    expect(ready).toMatchObject({ resume: 'fresh', seat: 'burst', limits: { soft: 2, burst: 3, used: 3 } });
    expect(performance.now() - asked).toBeLessThan(WAIT_MS + 500);
    expect(await phone.next('run-accepted')).toMatchObject({ id: 'p-1', thread: 'phone', duplicate: false });
    const cleaned = await phone.nextWhere('the notice', (f) => f.type === 'notice' && f.kind === 'cleaned-up');
    expect(cleaned.data).toMatchObject({ freed: 1, level: 'force', reasons: { 'lowest-value': 1 } });
    for (const { client } of [desk, sofa]) expect(client.isOpen).toBe(true);

    const back = (await gw.open()).behave();
    const subs = [{ sub: 1, thread: 'Laptop', epoch: laptop.epoch, offset: laptop.last - 1 }];
    back.sendFrame({ ...HELLO, token: await gw.token('ada'), resume: { manager: laptop.ready.manager, token: laptop.ready.resumeToken, subs } });
    expect(await back.next('ready')).toMatchObject({ manager: laptop.ready.manager, resume: 'readmitted' });
    expect(await back.next('event')).toMatchObject({ sub: 1, offset: laptop.last, data: { type: 'agent_completed' } });
  });

  test('a program that comes back by itself takes nobody’s place: it is told a time at which to try', async () => {
    await using gw = await startGateway(SMALL);
    const seats = [await usedTab(gw, 'A'), await usedTab(gw, 'B'), await usedTab(gw, 'C')];
    const auto = await gw.open();
    auto.sendFrame({ ...HELLO, intent: 'auto', token: await gw.token('ada') });
    await auto.next('queued');
    const bye = await auto.next('bye');
    expect(bye).toMatchObject({
      code: 4101,
      name: 'no-seat-yet',
      return: 'after',
      reason: 'no-seat-yet',
      manager: expect.stringMatching(/^mgr_/),
      resumeToken: expect.any(String),
    });
    expect(bye.retryAfterMs).toBeGreaterThan(0);
    expect(bye.text).toMatch(/back in \d+ s\.$/);
    expect((await auto.close()).code).toBe(4101);
    for (const { client } of seats) expect(client.isOpen).toBe(true);
  });

  test('frames that come before the seat are kept up to a bound, and act in order after it', async () => {
    await using gw = await startGateway(SMALL);
    for (const label of ['A', 'B', 'C']) await usedTab(gw, label);
    const waiting = (await gw.open()).behave();
    waiting.sendFrame({ ...HELLO, token: await gw.token('ada') });
    await waiting.next('queued');
    for (let i = 1; i <= 40; i++) waiting.sendFrame({ type: 'subscribe', sub: i, thread: `t${i}` });
    for (let i = 33; i <= 40; i++) expect(await waiting.next('error')).toMatchObject({ code: 'rate-limited', retryable: true, ref: { type: 'subscribe' } });
    await waiting.next('ready');
    for (let sub = 1; sub <= 32; sub++) expect((await waiting.next('subscribed')).sub).toBe(sub);
    waiting.sendFrame({ type: 'check', n: 1 });
    await waiting.next('check-ok');
    expect(waiting.frames.filter((f) => f.type === 'subscribed')).toHaveLength(32);
  });

  test('a new token, a visibility and a goodbye act while it waits', async () => {
    await using gw = await startGateway(SMALL);
    for (const label of ['A', 'B', 'C']) await usedTab(gw, label);
    const waiting = await gw.open();
    waiting.sendFrame({ ...HELLO, token: await gw.token('ada') });
    await waiting.next('queued');
    waiting.sendFrame({ type: 'token', token: await gw.token('ada', { livesMs: 7_200_000 }) });
    expect((await waiting.next('token-ok')).authExpiresAt).toBeGreaterThan(Date.now() + 7_000_000);
    expect(waiting.frames.some((f) => f.type === 'ready')).toBe(false);
    waiting.sendFrame({ type: 'bye', reason: 'left' });
    expect((await waiting.close()).code).toBe(1000);
  });

  test('a second hello while it waits ends it, and its place is free', async () => {
    await using gw = await startGateway(SMALL);
    for (const label of ['A', 'B', 'C']) await usedTab(gw, label);
    const impatient = await gw.open();
    impatient.sendFrame({ ...HELLO, token: await gw.token('ada') });
    await impatient.next('queued');
    impatient.sendFrame(HELLO);
    expect((await impatient.close()).code).toBe(4500);
    const next = await gw.open();
    next.sendFrame({ ...HELLO, token: await gw.token('ada') });
    expect(await next.next('queued')).toMatchObject({ position: 1, of: 1 });
  });
});

/** What bounds the work of emergencies, and that none of it ever stands between a person and a seat. */

import { expect, test } from 'vitest';
import type { AdmissionRecord, CleanupReport } from '../../src/managers/events.ts';
import { FaultyStore } from '../support/faulty-store.ts';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';
import type { WireClient } from '../support/wire-client.ts';

const status = (gw: TestGateway) => gw.gateway.factory.getFactoryStatus();

async function until(what: string, holds: () => boolean, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Expected ${what} within ${withinMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function person(gw: TestGateway, label: string): Promise<WireClient> {
  const client = (await gw.open({ deadlineMs: 10_000 })).behave();
  client.sendFrame({ ...HELLO, token: await gw.token('ada'), client: { name: 'test', version: '1', label } });
  return client;
}

function told(gw: TestGateway) {
  const admissions: AdmissionRecord[] = [];
  const cleanups: CleanupReport[] = [];
  gw.gateway.on('admission-ended', (record) => admissions.push(record));
  gw.gateway.on('cleanup-finished', (report) => {
    if (report.trigger === 'admission') cleanups.push(report);
  });
  return { admissions, cleanups };
}

const levelsOf = (record: AdmissionRecord | undefined) => Object.fromEntries((record?.levels ?? []).map(({ level, result }) => [level, result]));

/** Two seats; whoever is unused for 300 ms may give way. */
const IDLE = {
  limits: { perUser: 2, burst: { perUser: 2 } },
  queue: { waitMs: 500 },
  health: { freshMs: 100, newbornMs: 50 },
  cleanup: { proactive: false, idleMs: 300, idleFullMs: 300 },
} as const;

test('a level that threw three times is skipped upward, and is no failure; every person is seated all the while', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ store, ...IDLE });
  const { admissions, cleanups } = told(gw);
  for (const label of ['a', 'b']) await (await person(gw, label)).next('ready');
  store.fail('seats.evict');
  for (let i = 0; i < 4; i++) {
    await until('both to be idle', () => status(gw).managersByVerdict.idle === 2);
    await new Promise((resolve) => setTimeout(resolve, 350));
    const client = await person(gw, `person-${i}`);
    await client.next('ready');
    expect(status(gw)).toMatchObject({ seats: 2, queued: 0 });
  }
  const four = admissions.slice(2);
  expect(four.map((r) => r.outcome)).toEqual(Array(4).fill('force'));
  for (const record of four.slice(0, 3)) expect(levelsOf(record)).toMatchObject({ moderate: 'failed', aggressive: 'failed', force: 'enough' });
  expect(levelsOf(four[3])).toEqual({ conservative: 'short', moderate: 'skipped', aggressive: 'skipped', force: 'enough' });
  expect(cleanups.filter((r) => r.result === 'failed')).toHaveLength(3);
  // Skipped is not failed, and no run.
  const last = cleanups.filter((r) => r.admissions.includes(four[3]?.managerId as never));
  expect(last.flatMap((r) => r.levels.map((l) => l.level))).not.toContain('moderate');
  expect(last.map((r) => r.result)).not.toContain('failed');
});

test('`conservative` is never skipped, however often it threw; and the dead go as soon as the store works', async () => {
  const store = new FaultyStore();
  await using gw = await startGateway({ store, limits: { perUser: 2, burst: { perUser: 2 } }, queue: { waitMs: 300 }, cleanup: { proactive: false } });
  const { admissions } = told(gw);
  const clients = [await person(gw, 'a'), await person(gw, 'b')];
  for (const client of clients) await client.next('ready');
  store.fail('seats.evict');
  for (let i = 0; i < 5; i++) {
    const open = clients.filter((client) => client.isOpen);
    open[0]?.cut();
    await until('it to be without transport', () => status(gw).sockets === 1);
    const next = await person(gw, `person-${i}`);
    await next.next('ready');
    clients.push(next);
    expect(levelsOf(admissions.at(-1))).toMatchObject({ conservative: 'failed' });
    await until('both to be connected', () => status(gw).sockets === 2);
  }
  store.heal('seats.evict');
  clients.findLast((client) => client.isOpen)?.cut();
  await until('it to be without transport', () => status(gw).sockets === 1);
  const last = await person(gw, 'last');
  await last.next('ready');
  expect(last.frames.some((f) => f.type === 'queued')).toBe(false);
  expect(levelsOf(admissions.at(-1))).toEqual({ conservative: 'enough' });
});

test('who comes right after a round of probes asks nobody again, and is answered from the evidence that stands', async () => {
  await using gw = await startGateway({
    limits: { perUser: 3, burst: { perUser: 3 } },
    queue: { waitMs: 5_000 },
    health: { freshMs: 50, heartbeatMs: 60_000, clientTimeoutMs: 120_000 },
    cleanup: { proactive: false, passMs: 60_000, watchOn: 1 },
  });
  const seated = [await person(gw, 'a'), await person(gw, 'b')];
  for (const client of seated) await client.next('ready');
  await new Promise((resolve) => setTimeout(resolve, 600));
  const { admissions } = told(gw);
  await (await person(gw, 'c')).next('ready');
  const waiting: WireClient[] = [];
  const tookMs: number[] = [];
  for (let i = 0; i < 4; i++) {
    const startedAt = performance.now();
    const client = await person(gw, `waiting-${i}`);
    await client.next('queued');
    tookMs.push(performance.now() - startedAt);
    waiting.push(client);
  }
  for (const client of waiting) client.cut();
  await until('all to have left', () => admissions.filter((r) => r.outcome === 'abandoned').length === 4);
  // Everybody who answers is asked once in half a second at most.
  expect(seated.map((client) => client.frames.filter((f) => f.type === 'probe').length)).toEqual([1, 1]);
  expect(Math.max(...tookMs)).toBeLessThan(400);
});

test('twenty users with twenty dead each at once: a bounded number goes in a turn of the event loop, round robin over users', {
  timeout: 120_000,
}, async () => {
  const USERS = 20;
  const EACH = 20;
  const store = new FaultyStore();
  await using gw = await startGateway({ store, cleanup: { proactive: false }, health: { reattachGraceMs: 0 }, rate: { upgradesPer10s: 10_000 } });
  const { cleanups } = told(gw);
  for (let u = 0; u < USERS; u++) {
    const dead = await Promise.all(Array.from({ length: EACH }, () => gw.seat(`user-${u}`)));
    for (const { client } of dead) client.cut();
  }
  await until('all to be without transport', () => status(gw).sockets === 0, 20_000);
  const knocking = await Promise.all(Array.from({ length: USERS }, () => gw.open()));
  const tokens = await Promise.all(knocking.map((_, u) => gw.token(`user-${u}`)));

  // Their passes begin in the same instant.
  const held = store.hold('seats.facts');
  for (const [u, client] of knocking.entries()) client.sendFrame({ ...HELLO, token: tokens[u] });
  await Promise.all(knocking.map((client) => client.next('welcome')));
  await until('all passes to be there', () => held.waiting === USERS);
  let turn = 0;
  let isOver = false;
  const count = (): void => {
    turn++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const ended: { readonly turn: number; readonly user: string }[] = [];
  gw.gateway.on('manager-ended', ({ user }) => ended.push({ turn, user }));
  held.release();
  const releasedAt = performance.now();
  await Promise.all(knocking.map((client) => client.next('ready')));
  expect(performance.now() - releasedAt).toBeLessThan(2_000);
  isOver = true;

  await until('the records', () => new Set(cleanups.map((r) => r.user)).size === USERS);
  expect(ended).toHaveLength(USERS * EACH);
  for (const report of cleanups) expect(report.result).toBe('enough');
  const ofTurn = new Map<number, number>();
  for (const e of ended) ofTurn.set(e.turn, (ofTurn.get(e.turn) ?? 0) + 1);
  // 256 frames, three an eviction.
  expect(Math.max(...ofTurn.values())).toBeLessThanOrEqual(86);
  // While all are at it, nobody is far ahead of anybody.
  const half = new Map<string, number>();
  for (const e of ended.slice(0, (USERS * EACH) / 2)) half.set(e.user, (half.get(e.user) ?? 0) + 1);
  expect(half.size).toBe(USERS);
  expect(Math.max(...half.values()) - Math.min(...half.values())).toBeLessThanOrEqual(3);
  expect(status(gw)).toMatchObject({ seats: USERS, sockets: USERS });
});

/** AS-11, memory and numbers: twenty people with twenty sessions each, every one with a full window of events it has not acknowledged, a
 *  fifth of them dead. Everybody opens one more; then the dead and half of the rest leave; then all. The gateway gives back what they took,
 *  in bytes, and its figures are those that the clients saw. */

import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { FactoryStatus } from '../../src/managers/reports.ts';
import { HELLO } from '../support/gateway.ts';
import { Lab } from '../support/lab/lab.ts';
import { connectionsTo, until } from '../support/peers/kernel.ts';
import { expectWithin, gated } from '../support/peers/load-gate.ts';
import { WireClient, type WireFrame } from '../support/wire-client.ts';

const USERS = 20;
const LOOKS = 4;
const EACH = 20;
const DEAD_EACH = 4;
/** Events of a thread, more than any window takes: 250 KB, read slowly. */
const EVENTS = 250;
const EVENT_BYTES = 1_000;
const ACK_EVERY_MS = 400;
const WITHIN_MS = 500;
const OPEN_OVER_MS = 5_000;
const FREED_SHARE = 0.8;
const LEFT_BYTES = 50e6;
const THREAD = 't';
/** More than an eviction of this user needs, so that some attempts come to nothing. */
const FAILED_WRITES = 3;
const UNLUCKY = 'u0';

/** A session that reads on its own time: what it was sent is acknowledged one event at a time, so that its window is always full. */
class SlowReader {
  readonly wire: WireClient;
  readonly manager: string;
  readonly user: string;
  readonly helloToReadyMs: number;
  bye: WireFrame | null = null;
  received = 0;
  #acked = 0;

  private constructor(wire: WireClient, user: string, manager: string, helloToReadyMs: number) {
    this.wire = wire;
    this.user = user;
    this.manager = manager;
    this.helloToReadyMs = helloToReadyMs;
    wire.hear((frame) => {
      if (frame.type === 'event') this.received = frame.offset as number;
      else if (frame.type === 'bye') this.bye = frame;
      // The test holds hundreds of these.
      wire.frames.length = 0;
      wire.texts.length = 0;
    });
    wire.sendFrame({ type: 'subscribe', sub: 1, thread: THREAD, from: 'start' });
  }

  static async open(lab: Lab, user: string): Promise<SlowReader> {
    const wire = await WireClient.open(lab.wsUrl, { deadlineMs: 20_000 });
    const token = await lab.token(user);
    const saidAt = performance.now();
    wire.sendFrame({ ...HELLO, token });
    const { manager } = await wire.next('ready');
    return new SlowReader(wire, user, manager as string, performance.now() - saidAt);
  }

  /** Takes one more event: the sign of life of a slow page. */
  take(): void {
    if (this.#acked >= this.received || !this.wire.isOpen) return;
    this.#acked += 1;
    this.wire.sendFrame({ type: 'ack', sub: 1, offset: this.#acked });
  }

  get owed(): number {
    return this.received - this.#acked;
  }

  /** Closed by its person. */
  async leave(): Promise<void> {
    if (!this.wire.isOpen) return;
    this.wire.sendFrame({ type: 'bye', reason: 'left' });
    await this.wire.closed;
  }
}

/** The least of a few looks: what is just on its way is no session's. */
async function held(lab: Lab): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < LOOKS; i++) {
    const { heapUsed, external } = await lab.memory();
    least = Math.min(least, heapUsed + external);
  }
  return least;
}

async function inParts<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < all.length; from += EACH) results.push(...(await Promise.all(all.slice(from, from + EACH).map(work))));
  return results;
}

interface Crowd {
  readonly lab: Lab;
  readonly users: readonly string[];
  /** Sessions opened so far. */
  opened: number;
}

/** Twenty sessions of everybody, each with a full window. */
async function openAll(crowd: Crowd): Promise<SlowReader[]> {
  const seats = crowd.users.flatMap((user) => Array.from({ length: EACH }, () => user));
  const readers = await inParts(seats, (user) => SlowReader.open(crowd.lab, user));
  await until('a window for everybody', () => readers.every(({ received }) => received > 0), 10_000);
  crowd.opened += readers.length;
  return readers;
}

async function leaveAll({ lab }: Crowd, readers: readonly SlowReader[], left: number): Promise<number> {
  await inParts(readers, (reader) => reader.leave());
  await until('their seats to be free', async () => (await lab.status()).factory.seats === left, 30_000, 100);
  return await held(lab);
}

/** Everybody opens one more; for one of them the store fails a few times on the way. */
async function openOneMore({ lab, users }: Crowd): Promise<SlowReader[]> {
  await lab.tell({ do: 'fail-writes', user: UNLUCKY, times: FAILED_WRITES });
  const newcomers = await Promise.all(
    users.map(async (user, i) => {
      await delay((OPEN_OVER_MS / USERS) * i);
      return await SlowReader.open(lab, user);
    }),
  );
  for (const { helloToReadyMs, user } of newcomers) if (user !== UNLUCKY) expectWithin('an admission', helloToReadyMs, WITHIN_MS);
  for (const { report } of lab.cleanups) if (report.user !== UNLUCKY) expectWithin('a cleanup', report.durationMs, WITHIN_MS);
  return newcomers;
}

/** The gateway's figures are those of the clients: who was seated, and who was sent away at which level. */
async function figuresAgree({ lab, opened }: Crowd, dead: readonly SlowReader[], present: number): Promise<FactoryStatus> {
  const told = (): SlowReader[] => dead.filter(({ bye }) => bye !== null);
  // A farewell is on its way; should it never come, the figures below tell which.
  await until('the freed to be told', async () => told().length >= (await lab.status()).factory.evicted, 5_000, 50).catch(() => {});
  const { factory } = await lab.status();
  const at = (level: string): number => told().filter(({ bye }) => bye?.explain?.level === level).length;
  expect(factory.freed).toEqual(Object.fromEntries(Object.keys(factory.freed).map((level) => [level, at(level)])));
  expect(factory.created).toBe(opened);
  expect([factory.seats, factory.evicted, factory.queued]).toEqual([present - told().length, told().length, 0]);
  const seated = lab.admissions.filter(({ record }) => record.outcome !== 'retry-later' && record.outcome !== 'abandoned').length;
  expect(seated).toBe(opened);
  expect(factory.zombiesDetected).toBeGreaterThanOrEqual(dead.length);
  expect(factory.failedCleanups, 'cleanups in which the store failed').toBeGreaterThan(0);
  return factory;
}

test(
  'AS-11 sessions with full windows are given up in time, their bytes come back, and every figure is what the clients saw',
  { timeout: 120_000 },
  gated(async () => {
    await using lab = await Lab.start({ options: { timing: 'fast', cleanup: { proactive: false }, rate: { upgradesPer10s: 10_000 } } });
    const port = Number(new URL(lab.url).port);
    const crowd: Crowd = { lab, users: Array.from({ length: USERS }, (_, i) => `u${i}`), opened: 0 };

    // Logs come before sessions, so that what sessions take can be told apart; a first round warms up what is made once.
    for (const user of crowd.users)
      for (let i = 0; i < EVENTS; i += 50) await Promise.all(Array.from({ length: 50 }, () => lab.publish(user, THREAD, EVENT_BYTES)));
    const start = await leaveAll(crowd, await openAll(crowd), 0);
    const still = await openAll(crowd);
    const bytesEach = ((await held(lab)) - start) / still.length;
    await leaveAll(crowd, still, 0);

    const readers = await openAll(crowd);
    const dead = readers.filter((_, i) => i % EACH < DEAD_EACH);
    const living = readers.filter((reader) => !dead.includes(reader));
    const pace = setInterval(() => {
      for (const reader of living) reader.take();
    }, ACK_EVERY_MS);
    try {
      await until('proof against the dead', async () => (await lab.status()).factory.managersByVerdict.zombie >= dead.length, 60_000, 200);
      expect(living.every(({ owed }) => owed > 0)).toBe(true);
      const newcomers = await openOneMore(crowd);
      crowd.opened += newcomers.length;
      living.push(...newcomers);
      const factory = await figuresAgree(crowd, dead, readers.length + newcomers.length);
      expect(
        living.flatMap(({ bye }) => bye ?? []),
        'living sessions that were sent away',
      ).toEqual([]);

      // Nobody moves any more. What was written down about the cleanups stays, and is no session's.
      clearInterval(pace);
      const before = await held(lab);
      const staying = living.filter((_, i) => i % 2 === 1);
      const half = await leaveAll(crowd, [...dead, ...living.filter((_, i) => i % 2 === 0)], staying.length);
      const backOfHalf = (before - half) / ((factory.seats - staying.length) * bytesEach);
      const end = await leaveAll(crowd, staying, 0);
      const backOfAll = (before - end) / (factory.seats * bytesEach);
      if (process.env.SPILLWAY_TELL === '1')
        process.stdout.write(
          `${JSON.stringify({ start, before, half, end, bytesEach, backOfHalf, backOfAll, slowestAdmissionMs: Math.max(...newcomers.map((n) => n.helloToReadyMs)) })}\n`,
        );
      expect(backOfHalf, 'share of the bytes of those who left that came back').toBeGreaterThanOrEqual(FREED_SHARE);
      expect(backOfAll, 'share of the bytes of all that came back').toBeGreaterThanOrEqual(FREED_SHARE);
      expect(end - start).toBeLessThan(LEFT_BYTES);
      await until('no connection to be left', () => connectionsTo(port) === 0);
      expect(await lab.differences()).toEqual([]);
    } finally {
      clearInterval(pace);
      for (const reader of readers) reader.wire.cut();
    }
  }),
);

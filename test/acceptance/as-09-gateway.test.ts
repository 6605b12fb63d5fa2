/** AS-09, AS-09b: the gateway itself goes away in the middle of twenty answers, asked to or not, and the next one on the same store file
 *  has all of them. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, expect, test } from 'vitest';
import { FaultGateway } from '../faults/fault-gateway.ts';
import { check, faultsOf, isCutTail } from '../support/lossless/checker.ts';
import { readLines } from '../support/lossless/read-lines.ts';
import type { Attempted } from '../support/lossless/records.ts';
import { until } from '../support/peers/kernel.ts';
import { attemptedBy, COUNT, expectOneEnd, expectWhole, logOf, OFFSETS, Page, seatsOf, staggered, type Tally, TIMING } from './as-09-scene.ts';

/** From the start of the next instance, or of another that takes over. */
const PRODUCER_LOST_WITHIN_MS = 15_000;

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

/** Takes the write lock of a SQLite file, as a backup or a careless operator does. */
function lockStore(file: string): Disposable {
  const database = new Sqlite(file, { timeout: 5_000 });
  database.exec('BEGIN IMMEDIATE');
  return { [Symbol.dispose]: () => void database.close() };
}

interface Person {
  readonly user: string;
  readonly at: number;
  readonly x: Page;
  readonly y: Page;
}

async function inTheMiddle(): Promise<{ readonly gateway: FaultGateway; readonly people: readonly Person[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-as-09b-'));
  cleanUp.defer(() => rmSync(folder, { recursive: true, force: true }));
  const gateway = cleanUp.use(await FaultGateway.start({ timing: TIMING, folder, store: 'file', drainMs: 20_000 }));
  const people = await Promise.all(
    OFFSETS.map(async (at) => {
      const user = `u${at}`;
      const x = cleanUp.use(await Page.open(gateway, user, 'X'));
      return { user, at, x, y: cleanUp.use(await Page.open(gateway, user, 'Y')) };
    }),
  );
  await staggered(people.map(({ y }) => y));
  await Promise.all(people.map(({ x, at }) => x.until(`an ack of ${at / 2}`, () => x.acked >= at / 2)));
  const numbers = people.map(({ x }) => x.applied);
  expect(new Set(numbers).size).toBeGreaterThan(OFFSETS.length / 2);
  expect(Math.max(...numbers)).toBeLessThan(COUNT);
  return { gateway, people };
}

test('it is asked to stop: the runs go on to their ends, and everybody has everything from the next instance', { timeout: 120_000 }, async () => {
  const { gateway, people } = await inTheMiddle();
  const tally: Tally = { runs: 0, pages: 0, events: 0 };
  expect(await gateway.kill('SIGTERM')).toBe(0);
  await gateway.start();
  await Promise.all(people.flatMap(({ x, y }) => [x.hasEnded(), y.hasEnded()]));
  const attempted = [...readLines<Attempted>(gateway.attempted)];
  for (const { user, x, y } of people) {
    const token = await gateway.token(user);
    const log = await logOf(gateway.url, token);
    expectOneEnd(user, log, tally);
    for (const page of [x, y]) {
      expectWhole(user, page.lines, log, attemptedBy(user, attempted), tally);
      expect({ user, ends: page.ends }).toEqual({ user, ends: ['completed'] });
      // Sent away once, each in its turn, with a code that brings it back by itself.
      expect(page.closes).toContain(4_001);
    }
    await Promise.all([x, y].map((page) => page.until('live', () => page.isLive)));
    expect({ user, seats: await seatsOf(gateway.url, token) }).toEqual({ user, seats: 2 });
  }
  process.stdout.write(`AS-09, drain: ${tally.runs} runs, ${tally.pages} pages, ${tally.events} events compared, 0 lost, 0 doubled, 0 reordered\n`);
});

test('it is killed: everything that was logged, once, then one visible end', { timeout: 120_000 }, async () => {
  const { gateway, people } = await inTheMiddle();
  {
    // While somebody else holds the store's file, the agents go on and nothing is logged: nobody may see what the store could still lose.
    using _lock = lockStore(join(gateway.folder, 'store.sqlite'));
    const attempts = [...readLines<Attempted>(gateway.attempted)].length;
    await until('events that wait for the store', () => [...readLines<Attempted>(gateway.attempted)].length > attempts + 20 * people.length);
    await gateway.kill('SIGKILL');
  }
  const restartedAt = performance.now();
  await gateway.start();
  await Promise.all(people.flatMap(({ x, y }) => [x.hasEnded(), y.hasEnded()]));
  expect(performance.now() - restartedAt).toBeLessThan(PRODUCER_LOST_WITHIN_MS);
  const attempted = [...readLines<Attempted>(gateway.attempted)];
  let events = 0;
  let unlogged = 0;
  for (const { user, x, y } of people) {
    const token = await gateway.token(user);
    const log = await logOf(gateway.url, token);
    const own = attemptedBy(user, attempted);
    expect({ user, ends: log.ends }).toEqual({ user, ends: ['producer_lost'] });
    for (const page of [x, y]) {
      const findings = check({ user, logged: log.entries, lines: page.lines, attempted: own });
      expect({ user, faults: faultsOf(findings, 'unlogged') }).toEqual({ user, faults: [] });
      expect(isCutTail(findings.unlogged, own)).toBe(true);
      expect({ user, ends: page.ends }).toEqual({ user, ends: log.ends });
      events += findings.checked;
      unlogged += findings.unlogged.length;
    }
    expect({ user, seats: await seatsOf(gateway.url, token) }).toEqual({ user, seats: 2 });
    // The conversation goes on, under the same numbers.
    y.ask({ count: 3 });
  }
  await Promise.all(people.flatMap(({ x, y }) => [x.hasEnded(2), y.hasEnded(2)]));
  for (const { user, x, y } of people)
    for (const { ends } of [x, y]) expect({ user, last: ends.at(-1), count: ends.length }).toEqual({ user, last: 'completed', count: 2 });
  expect(unlogged).toBeGreaterThan(0);
  process.stdout.write(
    `AS-09b: ${people.length} runs killed, ${events} events compared, 0 lost, 0 doubled, 0 reordered, ${unlogged / 2} attempted and never logged\n`,
  );
});

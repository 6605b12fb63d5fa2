/** AS-09, AS-09b over nodes that share a Redis: a node is killed in the middle of answers, of those that another node gives and of its
 *  own; and Redis itself is started again. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FaultGateway } from '../faults/fault-gateway.ts';
import { type Door, openDoor } from '../support/door.ts';
import { check, faultsOf, isCutTail } from '../support/lossless/checker.ts';
import type { Asked } from '../support/lossless/numbered-agent.ts';
import { readLines } from '../support/lossless/read-lines.ts';
import type { Attempted } from '../support/lossless/records.ts';
import { until } from '../support/peers/kernel.ts';
import { type RedisServer, redisTool, startRedis } from '../support/redis.ts';
import { attemptedBy, COUNT, expectOneEnd, expectWhole, type Log, logOf, OFFSETS, Page, RUN, seatsOf, type Tally, TIMING } from './as-09-scene.ts';

const PRODUCER_LOST_WITHIN_MS = 15_000;
/** Twenty runs at once on each of two nodes beside Redis, three gateways and eighty pages: at a pace that all of them keep. */
const SLOW_RUN: Asked = { ...RUN, perSecond: 50 };
const STAGGER_MS = 150;
const NODES = ['gw-1', 'gw-2', 'gw-3'] as const;
const { missing } = redisTool();
if (missing !== null) process.stdout.write(`AS-09 over nodes: skipped, ${missing}\n`);

const ofAll = new AsyncDisposableStack();
let scene: Scene;
beforeAll(async () => {
  if (missing === null) scene = await threeNodes();
});
afterAll(() => ofAll.disposeAsync());
let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

interface Scene {
  readonly redis: RedisServer;
  readonly nodes: readonly [FaultGateway, FaultGateway, FaultGateway];
  attempted(): readonly Attempted[];
}

async function threeNodes(): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-as-09-nodes-'));
  ofAll.defer(() => rmSync(folder, { recursive: true, force: true }));
  const redis = ofAll.use(await startRedis({ appendonly: true }));
  const start = async (node: string): Promise<FaultGateway> =>
    ofAll.use(await FaultGateway.start({ timing: TIMING, folder, node, store: { redis: redis.url }, drainMs: 20_000 }));
  const nodes = await Promise.all([start(NODES[0]), start(NODES[1]), start(NODES[2])]);
  return { redis, nodes, attempted: () => [...readLines<Attempted>(nodes[0].attempted)] };
}

interface Person {
  readonly user: string;
  readonly x: Page;
  readonly y: Page;
  /** What X, and Y, goes through. */
  readonly doors: readonly [Door, Door];
}

/** One person for each offset, X at one node, Y, who asks, at another. */
const people = (name: string, atX: FaultGateway, atY: FaultGateway): Promise<readonly Person[]> =>
  Promise.all(
    OFFSETS.map(async (at) => {
      const user = `${name}-${at}`;
      const doors = [cleanUp.use(await openDoor(atX)), cleanUp.use(await openDoor(atY))] as const;
      const x = cleanUp.use(await Page.open(atX, user, 'X', doors[0].wsUrl));
      return { user, doors, x, y: cleanUp.use(await Page.open(atY, user, 'Y', doors[1].wsUrl)) };
    }),
  );

/** Everybody's answer is under way, each at another offset. */
async function inTheMiddle(...groups: readonly (readonly Person[])[]): Promise<void> {
  for (let i = OFFSETS.length - 1; i >= 0; i--) {
    for (const group of groups) group[i]?.y.ask(SLOW_RUN);
    await delay(STAGGER_MS);
  }
  await Promise.all(groups.flatMap((group) => group.map(({ x }) => x.until('an ack', () => x.acked >= 5))));
  for (const group of groups) {
    const numbers = group.map(({ x }) => x.applied);
    expect(new Set(numbers).size).toBeGreaterThan(OFFSETS.length / 2);
    expect(Math.max(...numbers)).toBeLessThan(COUNT);
  }
}

/** Redis takes nothing. The agents go on, and nobody may see what the store could still lose. */
async function whileAway(runs: number): Promise<void> {
  const before = scene.attempted().length;
  await until('attempts that wait for Redis', () => scene.attempted().length > before + 10 * runs, 30_000);
}

async function logAt(node: FaultGateway, user: string): Promise<Log> {
  return await logOf(node.url, await node.token(user));
}

describe.skipIf(missing !== null)('over nodes', () => {
  test('Redis stands still, then is started again on its data: nobody is closed, nothing is lost, the runs go on', { timeout: 180_000 }, async () => {
    const { redis, nodes, attempted } = scene;
    const [first, second] = nodes;
    const group = await people('redis', first, second);
    await inTheMiddle(group);
    redis.freeze();
    await whileAway(group.length);
    redis.thaw();
    const shown = group[0]?.x.applied ?? 0;
    await group[0]?.x.until('news', () => (group[0]?.x.applied ?? 0) > shown);
    await redis.stop();
    await whileAway(group.length);
    await redis.start();
    await Promise.all(group.flatMap(({ x, y }) => [x.hasEnded(), y.hasEnded()]));
    const all = attempted();
    const tally: Tally = { runs: 0, pages: 0, events: 0 };
    for (const { user, x, y } of group) {
      const log = await logAt(first, user);
      expectOneEnd(user, log, tally);
      for (const page of [x, y]) {
        expectWhole(user, page.lines, log, attemptedBy(user, all), tally);
        expect({ user, closes: page.closes, ends: page.ends }).toEqual({ user, closes: [], ends: ['completed'] });
      }
      expect({ user, seats: await seatsOf(first.url, await first.token(user)) }).toEqual({ user, seats: 2 });
    }
    process.stdout.write(
      `AS-09 over nodes, Redis frozen and restarted: ${tally.runs} runs, ${tally.pages} pages, ${tally.events} events compared, 0 lost, 0 doubled, 0 reordered\n`,
    );
  });

  test('a node is killed: what others answer goes on whole, what it answered ends once and visibly', { timeout: 180_000 }, async () => {
    const { redis, nodes, attempted } = scene;
    const [killed, other, third] = nodes;
    // X of the first ones is where nothing runs, the second ones are answered by the node that dies.
    const spared = await people('spared', killed, other);
    const hit = await people('hit', third, killed);
    await inTheMiddle(spared, hit);
    redis.freeze();
    await whileAway(spared.length + hit.length);
    const killedAt = performance.now();
    await killed.kill('SIGKILL');
    redis.thaw();
    for (const { doors } of spared) doors[0].to(third);
    for (const { doors } of hit) doors[1].to(other);
    await Promise.all(hit.flatMap(({ x, y }) => [x.hasEnded(), y.hasEnded()]));
    const lostMs = performance.now() - killedAt;
    expect(lostMs).toBeLessThan(PRODUCER_LOST_WITHIN_MS);
    await Promise.all(spared.flatMap(({ x, y }) => [x.hasEnded(), y.hasEnded()]));

    const all = attempted();
    const tally: Tally = { runs: 0, pages: 0, events: 0 };
    for (const { user, x, y } of spared) {
      const log = await logAt(other, user);
      expectOneEnd(user, log, tally);
      for (const page of [x, y]) expectWhole(user, page.lines, log, attemptedBy(user, all), tally);
      expect({ user, closes: y.closes, ends: y.ends, repeats: y.recorder.repeats }).toEqual({ user, closes: [], ends: ['completed'], repeats: 0 });
      // Its seat was never gone.
      expect({ user, how: x.seatings }).toEqual({ user, how: ['fresh', 'attached'] });
      expect({ user, seats: await seatsOf(third.url, await third.token(user)) }).toEqual({ user, seats: 2 });
    }
    let events = 0;
    let unlogged = 0;
    for (const { user, x, y } of hit) {
      const log = await logAt(other, user);
      const own = attemptedBy(user, all);
      expect({ user, ends: log.ends }).toEqual({ user, ends: ['producer_lost'] });
      for (const page of [x, y]) {
        const findings = check({ user, logged: log.entries, lines: page.lines, attempted: own });
        expect({ user, faults: faultsOf(findings, 'unlogged') }).toEqual({ user, faults: [] });
        expect(isCutTail(findings.unlogged, own)).toBe(true);
        expect({ user, ends: page.ends }).toEqual({ user, ends: ['producer_lost'] });
        events += findings.checked;
        unlogged += findings.unlogged.length;
      }
      expect({ user, closes: x.closes }).toEqual({ user, closes: [] });
      // The conversation goes on, wherever it is asked.
      y.ask({ count: 3 });
    }
    expect(unlogged).toBeGreaterThan(0);
    await Promise.all(hit.flatMap(({ x, y }) => [x.hasEnded(2), y.hasEnded(2)]));
    for (const { x, y } of hit) for (const { ends } of [x, y]) expect(ends).toEqual(['producer_lost', 'completed']);
    process.stdout.write(
      `AS-09 over nodes, kill -9: ${tally.runs} runs went on, ${hit.length} ended with producer_lost after at most ${Math.round(lostMs)} ms, ${tally.events + events} events compared, 0 lost, 0 doubled, 0 reordered\n`,
    );
  });
});

/** What becomes of seats when the Redis that nodes share freezes, dies, forgets, or has its clock set: nobody live is dropped. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PartialOptions } from '../../src/core/options.ts';
import type { SeatDigest, Store } from '../../src/ports/store.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { type BareNode, bareNode, eventually, type Session } from '../support/bare-node.ts';
import { NO_FAKETIME, type WallClock, wallClock } from '../support/lab/faketime.ts';
import { expectWithin, gated } from '../support/peers/load-gate.ts';
import { type RedisServer, redisTool, startRedis } from '../support/redis.ts';
import { skipWithout } from '../support/tools.ts';

const ADA = 'ada' as UserId;
const WAIT_MS = 1_000;
const DECIDED_WITHIN_MS = 500;
const OPTIONS = {
  limits: { perUser: 8, burst: { perUser: 10 } },
  lease: { ttlMs: 8_000, renewMs: 2_000 },
  queue: { waitMs: WAIT_MS },
} as const satisfies PartialOptions;
const LIMITS = {
  soft: 8,
  hard: 10,
  burstForMs: 60_000,
  coolDownMs: 60_000,
  debtMaxMs: 60_000,
  places: 10,
  waitMs: 10_000,
  promiseMs: 5_000,
  ttlMs: 8_000,
  tombstoneMs: 60_000,
};

let clock: WallClock | null;
let redis: RedisServer;
let nodes: BareNode[] = [];
let stores: Store[] = [];
/** Of the one who only looks. */
let witness: Store;

describe('on Redis', () => {
  skipWithout(redisTool());

  beforeAll(async () => {
    if (redisTool().missing !== null) return;
    clock = wallClock();
    redis = await startRedis(clock === null ? {} : { env: clock.env });
  });
  afterAll(async () => {
    await redis?.[Symbol.asyncDispose]();
    clock?.[Symbol.dispose]();
  });
  beforeEach(async () => {
    redis.cli('FLUSHALL');
    witness = await redisStore({ url: redis.url });
    stores = [witness];
    nodes = [];
    for (const node of ['a', 'b']) {
      const store = await redisStore({ url: redis.url });
      stores.push(store);
      nodes.push(await bareNode({ store, node, ...OPTIONS }));
    }
    await eventually('the nodes to know each other', () => nodes.every(({ factory }) => factory.cluster?.living === 2));
  });
  afterEach(async () => {
    // Whatever failed before it went on: the next test is about something else.
    redis.thaw();
    await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
  });

  const at = (index: 0 | 1): BareNode => nodes[index] as BareNode;
  const open = async (node: BareNode, count: number): Promise<readonly Session[]> => {
    const sessions: Session[] = [];
    for (let i = 0; i < count; i++) sessions.push(await node.connect('ada'));
    return sessions;
  };
  const inStore = async (): Promise<readonly SeatDigest[]> => (await witness.seats.facts(ADA, LIMITS)).seats;
  const held = (): readonly (readonly [string, number])[] =>
    nodes.flatMap(({ factory }) => factory.list(ADA).map((manager) => [manager.id, manager.seat?.token ?? 0] as const)).toSorted();
  const isAlone = ({ factory }: BareNode): boolean => factory.telemetry.gauges().storeFailOpen;
  /** Every seat that a node believes to hold is in the store, under that token, and no other. */
  const converges = () =>
    eventually(
      'store and nodes to agree',
      async () => {
        if (nodes.some(isAlone)) return false;
        const known = (await inStore()).map(({ manager, token }) => [manager, token] as const).toSorted();
        return JSON.stringify(known) === JSON.stringify(held());
      },
      12_000,
    );
  const nobodyWasCut = (): void => {
    for (const node of nodes) expect(node.told('manager-ended')).toEqual([]);
  };
  const tokens = async (): Promise<number> => Math.max(...(await inStore()).map((seat) => seat.token));

  test(
    'it freezes for five seconds: who has a seat keeps it, who comes gets one in half a second, and all agree again',
    gated(async () => {
      await open(at(0), 2);
      await open(at(1), 2);
      const before = await tokens();
      redis.freeze();
      const startedAt = performance.now();
      const decided: number[] = [];
      for (let i = 0; i < 2; i++)
        for (const node of nodes) {
          const askedAt = performance.now();
          expect((await node.connect('ada')).admission.kind).toBe('seated');
          decided.push(performance.now() - askedAt);
        }
      expect(nodes.map(isAlone)).toEqual([true, true]);
      expectWithin('a decision without the store', Math.max(...decided), DECIDED_WITHIN_MS);
      await new Promise((resolve) => setTimeout(resolve, 5_000 - (performance.now() - startedAt)));
      redis.thaw();
      await converges();
      nobodyWasCut();
      expect(held()).toHaveLength(8);
      const next = await at(0).connect('ada', { intent: 'user' });
      expect(next.admission.kind).toBe('seated');
      expect(await tokens()).toBeGreaterThan(before);
    }),
  );

  test(
    'who waits when it freezes is seated in the time that was said, by whichever clock',
    gated(async () => {
      // Its share while it is alone is 4.
      await open(at(0), 4);
      await open(at(1), 6);
      const { admission } = await at(0).connect('ada', { waitMs: WAIT_MS });
      if (admission.kind !== 'queued') throw new Error(`Expected a place in the queue, got ${admission.kind}.`);
      const askedAt = performance.now();
      redis.freeze();
      expect((await admission.outcome).kind).toBe('seated');
      expectWithin('a seat for who waited', performance.now() - askedAt, WAIT_MS + 800);
      redis.thaw();
      await converges();
    }),
  );

  test('it loses everything: all seats are put back under their tokens, and none is given twice', async () => {
    await open(at(0), 4);
    await open(at(1), 4);
    const before = held();
    const highest = await tokens();
    redis.cli('FLUSHALL');
    await converges();
    nobodyWasCut();
    expect(held()).toEqual(before);
    await open(at(1), 1);
    expect(await tokens()).toBeGreaterThan(highest);
  });

  test(
    'it is killed and comes back with nothing: the same',
    gated(async () => {
      await open(at(0), 3);
      await open(at(1), 3);
      const before = held();
      const highest = await tokens();
      await redis.kill();
      const askedAt = performance.now();
      const { admission } = await at(0).connect('ada');
      const tookMs = performance.now() - askedAt;
      await redis.start();
      expect(admission.kind).toBe('seated');
      expectWithin('a decision without the store', tookMs, DECIDED_WITHIN_MS);
      await converges();
      nobodyWasCut();
      expect(held()).toHaveLength(7);
      expect(held()).toEqual(expect.arrayContaining([...before]));
      await open(at(1), 1);
      expect(await tokens()).toBeGreaterThan(highest);
    }),
  );

  test('its clock is set a day ahead, then back: seats are put back, nobody counts as dead, tokens go on rising', async (context) => {
    if (clock === null) return context.skip(NO_FAKETIME);
    await open(at(0), 4);
    await open(at(1), 4);
    const before = held();
    for (const offsetS of [86_400, 0]) {
      const highest = await tokens().catch(() => 0);
      clock.jumpTo(offsetS);
      const until = performance.now() + 2_500;
      while (performance.now() < until) {
        for (const node of nodes) expect(node.factory.cluster?.nodes()[1]?.standing).not.toBe('dead');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await converges();
      nobodyWasCut();
      expect(held()).toEqual(before);
      const moved = at(1).factory.list(ADA)[0];
      expect(moved?.seat?.token).toBeLessThanOrEqual(highest);
    }
    clock.jumpTo(0);
  });
});

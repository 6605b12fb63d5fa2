/** Histories of a shared store: whatever several processes ask of it at the same time, one order explains all answers. And the checker that
 *  says so finds every fault that is planted. */

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { redisTool, startRedis } from '../support/redis.ts';
import { skipWithout } from '../support/tools.ts';
import { checkedLog, checkedSeats, playLogHere, playSeatsHere, takeHistories } from './histories.ts';
import { linearizable } from './linearizable.ts';
import { LOG_FAULTS, SEAT_FAULTS } from './planted-faults.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Tries until a planted fault has shown itself. */
const SEEDS = [1, 2, 3, 4, 5];

test('a register that was read before it was written in the past is no register', () => {
  const register = {
    first: 0,
    step: (state: number, op: { readonly write?: number; readonly read?: number }) => op.write ?? (op.read === state ? state : null),
    key: String,
  };
  const call = (process: number, calledAt: number, returnedAt: number, op: { readonly write?: number; readonly read?: number }) => ({
    process,
    calledAt,
    returnedAt,
    op,
  });
  const overlapping = [call(1, 0, 10, { write: 1 }), call(2, 1, 3, { read: 1 }), call(3, 2, 4, { read: 0 })];
  expect(linearizable(overlapping, register)).toEqual({ is: 'linearizable' });
  const oneAfterTheOther = [call(1, 0, 10, { write: 1 }), call(2, 1, 3, { read: 1 }), call(3, 4, 6, { read: 0 })];
  expect(linearizable(oneAfterTheOther, register)).toMatchObject({ is: 'impossible' });
});

describe('of the store in memory, which is far away', () => {
  test('seats agree with one order', async () => {
    for (const seed of SEEDS) {
      await using store = memoryStore();
      expect(checkedSeats(await playSeatsHere(store.seats, seed))).toEqual({ is: 'linearizable' });
    }
  });

  test('the log agrees with one order', async () => {
    for (const seed of SEEDS) {
      await using store = memoryStore();
      expect(checkedLog(await playLogHere(store.log, seed))).toEqual({ is: 'linearizable' });
    }
  });

  test.each(Object.keys(SEAT_FAULTS))('%s is found', async (name) => {
    const found = SEEDS.map(async (seed) => {
      await using store = memoryStore();
      const faulty = SEAT_FAULTS[name]?.(store.seats);
      return faulty === undefined ? null : checkedSeats(await playSeatsHere(faulty, seed)).is;
    });
    expect(await Promise.all(found)).toContain('impossible');
  });

  test.each(Object.keys(LOG_FAULTS))('%s is found', async (name) => {
    const found = SEEDS.map(async (seed) => {
      await using store = memoryStore();
      const faulty = LOG_FAULTS[name]?.(store.log);
      return faulty === undefined ? null : checkedLog(await playLogHere(faulty, seed)).is;
    });
    expect(await Promise.all(found)).toContain('impossible');
  });
});

describe('of Redis, called by three processes', () => {
  skipWithout(redisTool());

  test('one order explains every seat, and every entry has one writer', { timeout: 60_000 }, async () => {
    await using redis = await startRedis();
    const names = ['ada', 'bob', 'eve'];
    const taken = await takeHistories({ build: ROOT, url: redis.url, processes: 3, calls: 60, seed: 1, names });
    for (const [name, { seats, log }] of taken) {
      expect(seats.length, `calls for seats of ${name}`).toBe(180);
      expect(checkedSeats(seats)).toEqual({ is: 'linearizable' });
      expect(checkedLog(log)).toEqual({ is: 'linearizable' });
    }
  });
});

import { expect, it } from 'vitest';
import { systemClock } from '../../ports/clock.ts';
import { systemRandom } from '../../ports/random.ts';
import type { AdmitRequest, SeatLimits } from '../../ports/store.ts';
import type { ManagerId, NodeId, UserId } from '../../protocol/ids.ts';
import { memoryStore } from '../../stores/memory.ts';
import { createSeatBook } from '../../stores/seats.ts';
import { CutOff } from './cut-off.ts';

const ADA = 'ada' as UserId;
const LIMITS: SeatLimits = {
  ...{ soft: 3, hard: 3, burstForMs: 60_000, coolDownMs: 900_000, debtMaxMs: 600_000, places: 2 },
  ...{ waitMs: 10_000, promiseMs: 5_000, ttlMs: 30_000, tombstoneMs: 600_000 },
};
const request = (name: string): AdmitRequest => ({
  ...{ user: ADA, manager: name as ManagerId, attach: name, node: 'gw-1' as NodeId, incarnation: 'one' },
  ...{ class: 'user', mayBurst: false, limits: LIMITS },
});

/** The store may be away for a night, in which many come and go. */
it('who holds a seat that was given alone is known, and who has left is not remembered', async () => {
  const alone = new CutOff({
    ...{ seats: memoryStore().seats, clock: systemClock, random: systemRandom, seatBook: createSeatBook, held: () => [] },
    ...{ tierOf: () => null, living: () => 1, storeNow: () => null, renewAll: async () => {}, began: () => {}, ended: () => {} },
  });
  alone.begin('The store is away.');
  const tokens = new Map<string, number>();
  const seat = async (name: string, victim?: string): Promise<void> => {
    const victims = victim === undefined ? [] : [{ manager: victim as ManagerId, token: tokens.get(victim) as number }];
    const answer =
      victim === undefined ? await alone.seats.admit(request(name)) : await alone.seats.replace({ ...request(name), victims, reason: 'lowest-value' });
    if (answer.is !== 'ok') throw new Error(`Expected a seat for ${name}, got ${answer.is}.`);
    tokens.set(name, answer.token);
  };
  for (const name of ['stays', 'leaves', 'evicted']) await seat(name);
  const was = (name: string): boolean => alone.wasSeatedAlone(name as ManagerId);
  expect([...tokens.keys()].map(was)).toEqual([true, true, true]);
  await alone.seats.release(ADA, 'leaves' as ManagerId, tokens.get('leaves') as number, LIMITS);
  await alone.seats.evict(ADA, 'evicted' as ManagerId, tokens.get('evicted') as number, 'user-freed', LIMITS);
  await seat('replaced');
  await seat('newcomer', 'replaced');
  expect([...tokens.keys()].filter(was)).toEqual(['stays', 'newcomer']);
  // One that was late: it has come back since.
  await seat('leaves');
  await alone.seats.release(ADA, 'leaves' as ManagerId, 1, LIMITS);
  expect(was('leaves')).toBe(true);
});

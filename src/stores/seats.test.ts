/** What the book in memory adds to the contract of all stores of seats, which is test/contracts/store-seats.ts. */

import { describe, expect, it } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import { systemRandom } from '../ports/random.ts';
import type { AdmitRequest, SeatLimits } from '../ports/store.ts';
import type { ManagerId, NodeId, UserId } from '../protocol/ids.ts';
import { createSeatBook } from './seats.ts';

const LIMITS: SeatLimits = {
  ...{ soft: 2, hard: 3, burstForMs: 60_000, coolDownMs: 900_000, debtMaxMs: 600_000, places: 2 },
  ...{ waitMs: 10_000, promiseMs: 5_000, ttlMs: 30_000, tombstoneMs: 600_000 },
};
const ADA = 'ada' as UserId;

class HandClock implements Clock {
  now = 1_000;
  wallMs = 1_700_000_000_000;
  mono = () => this.now;
  wall = () => this.wallMs + this.now;
  after = () => () => {};
  soon = () => {};
}

function open() {
  const clock = new HandClock();
  const seats = createSeatBook(clock, systemRandom);
  const request = (name: string, user: UserId): AdmitRequest => ({
    ...{ user, manager: name as ManagerId, attach: name, node: 'gw-1' as NodeId, incarnation: 'first' },
    ...{ class: 'user', mayBurst: false, limits: LIMITS },
  });
  const token = async (name: string, user = ADA): Promise<number> => {
    const answer = await seats.admit(request(name, user));
    if (answer.is !== 'ok') throw new Error(`Expected ${name} to be seated, but the limit is ${answer.facts.cap}`);
    return answer.token;
  };
  return { clock, seats, token };
}

describe('the seat book in memory', () => {
  it('gives tokens that rise, in a later process too, and when the wall clock steps back', async () => {
    const book = open();
    const first = await book.token('a');
    book.clock.wallMs -= 86_400_000;
    expect(await book.token('b')).toBe(first + 1);
    const later = open();
    later.clock.wallMs += 1_000;
    expect(await later.token('a')).toBeGreaterThan(first + 1);
  });

  it('forgets whoever was left with nothing at that instant, however many others are there to sweep', async () => {
    const book = open();
    for (let i = 0; i < 50; i++) await book.token('a', `other-${i}` as UserId);
    await book.token('a');
    book.clock.now += LIMITS.ttlMs;
    expect(await book.seats.facts(ADA, LIMITS)).toMatchObject({ seats: [], lastReleases: [], burst: { in: 'none' } });
  });
});

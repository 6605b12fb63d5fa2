import { expect, test } from 'vitest';
import type { Burst } from '../../core/burst.ts';
import { type Mono, mono } from '../../core/clocks.ts';
import { resolveOptions } from '../../core/resolve-options.ts';
import type { SeatFacts } from '../../ports/store.ts';
import type { UserId } from '../../protocol/ids.ts';
import { Bursts } from './bursts.ts';

const ADA = 'ada' as UserId;
const AHEAD_MS = 1_000_000;
const store = (ms: number): Mono => mono(ms + AHEAD_MS);

/** A limit of 2, and a store whose clock is far ahead of ours. */
function setUp() {
  const world = { now: 0, seats: 3 };
  const told: string[] = [];
  const timers = new Set<{ readonly at: number; readonly ring: () => void }>();
  const options = resolveOptions({ limits: { perUser: 2, burst: { perUser: 4, forMs: 1_000, coolDownMs: 5_000 } } });
  const bursts = new Bursts(options, {
    now: () => mono(world.now),
    seatsOf: () => world.seats,
    after: (delayMs, ring) => {
      const timer = { at: world.now + delayMs, ring };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    changed: (user, to) => told.push(`${user} ${to}`),
  });
  const hear = (burst: Burst, user = ADA) =>
    bursts.note(user, { now: world.now + AHEAD_MS, seats: [], burst, cap: 4, tickets: [], promises: [], lastReleases: [] } satisfies SeatFacts);
  const holds = (seats: number) => {
    world.seats = seats;
    bursts.seatsChanged(ADA);
  };
  const passTo = (ms: number) => {
    world.now = ms;
    for (const timer of [...timers]) {
      if (timer.at > ms || !timers.delete(timer)) continue;
      timer.ring();
    }
  };
  return { bursts, hear, holds, passTo, told, timers };
}

test('a lease counts while seats are above the limit, and becomes a debt at its end without another answer of the store', () => {
  const { bursts, hear, holds, passTo, told } = setUp();
  hear({ in: 'active', until: store(1_000) });
  expect(bursts.count).toEqual({ active: 1, debt: 0 });
  holds(2);
  expect(bursts.count).toEqual({ active: 0, debt: 0 });
  holds(3);
  passTo(999);
  expect(bursts.count).toEqual({ active: 1, debt: 0 });
  passTo(1_000);
  expect(bursts.count).toEqual({ active: 0, debt: 1 });
  expect(told).toEqual(['ada active', 'ada debt']);
});

test('a debt ends with the last seat above the limit, and does not come back with the next one', () => {
  const { bursts, hear, holds, told } = setUp();
  hear({ in: 'debt', since: store(0), cap: 3 });
  expect(bursts.count).toEqual({ active: 0, debt: 1 });
  holds(2);
  holds(3);
  expect(bursts.count).toEqual({ active: 0, debt: 0 });
  expect(told).toEqual(['ada debt', 'ada none']);
});

test('the store has the last word', () => {
  const { bursts, hear, told } = setUp();
  hear({ in: 'active', until: store(1_000) });
  hear({ in: 'cooldown', until: store(9_000) });
  expect(bursts.count).toEqual({ active: 0, debt: 0 });
  expect(told).toEqual(['ada active', 'ada none']);
});

test('an answer that was on its way when its lease ended does not begin it again', () => {
  const { bursts, hear, passTo, told } = setUp();
  const lease: Burst = { in: 'active', until: store(1_000) };
  hear(lease);
  passTo(1_000);
  hear(lease);
  expect(bursts.count).toEqual({ active: 0, debt: 1 });
  expect(told).toEqual(['ada active', 'ada debt']);
});

test('users who left for good are forgotten at the end of their leases, though nobody asks', () => {
  const { bursts, hear, holds, passTo, told, timers } = setUp();
  holds(0);
  for (let i = 0; i < 1_000; i++) hear({ in: 'active', until: store(1_000) }, `gone ${i}` as UserId);
  passTo(1_000);
  expect(timers.size).toBe(0);
  expect(bursts.count).toEqual({ active: 0, debt: 0 });
  expect(told.filter((line) => line.endsWith(' none'))).toHaveLength(1_000);
});

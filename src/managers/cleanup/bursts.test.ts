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
  const options = resolveOptions({ limits: { perUser: 2, burst: { perUser: 4, forMs: 1_000, coolDownMs: 5_000 } } });
  const bursts = new Bursts(
    options,
    () => mono(world.now),
    () => world.seats,
  );
  const hear = (burst: Burst) =>
    bursts.note(ADA, { now: world.now + AHEAD_MS, seats: [], burst, cap: 4, tickets: [], promises: [], lastReleases: [] } satisfies SeatFacts);
  return { world, bursts, hear };
}

test('a lease counts while seats are above the limit, and becomes a debt at its end without another answer of the store', () => {
  const { world, bursts, hear } = setUp();
  hear({ in: 'active', until: store(1_000) });
  expect(bursts.count).toEqual({ active: 1, debt: 0 });
  world.seats = 2;
  expect(bursts.count).toEqual({ active: 0, debt: 0 });
  world.seats = 3;
  world.now = 999;
  expect(bursts.count).toEqual({ active: 1, debt: 0 });
  world.now = 1_000;
  expect(bursts.count).toEqual({ active: 0, debt: 1 });
});

test('a debt ends with the last seat above the limit, and does not come back with the next one', () => {
  const { world, bursts, hear } = setUp();
  hear({ in: 'debt', since: store(0), cap: 3 });
  expect(bursts.count).toEqual({ active: 0, debt: 1 });
  world.seats = 2;
  expect(bursts.count).toEqual({ active: 0, debt: 0 });
  world.seats = 3;
  expect(bursts.count).toEqual({ active: 0, debt: 0 });
});

test('the store has the last word', () => {
  const { bursts, hear } = setUp();
  hear({ in: 'active', until: store(1_000) });
  hear({ in: 'cooldown', until: store(9_000) });
  expect(bursts.count).toEqual({ active: 0, debt: 0 });
});

test('users who left for good are forgotten when others are heard of, though nobody counts', () => {
  const now = { ms: 0 };
  const asked: UserId[] = [];
  const options = resolveOptions({ limits: { perUser: 2, burst: { perUser: 4, forMs: 1_000, coolDownMs: 5_000 } } });
  const bursts = new Bursts(
    options,
    () => mono(now.ms),
    (user) => {
      asked.push(user);
      return 0;
    },
  );
  const hear = (user: string) =>
    bursts.note(user as UserId, {
      now: now.ms,
      seats: [],
      burst: { in: 'active', until: mono(now.ms + 1_000) },
      cap: 4,
      tickets: [],
      promises: [],
      lastReleases: [],
    });
  for (let i = 0; i < 1_000; i++) hear(`gone ${i}`);
  now.ms = 2_000;
  hear('here');
  asked.length = 0;
  expect(bursts.count).toEqual({ active: 0, debt: 0 });
  expect(new Set(asked)).toEqual(new Set(['here']));
});

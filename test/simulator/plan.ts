import type { PartialOptions } from '../../src/core/options.ts';
import type { ThreadId, UserId } from '../../src/protocol/ids.ts';
import type { ClientTraits } from './client-world.ts';
import { SeededRandom } from './seeded-random.ts';
import type { StoreHealth } from './virtual-store.ts';

/** What can go wrong with a client, and how it looks from the gateway. */
export const TROUBLES = ['freeze', 'stop', 'choke', 'silence', 'reset', 'close', 'nap'] as const;
export type Trouble = (typeof TROUBLES)[number];

export interface UserPlan {
  readonly id: UserId;
  readonly tier: string;
  readonly thread: ThreadId;
  /** Pages open at the start. */
  readonly pages: number;
  /** Mean time between two things that this person does. */
  readonly actEveryMs: number;
  /** Mean time between two things that go wrong with the person's pages. */
  readonly troubleEveryMs: number;
  /** Mean time between two events of the person's agent. */
  readonly eventEveryMs: number;
}

/** All that a seed decides beforehand; the rest is drawn as the world runs. */
export interface Plan {
  readonly seed: number;
  readonly forMs: number;
  readonly options: PartialOptions;
  readonly users: readonly UserPlan[];
  /** The door listens to seated clients itself, as a gateway does, or leaves them to the factory. */
  readonly attended: boolean;
  readonly storeTroubles: readonly { readonly at: number; readonly forMs: number; readonly part: 'seats' | 'log'; readonly health: StoreHealth }[];
  readonly storeDelayMs: number;
  readonly stalls: readonly { readonly at: number; readonly forMs: number }[];
  readonly wallSteps: readonly { readonly at: number; readonly byMs: number }[];
  readonly crashes: readonly number[];
  /** When the store forgets who holds seats. */
  readonly losses: readonly number[];
  readonly trims: readonly number[];
}

const DAY_MS = 86_400_000;
/** The first ids are prefixes of each other on purpose. */
const NAMES = ['ada', 'ada2', 'ad', 'bob'];

const sometimes = <T>(random: SeededRandom, share: number, most: number, make: () => T): T[] =>
  random.chance(share) ? Array.from({ length: random.int(1, most) }, make) : [];

export function makePlan(seed: number): Plan {
  const random = new SeededRandom(seed);
  // Most worlds live by the short preset, in which the same happens in a tenth of the time; some by the times of production.
  const timing = random.chance(0.03) ? 'default' : 'fast';
  const slowness = timing === 'fast' ? 1 : 4;
  const forMs = (timing === 'fast' ? random.int(5, 11) : random.int(45, 75)) * 1_000;
  const perUser = random.int(3, 6);
  const when = (): number => random.int(1_000, forMs - 1_000);
  const options: PartialOptions = {
    timing,
    limits: {
      perUser,
      burst: { perUser: perUser + 2, forMs: random.int(1, 5) * 1_000, coolDownMs: random.int(3, 15) * 1_000, debtMaxMs: random.int(2, 8) * 1_000 },
      overflowPolicy: random.chance(0.2) ? 'force-first' : 'burst-first',
      ...(random.chance(0.1) ? { perNode: random.int(6, 10) } : {}),
    },
    queue: { places: random.int(2, 5), waitMs: random.int(10, 30) * 100, promiseMs: 1_000 },
    displacement: { perMinute: random.chance(0.1) ? random.int(1, 4) : 60 },
    cleanup: { proactive: random.chance(0.8), watchHoldMs: 3_000 },
    lease: { ttlMs: 2_500, renewMs: 800 },
    resume: { windowMs: random.int(2, 10) * 1_000 },
    window: random.chance(0.3) ? { minBytes: 2_048, maxBytes: 8_192 } : {},
  };
  const users = NAMES.slice(0, random.int(2, 4)).map((id, i): UserPlan => {
    const isBusy = i === 0 || random.chance(0.4);
    return {
      id: id as UserId,
      tier: random.pick(['free', 'mid', 'enterprise']),
      thread: `t-${id}` as ThreadId,
      pages: isBusy ? random.int(perUser - 1, perUser + 3) : random.int(1, perUser - 1),
      actEveryMs: slowness * (isBusy ? random.int(400, 2_000) : random.int(2_000, 8_000)),
      troubleEveryMs: slowness * (isBusy ? random.int(800, 4_000) : random.int(3_000, 12_000)),
      eventEveryMs: slowness * random.pick([200, 500, 1_500, 4_000]),
    };
  });
  const losses = sometimes(random, 0.08, 2, when);
  const troubled = random.chance(0.25);
  return {
    seed,
    forMs,
    options,
    users,
    attended: random.chance(0.6),
    storeDelayMs: random.chance(0.3) ? random.pick([1, 5, 20]) : 0,
    storeTroubles: troubled
      ? Array.from({ length: random.int(1, 3) }, () => ({
          at: when(),
          forMs: random.int(100, 3_000),
          part: random.chance(0.7) ? ('log' as const) : ('seats' as const),
          health: { delayMs: random.pick([0, 5, 100]), failing: random.pick([0, 0.3, 1]), losing: random.pick([0, 0.2]) },
        }))
      : [],
    stalls: sometimes(random, 0.3, 3, () => ({ at: when(), forMs: random.pick([30, 90, 150, 400, 1_500, 4_000]) })),
    // A store that forgets and a wall clock that goes back at once is what no token can survive.
    wallSteps: losses.length > 0 ? [] : sometimes(random, 0.3, 2, () => ({ at: when(), byMs: random.chance(0.5) ? DAY_MS : -DAY_MS })),
    crashes: sometimes(random, 0.12, 2, when),
    losses,
    trims: sometimes(random, 0.1, 2, when),
  };
}

/** A page of a user. Most are near and quick; some are far, slow, asleep, or sit behind something that closes badly. */
export function makeTraits(random: SeededRandom, user: UserPlan, name: string): ClientTraits {
  const base = random.pick([1, 5, 20, 50, 50, 150]);
  const jitter = random.pick([0, 5, 20]);
  const isSlow = random.chance(0.1);
  const sleeps = !isSlow && random.chance(0.05);
  return {
    name,
    user: user.id,
    thread: user.thread,
    path: {
      delayMs: () => base + random.share() * jitter,
      kernelBytes: random.pick([16_384, 65_536, 262_144]),
      stubborn: random.chance(0.01) ? random.int(1, 3) : 0,
    },
    rttMs: 2 * (base + jitter),
    frameMs: isSlow ? random.int(5, 60) : 0,
    wakesEveryMs: sleeps ? random.int(4_000, 6_000) : null,
    answersCloses: random.chance(0.9),
  };
}

import type { PartialOptions } from '../../src/core/options.ts';
import { between, pick, type Seeded } from '../support/lab/seeded.ts';

/** One gateway of the search, and who uses it. */
export interface Setting {
  readonly options: PartialOptions;
  readonly users: readonly { readonly id: string; readonly tier: string }[];
  /** What a person waits in a queue at most. */
  readonly waitMs: number;
  /** How long a place is kept for whoever was told to come back. */
  readonly promiseMs: number;
  /** Whether the node itself may be full. */
  readonly isNodeSmall: boolean;
  /** The same in words. */
  readonly says: string;
}

const TIERS = ['free', 'early', 'mid', 'enterprise'] as const;
const PROMISE_MS = 5_000;
/** No bound: crowds of one person cause more Forces a minute than a person does, and beyond the bound they count as automatic. */
const MANY = 100_000;

/** Draws a gateway: small limits, so that everything is full most of the time. */
export function drawSetting(random: Seeded): Setting {
  const perUser = pick(random, [1, 2, 3, 5, 8]);
  const places = pick(random, [1, 2, 4, 10]);
  const waitMs = pick(random, [1_000, 2_000, 4_000, 10_000]);
  const users = Array.from({ length: between(random, 2, 5) }, (_, i) => ({ id: `u${'1'.repeat(i + 1)}`, tier: pick(random, TIERS) }));
  const isNodeSmall = random() < 0.3;
  const perNode = isNodeSmall ? Math.max(4, Math.round(users.length * perUser * 0.6)) : 20_000;
  const gatePlaces = pick(random, [3, 20, 1_000]);
  const timing = random() < 0.8 ? 'fast' : 'default';
  const overflowPolicy = random() < 0.15 ? 'force-first' : 'burst-first';
  const burst = { perUser: perUser + between(random, 0, 3), forMs: pick(random, [1_000, 5_000, 60_000]), coolDownMs: pick(random, [1_000, 10_000]) };
  const proactive = random() < 0.5;
  const options: PartialOptions = {
    timing,
    limits: { perUser, burst: { ...burst, debtMaxMs: 10_000 }, overflowPolicy, perNode },
    queue: { places, waitMs, promiseMs: PROMISE_MS, gatePlaces },
    displacement: { perMinute: MANY },
    cleanup: { proactive },
    resume: { windowMs: pick(random, [2_000, 20_000]) },
    rate: { upgradesPer10s: MANY },
  };
  const says = [
    `timing ${timing}`,
    `${users.length} users of ${perUser} seats (${burst.perUser} for ${burst.forMs} ms)`,
    overflowPolicy,
    `${places} places for ${waitMs} ms`,
    isNodeSmall ? `${perNode} seats on the node, ${gatePlaces} places at its gate` : 'a roomy node',
    proactive ? 'background pass' : 'no background pass',
  ].join(', ');
  return { options, users, waitMs, promiseMs: PROMISE_MS, isNodeSmall, says };
}

import type { PartialOptions } from '../../src/core/options.ts';
import type { SeatLimits } from '../../src/ports/store.ts';
import type { Telemetry } from '../../src/ports/telemetry.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { type ModelPage, ModelRig } from './model-rig.ts';

export const ADA = 'ada' as UserId;

export const inMemory = (options: PartialOptions, telemetry?: Telemetry): Promise<ModelRig> =>
  ModelRig.make({
    options: { timing: 'fast', ...options },
    store: (clock, random) => memoryStore({ clock, random }),
    ...(telemetry === undefined ? {} : { telemetry }),
  });

/** Seats `count` pages of a user, one after the other. */
export async function fill(rig: ModelRig, count: number, user: UserId = ADA, tier = 'free'): Promise<ModelPage[]> {
  const pages: ModelPage[] = [];
  for (let i = 0; i < count; i++) {
    const attempt = rig.ask(user, { tier });
    await rig.clock.pass(5);
    if (attempt.state !== 'seated') throw new Error(`Expected page ${i + 1} of ${count} to find room, got ${attempt.state}.`);
    pages.push(attempt.page);
  }
  return pages;
}

/** What the factory tells its store about limits. */
export function seatLimits({ factory }: ModelRig): SeatLimits {
  const { limits, queue, lease } = factory.options;
  return {
    soft: limits.perUser,
    hard: Math.max(limits.perUser, limits.burst.perUser),
    burstForMs: limits.burst.forMs,
    coolDownMs: limits.burst.coolDownMs,
    debtMaxMs: limits.burst.debtMaxMs,
    places: queue.places,
    waitMs: queue.waitMs,
    promiseMs: queue.promiseMs,
    ttlMs: lease.ttlMs,
    tombstoneMs: lease.tombstoneMs,
  };
}

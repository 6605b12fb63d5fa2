import { makePlan, type Plan } from './plan.ts';
import type { Counts, Violation } from './watcher.ts';
import { World } from './world.ts';

export interface Outcome {
  readonly seed: number;
  readonly virtualMs: number;
  /** Callbacks run. */
  readonly events: number;
  readonly counts: Counts;
  readonly violations: readonly Violation[];
  /** What happened, line by line; empty unless asked for. */
  readonly trace: readonly string[];
}

/** Time in which lost seats lapse and everything under way ends; not a multiple of what the process does every now and then. */
const REST_MS = 4_237;

export interface RunOptions {
  readonly trace?: boolean;
  /** Changes the plan that the seed made. */
  readonly change?: (plan: Plan) => Plan;
}

/** Runs the world of one seed to its end. The same seed does the same, to the letter. */
export async function runSeed(seed: number, o: RunOptions = {}): Promise<Outcome> {
  const made = makePlan(seed);
  const plan = o.change?.(made) ?? made;
  const world = new World(plan, { trace: o.trace ?? false });
  const onRejection = (error: unknown): void =>
    world.violated('unhandled', `a promise was rejected and nobody heard of it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.on('unhandledRejection', onRejection);
  try {
    await world.clock.pass(plan.forMs);
    world.calm();
    await world.clock.pass(REST_MS);
    await world.watcher.atRest();
    world.isOver = true;
    let isClosed = false;
    const closing = world.factory[Symbol.asyncDispose]().then(() => {
      isClosed = true;
    });
    await world.clock.passUntil(() => isClosed, 2_500);
    await closing;
  } catch (error) {
    world.violated('thrown', error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  const { counts, violations } = world.watcher;
  return { seed, virtualMs: world.clock.now, events: world.clock.events, counts, violations, trace: world.lines ?? [] };
}

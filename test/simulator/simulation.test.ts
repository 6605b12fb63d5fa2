/** Many worlds: the production factory and store in virtual time, among clients, networks, people and faults of every kind. */

import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { simulate, summary } from './fleet.ts';
import { makePlan, type Plan } from './plan.ts';
import { runSeed } from './run-seed.ts';

const SEEDS = 1_500;
const WORKERS = Math.min(4, availableParallelism());

it(`I1, I8, I9, I10, I13, I17, I21, I23 in ${SEEDS} worlds`, async () => {
  const report = await simulate({ from: 1, seeds: SEEDS, forMs: Number.POSITIVE_INFINITY, workers: WORKERS });
  const lines = summary(report);
  process.stdout.write(`\n${lines.join('\n')}\n`);
  expect(report.seeds + 100 * report.failures.length).toBeGreaterThanOrEqual(SEEDS);
  expect(report.failures, lines.join('\n')).toEqual([]);
  // Worlds in which nothing happens would prove nothing.
  expect(Math.min(report.admissions, report.living, report.queued, report.refused)).toBeGreaterThan(SEEDS);
}, 600_000);

it('the same seed does the same, to the letter', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const [one, other] = [await runSeed(seed, { trace: true }), await runSeed(seed, { trace: true })];
    expect(other.trace).toEqual(one.trace);
    expect(one.trace.length).toBeGreaterThan(50);
  }
});

/** Room for everybody: nobody waits or bursts, whose ends are shown by the wall, so that a step of it would be a frame more. */
const roomy = (plan: Plan): Plan => ({
  ...plan,
  options: { ...plan.options, limits: { ...plan.options.limits, perUser: 30, burst: { perUser: 30 }, perNode: 1_000 } },
});

it('I9: a wall clock that is set by a day, forward or back, changes nothing', async () => {
  const seeds = Array.from({ length: 400 }, (_, i) => i + 1).filter((seed) => makePlan(seed).wallSteps.length > 0);
  for (const seed of seeds.slice(0, 60)) {
    const stepped = await runSeed(seed, { trace: true, change: roomy });
    // Whoever looks judges; so the other world is looked at just as often.
    const still = await runSeed(seed, { trace: true, change: (plan) => ({ ...roomy(plan), wallSteps: plan.wallSteps.map((step) => ({ ...step, byMs: 0 })) }) });
    expect(stepped.trace).toEqual(still.trace);
    expect(stepped.violations).toEqual([]);
  }
});

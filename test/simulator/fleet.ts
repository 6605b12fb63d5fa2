import { Worker } from 'node:worker_threads';
import type { Outcome } from './run-seed.ts';

export interface FleetRequest {
  /** The first seed. */
  readonly from: number;
  readonly seeds: number;
  /** Real time after which no new seed is begun. */
  readonly forMs: number;
  readonly workers: number;
}

export interface FleetReport {
  readonly seeds: number;
  readonly realMs: number;
  readonly virtualMs: number;
  readonly events: number;
  readonly admissions: number;
  readonly persons: number;
  readonly queued: number;
  readonly refused: number;
  readonly evictions: number;
  readonly living: number;
  readonly applied: number;
  readonly crashes: number;
  /** Until a decision, milliseconds of virtual time, and whose it was. */
  readonly longest: { readonly ms: number; readonly seed: number };
  /** In the queue. */
  readonly longestQueued: { readonly ms: number; readonly seed: number };
  readonly failures: readonly { readonly seed: number; readonly violations: Outcome['violations'] }[];
}

/** What a worker says of one seed. */
export type Told = Pick<Outcome, 'seed' | 'virtualMs' | 'events' | 'counts' | 'violations'>;

/** Seeds handed to a worker at a time. */
const BATCH = 20;
const FAILURES_MAX = 100;

/** Runs many seeds on several threads. Each seed stands for itself, so their order does not matter. */
export async function simulate(r: FleetRequest): Promise<FleetReport> {
  const startedAt = performance.now();
  const sum = { seeds: 0, virtualMs: 0, events: 0, admissions: 0, persons: 0, queued: 0, refused: 0, evictions: 0, living: 0, applied: 0, crashes: 0 };
  let longest = { ms: 0, seed: r.from };
  let longestQueued = { ms: 0, seed: r.from };
  const failures: { seed: number; violations: Outcome['violations'] }[] = [];
  let next = r.from;
  const end = r.from + r.seeds;

  const take = (): { from: number; to: number } | null => {
    if (next >= end || performance.now() - startedAt >= r.forMs || failures.length >= FAILURES_MAX) return null;
    const from = next;
    next = Math.min(end, next + BATCH);
    return { from, to: next };
  };
  const note = (told: Told): void => {
    sum.seeds++;
    sum.virtualMs += told.virtualMs;
    sum.events += told.events;
    for (const key of ['admissions', 'persons', 'queued', 'refused', 'evictions', 'living', 'applied', 'crashes'] as const) sum[key] += told.counts[key];
    if (told.counts.longestMs > longest.ms) longest = { ms: told.counts.longestMs, seed: told.seed };
    if (told.counts.longestQueuedMs > longestQueued.ms) longestQueued = { ms: told.counts.longestQueuedMs, seed: told.seed };
    if (told.violations.length > 0) failures.push({ seed: told.seed, violations: told.violations });
  };
  await Promise.all(Array.from({ length: r.workers }, () => drive(take, note)));
  return { ...sum, realMs: performance.now() - startedAt, longest, longestQueued, failures: failures.sort((a, b) => a.seed - b.seed) };
}

/** One worker from its start to its end; it gets seeds as long as there are some. */
function drive(take: () => { from: number; to: number } | null, note: (told: Told) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url));
    const feed = (): void => worker.postMessage(take());
    worker.on('message', (told: readonly Told[]) => {
      for (const one of told) note(one);
      feed();
    });
    worker.once('error', reject);
    worker.once('exit', () => resolve());
    feed();
  });
}

/** What a person reads of it. */
export function summary(r: FleetReport): string[] {
  const count = (n: number): string => Math.round(n).toLocaleString('en-US');
  const lines = [
    `${count(r.seeds)} seeds in ${(r.realMs / 1_000).toFixed(1)} s: ${(r.virtualMs / 3_600_000).toFixed(1)} h of virtual time, ${count(r.events)} events, ${count(r.applied)} agent events applied`,
    `${count(r.admissions)} admissions, ${count(r.persons)} of them of persons, ${count(r.queued)} queued, ${count(r.refused)} told to come back; ${count(r.crashes)} crashes`,
    `${count(r.evictions)} evictions, ${count(r.living)} of them of living managers`,
    `longest admission: ${r.longest.ms.toFixed(0)} ms until the decision (seed ${r.longest.seed}), ${r.longestQueued.ms.toFixed(0)} ms with the queue (seed ${r.longestQueued.seed}), own stalls included`,
  ];
  for (const { seed, violations } of r.failures.slice(0, 20)) {
    lines.push(`seed ${seed} failed; replay it with: npm run simulate -- --seed ${seed} --trace`);
    for (const { invariant, at, detail } of violations.slice(0, 5)) lines.push(`  ${invariant} at ${at.toFixed(1)} ms: ${detail}`);
  }
  if (r.failures.length > 20) lines.push(`and ${r.failures.length - 20} more seeds`);
  return lines;
}

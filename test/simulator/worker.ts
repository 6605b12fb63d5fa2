import { parentPort } from 'node:worker_threads';
import type { Told } from './fleet.ts';
import { runSeed } from './run-seed.ts';

/** Runs the seeds it is given, and ends when it is given none. */
parentPort?.on('message', (batch: { readonly from: number; readonly to: number } | null) => {
  if (batch === null) {
    parentPort?.close();
    return;
  }
  run(batch).catch((error: unknown) => {
    throw error;
  });
});

async function run({ from, to }: { readonly from: number; readonly to: number }): Promise<void> {
  const told: Told[] = [];
  for (let seed = from; seed < to; seed++) {
    const { virtualMs, events, counts, violations } = await runSeed(seed);
    told.push({ seed, virtualMs, events, counts, violations });
  }
  parentPort?.postMessage(told);
}

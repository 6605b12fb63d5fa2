import { type EpochResult, runEpoch } from './epoch.ts';

/** How long one gateway is used before the next one, with other limits, takes its place. */
const EPOCH_MS = 40_000;

export interface SearchOptions {
  readonly seed: number;
  readonly minutes: number;
  /** Only the gateway of this number. */
  readonly only?: number;
  /** Time of each gateway. Default: 40 s. */
  readonly epochMs?: number;
  readonly onEpoch?: (result: EpochResult) => void;
}

/** One gateway after the other, until the time is over or a person was locked out. */
export async function search({ seed, minutes, only, epochMs = EPOCH_MS, onEpoch }: SearchOptions): Promise<readonly EpochResult[]> {
  const totalMs = minutes * 60_000;
  const until = performance.now() + totalMs;
  const results: EpochResult[] = [];
  for (let number = only ?? 1; performance.now() < until; number++) {
    const result = await runEpoch(seed, number, Math.min(epochMs, until - performance.now()));
    results.push(result);
    onEpoch?.(result);
    if (result.violations.length > 0 || only !== undefined) break;
  }
  return results;
}

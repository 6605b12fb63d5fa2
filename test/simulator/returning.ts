import type { Return } from '../../src/protocol/close-codes.ts';
import type { SeededRandom } from './seeded-random.ts';

const FIRST_MS = 250;
const MOST_MS = 15_000;
/** What a client waits that was sent away without a time. */
const UNNAMED_MS = 5_000;

/** In how long a conforming client dials again by itself: at a named time, or after a back-off with full jitter. */
export function returnDelayMs(back: Return, namedMs: number | null, failures: number, random: SeededRandom): number {
  if (back === 'after') return (namedMs ?? UNNAMED_MS) * (1 + random.share() * 0.1);
  return random.share() * Math.min(MOST_MS, FIRST_MS * 2 ** failures);
}

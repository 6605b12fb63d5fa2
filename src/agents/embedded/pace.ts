import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import { SpillwayError } from '../../protocol/errors.ts';

/** How fast the demo agent speaks. */
export interface Pace {
  /** Words a second. Default 30, a quick model's pace; `Infinity` does not wait. */
  readonly wordsPerSecond: number;
  /** Milliseconds of silence after a thought and after a tool, so that a person can read the step. Default 350. */
  readonly stepMs: number;
}

export const DEFAULT_PACE: Pace = { wordsPerSecond: 30, stepMs: 350 };

/** Completes and checks a pace. Throws SPILLWAY_BAD_OPTION. */
export function resolvePace(given: Partial<Pace> = {}): Pace {
  const pace = { ...DEFAULT_PACE, ...given };
  if (!(pace.wordsPerSecond > 0))
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`pace.wordsPerSecond\` to be a number above 0, got \`${pace.wordsPerSecond}\`.`);
  if (!(pace.stepMs >= 0)) throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`pace.stepMs\` to be a number from 0, got \`${pace.stepMs}\`.`);
  return pace;
}

/** Waits, but not beyond an abort. Never rejects. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      forget();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const forget = clock.after(delayMs, finish);
    signal.addEventListener('abort', finish, { once: true });
  });
}

/** Cuts text into pieces of one to three words, whitespace included. Joined they are the text again. */
export function* chunksOf(text: string, random: Random): Generator<{ readonly text: string; readonly words: number }> {
  const words = text.match(/\s*\S+(?:\s+$)?/g) ?? (text === '' ? [] : [text]);
  for (let at = 0; at < words.length; ) {
    const count = 1 + Math.floor(random.share() * 3);
    const piece = words.slice(at, at + count);
    yield { text: piece.join(''), words: piece.length };
    at += count;
  }
}

import type { Clock } from '../../ports/clock.ts';
import type { LiveUpdate } from '../../protocol/live.ts';
import { Slices } from './slices.ts';

/** What one topic shows, for everybody who watches it. It lives while somebody does. Texts are the JSON of a `LiveUpdate`. */
export interface Source {
  /** From the end of one look to the next one. */
  readonly everyMs: number;
  /** Looks anew. What takes long is done in slices. It may reject: then nothing is told, and the next look is tried in its time. */
  look(): Promise<void> | void;
  /** Everything as of the last look, for a page that has nothing yet or that missed something. `told`: the `stamp` of what it was told
   *  last; null for one that has nothing. Answers null before the first look. */
  whole(told: number | null): string | null;
  /** What the last look found new; null: nothing. */
  news(): string | null;
  /** Rises with what was found, where pages must know how far they were told. */
  readonly stamp: number;
  /** Nobody watches any more. */
  end(): void;
}

/** A topic that is told as a whole whenever it changed. */
export function snapshot(everyMs: number, look: () => Promise<LiveUpdate | null> | LiveUpdate | null): Source {
  const told = new Told();
  return {
    everyMs,
    stamp: 0,
    look: async () => told.saw(await look()),
    whole: () => told.text,
    news: () => told.news,
    end: () => {},
  };
}

/** A list takes at most this share of a core: where many are looked at, it is looked at less often. */
const LIST_SHARE = 0.025;

/** A topic for which everybody is looked at, in slices. `look` answers null where nobody wants to know any more. */
export function list(clock: Clock, everyMs: number, look: (slices: Slices) => Promise<LiveUpdate | null>): Source {
  const told = new Told();
  let isOver = false;
  let spentMs = 0;
  return {
    get everyMs() {
      return Math.max(everyMs, spentMs / LIST_SHARE);
    },
    stamp: 0,
    async look() {
      const slices = new Slices(clock, () => isOver);
      told.saw(await look(slices));
      spentMs = slices.spentMs;
    },
    whole: () => told.text,
    news: () => told.news,
    end() {
      isOver = true;
    },
  };
}

/** The text of what was seen last, and whether it is another one than before. */
class Told {
  text: string | null = null;
  news: string | null = null;

  saw(update: LiveUpdate | null): void {
    this.news = null;
    if (update === null) return;
    const text = JSON.stringify(update);
    if (text === this.text) return;
    this.text = text;
    this.news = text;
  }
}

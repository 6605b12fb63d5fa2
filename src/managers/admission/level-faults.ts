import type { Mono } from '../../core/clocks.ts';
import type { CleanupLevel } from '../../core/levels.ts';
import type { UserId } from '../../protocol/ids.ts';

const FAULTS = 3;
const WINDOW_MS = 60_000;

type Guarded = Extract<CleanupLevel, 'moderate' | 'aggressive'>;
interface Faults {
  /** When the level threw lately. */
  readonly at: readonly Mono[];
  readonly skippedUntil: Mono | null;
}

/** Levels that keep throwing for a user are skipped upward for a while. Never `conservative` and never `force`: no memory of past
 *  failures may stand between a person and a seat. A skipped level is no failure, so skipping cannot prolong itself. */
export class LevelFaults {
  readonly #now: () => Mono;
  readonly #faults = new Map<UserId, Map<Guarded, Faults>>();

  constructor(now: () => Mono) {
    this.#now = now;
  }

  /** The level was run for this user, and something in it threw. */
  failed(user: UserId, level: CleanupLevel): void {
    if (!isGuarded(level)) return;
    this.#forget();
    const now = this.#now();
    const levels = this.#faults.get(user) ?? new Map<Guarded, Faults>();
    const at = [...(levels.get(level)?.at ?? []), now].filter((then) => now - then < WINDOW_MS);
    levels.set(level, { at, skippedUntil: at.length >= FAULTS ? ((now + WINDOW_MS) as Mono) : null });
    this.#faults.delete(user);
    this.#faults.set(user, levels);
  }

  isSkipped(user: UserId, level: CleanupLevel): boolean {
    if (!isGuarded(level)) return false;
    const levels = this.#faults.get(user);
    const until = levels?.get(level)?.skippedUntil ?? null;
    if (until === null) return false;
    if (this.#now() < until) return true;
    levels?.delete(level);
    return false;
  }

  /** Users whose levels have not thrown for as long as anybody remembers; the oldest stand first. */
  #forget(): void {
    const before = this.#now() - 2 * WINDOW_MS;
    for (const [user, levels] of this.#faults) {
      if ([...levels.values()].some(({ at }) => (at.at(-1) ?? 0) > before)) return;
      this.#faults.delete(user);
    }
  }
}

const isGuarded = (level: CleanupLevel): level is Guarded => level === 'moderate' || level === 'aggressive';

import type { Mono } from '../../core/clocks.ts';
import type { UserId } from '../../protocol/ids.ts';

const ROUNDS_PER_SECOND = 2;
const SECOND_MS = 1_000;
/** Passes of this node that may have a probe round out at once. */
const AT_ONCE = 50;

/** How much may be asked in emergencies. Beyond it passes decide from the evidence that stands; nobody waits for a budget. */
export class ProbeBudget {
  readonly #now: () => Mono;
  /** When the last rounds of a user began; the longest unasked first. */
  readonly #rounds = new Map<UserId, readonly Mono[]>();
  #out = 0;

  constructor(now: () => Mono) {
    this.#now = now;
  }

  allows(user: UserId): boolean {
    return this.#out < AT_ONCE && this.#recent(user).length < ROUNDS_PER_SECOND;
  }

  /** A round begins. Call the answer when it is over. */
  begin(user: UserId): () => void {
    const recent = [...this.#recent(user), this.#now()];
    this.#rounds.delete(user);
    this.#rounds.set(user, recent);
    for (const other of this.#rounds.keys()) {
      if (this.#recent(other).length > 0) break;
      this.#rounds.delete(other);
    }
    this.#out++;
    let isOver = false;
    return () => {
      if (!isOver) this.#out--;
      isOver = true;
    };
  }

  #recent(user: UserId): readonly Mono[] {
    const since = this.#now() - SECOND_MS;
    return (this.#rounds.get(user) ?? []).filter((at) => at > since);
  }
}

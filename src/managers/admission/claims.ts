import type { Mono } from '../../core/clocks.ts';
import type { ManagerId, UserId } from '../../protocol/ids.ts';

/** Managers whose refusals are remembered; the oldest are forgotten. */
const REFUSALS_REMEMBERED = 10_000;

/** What users have claimed lately: living managers that gave way because a person was said to ask, and times a client was sent away. */
export class Claims {
  readonly #now: () => Mono;
  readonly #windowMs: number;
  readonly #forces = new Map<UserId, Mono[]>();
  readonly #refusals = new Map<ManagerId, number>();

  constructor(now: () => Mono, windowMs: number) {
    this.#now = now;
    this.#windowMs = windowMs;
  }

  note(user: UserId): void {
    const recent = [...this.#recent(user), this.#now()];
    // Moved to the end, so that the longest unheard of come first, and are forgotten here.
    this.#forces.delete(user);
    this.#forces.set(user, recent);
    for (const other of this.#forces.keys()) if (this.count(other) > 0) return;
  }

  count(user: UserId): number {
    const recent = this.#recent(user);
    if (recent.length === 0) this.#forces.delete(user);
    return recent.length;
  }

  #recent(user: UserId): Mono[] {
    const since = this.#now() - this.#windowMs;
    return (this.#forces.get(user) ?? []).filter((at) => at > since);
  }

  refused(manager: ManagerId): void {
    this.#refusals.set(manager, this.refusals(manager) + 1);
    if (this.#refusals.size <= REFUSALS_REMEMBERED) return;
    for (const oldest of this.#refusals.keys()) {
      this.#refusals.delete(oldest);
      return;
    }
  }

  refusals(manager: ManagerId): number {
    return this.#refusals.get(manager) ?? 0;
  }

  seated(manager: ManagerId): void {
    this.#refusals.delete(manager);
  }
}

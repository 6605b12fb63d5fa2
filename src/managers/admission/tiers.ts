import type { Tier, UserId } from '../../protocol/ids.ts';

/** Users whose tier operators may set. */
const MOST = 10_000;

/** Tiers that operators gave to users of this node: they count instead of the tier that a credential names, until the process ends. */
export class Tiers {
  readonly #given = new Map<UserId, Tier>();

  /** What counts for a user whose credential names `claimed`. */
  of(user: UserId, claimed: Tier): Tier {
    return this.#given.get(user) ?? claimed;
  }

  /** Null: the credential counts again. False: too many users have one already. */
  set(user: UserId, tier: Tier | null): boolean {
    if (tier === null) this.#given.delete(user);
    else if (this.#given.size >= MOST && !this.#given.has(user)) return false;
    else this.#given.set(user, tier);
    return true;
  }
}

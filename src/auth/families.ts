import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { UserId } from '../protocol/ids.ts';
import { spellCredential } from './digest.ts';

/** Names a log-in: when it was, in base 36, and 96 random bits. The time in it lets a log-out from everywhere void all earlier ones. */
export const newFamily = (clock: Clock, random: Random): string => `${clock.wall().toString(36)}.${spellCredential(random.bytes(12))}`;

const startOf = (family: string): number => Number.parseInt(family, 36);

/** Which log-ins were ended although tokens of theirs have not. Kept in memory for the life of an access token, so after a restart
 *  such a token is honoured until it ends by itself. Nodes that share a store tell each other. */
export interface EndedFamilies {
  end(family: string): void;
  /** Ends everything that the user logged in up to now. */
  endAll(user: UserId): void;
  has(user: UserId, family: string): boolean;
}

export function createEndedFamilies(clock: Clock, tokenTtlMs: number): EndedFamilies {
  const families = new Map<string, number>();
  const users = new Map<UserId, number>();

  // A key that comes again is put at the end, so the order of both maps is the order of time.
  function add<K>(map: Map<K, number>, key: K): void {
    const now = clock.wall();
    map.delete(key);
    map.set(key, now);
    for (const [old, at] of map) {
      if (at + tokenTtlMs > now) break;
      map.delete(old);
    }
  }

  return {
    end: (family) => add(families, family),
    endAll: (user) => add(users, user),
    has(user, family) {
      const endedAt = users.get(user);
      return families.has(family) || (endedAt !== undefined && startOf(family) <= endedAt);
    },
  };
}

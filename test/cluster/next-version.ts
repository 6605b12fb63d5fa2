/** The same gateway as its next version might be: its card, letters, answers and digests hold fields that this one does not know, and it
 *  writes letters of kinds that this one has never heard of. */

import type { ClusterStore, Letter } from '../../src/ports/cluster.ts';
import type { SeatDigest, SeatStore, Store } from '../../src/ports/store.ts';

const FUTURE = { fromTheFuture: { is: 'unknown', list: [1, null, 'three'] } } as const;
/** One letter in so many is followed by one of an unknown kind. */
const UNKNOWN_EVERY = 3;

const grown = (body: string): string => {
  const read: unknown = JSON.parse(body);
  return typeof read === 'object' && read !== null && !Array.isArray(read) ? JSON.stringify({ ...read, ...FUTURE }) : body;
};

function nextLetters(cluster: ClusterStore): ClusterStore {
  let posted = 0;
  const changed: Pick<ClusterStore, 'beat' | 'post'> = {
    beat: (card, ttlMs) => cluster.beat({ ...card, ...FUTURE, version: '99.0.0' }, ttlMs),
    async post(to, letter) {
      await cluster.post(to, { ...letter, ...FUTURE, body: grown(letter.body) } as Letter);
      if (++posted % UNKNOWN_EVERY === 0)
        await cluster.post(to, { ...letter, id: `${letter.id}-future`, kind: 'weather-of-tomorrow', body: JSON.stringify(FUTURE) });
    },
  };
  return withChanged(cluster, changed);
}

/** The same object but for these members. */
function withChanged<T extends object>(of: T, changed: Partial<T>): T {
  return new Proxy(of, {
    get(target, name) {
      if (Object.hasOwn(changed, name)) return changed[name as keyof T];
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const told = (digest: SeatDigest): SeatDigest => ({ ...digest, ...FUTURE });

const nextSeats = (seats: SeatStore): SeatStore =>
  withChanged(seats, {
    renew: (node, batch, ttlMs) =>
      seats.renew(
        node,
        batch.map(({ user, digest }) => ({ user, digest: told(digest) })),
        ttlMs,
      ),
    adopt: (user, digest, ttlMs) => seats.adopt(user, told(digest), ttlMs),
  });

export const nextVersion = (store: Store): Store =>
  withChanged(store, { cluster: store.cluster === null ? null : nextLetters(store.cluster), seats: nextSeats(store.seats) });

import type { z } from 'zod';
import type { WebSocketManagerFactory } from '../../../managers/factory.ts';
import type { WebSocketManager } from '../../../managers/manager.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { ManagersQuery } from '../../../schemas/admin-bodies.ts';
import { standingOf } from '../../live/standing-of.ts';
import { numberKey, pageOf } from './paging.ts';

type Query = z.output<typeof ManagersQuery>;

/** First comes what an operator looks for. */
const KEYS: Readonly<Record<Query['sort'], (manager: WebSocketManager) => string>> = {
  id: ({ id }) => id,
  'last-ack': ({ id, evidence }) => numberKey(evidence.ackAt, id),
  unacked: ({ id, evidence }) => numberKey(-(evidence.owed?.events ?? 0), id),
  buffered: ({ id, attachment }) => numberKey(-(attachment?.transport.unsentBytes ?? 0), id),
  // Whoever is answered is not idle at all.
  idle: ({ id, evidence }) => numberKey(evidence.run ? Number.POSITIVE_INFINITY : evidence.activityAt, id),
  age: ({ id, openedAt }) => numberKey(openedAt, id),
};

/** The same in what every node means alike: how long ago, how many. */
const RANKS: Readonly<Record<Query['sort'], (manager: WebSocketManager, now: number) => number | string>> = {
  id: ({ id }) => id,
  'last-ack': ({ evidence }, now) => evidence.ackAt - now,
  unacked: ({ evidence }) => -(evidence.owed?.events ?? 0),
  buffered: ({ attachment }) => -(attachment?.transport.unsentBytes ?? 0),
  // JSON knows no infinity.
  idle: ({ evidence }, now) => (evidence.run ? Number.MAX_SAFE_INTEGER : evidence.activityAt - now),
  age: ({ openedAt }) => openedAt,
};

/** A page of the managers that hold a seat here, by the verdict that each was given last. */
export function managersPage(factory: WebSocketManagerFactory, clock: Clock, { user, verdict, tier, sort, limit, cursor }: Query) {
  const all = user === undefined ? factory.all() : factory.list(user as UserId);
  return pageOf(clock, all, {
    sort,
    limit,
    cursor,
    keyOf: (manager) => {
      const standing = standingOf(manager);
      if (standing === null || (verdict !== undefined && standing !== verdict) || (tier !== undefined && manager.user.tier !== tier)) return null;
      return KEYS[sort](manager);
    },
    rankOf: (manager) => RANKS[sort](manager, factory.now()),
  });
}

import type { z } from 'zod';
import type { WebSocketManagerFactory } from '../../../managers/factory.ts';
import type { QueuedTicket, UserSummary } from '../../../managers/reports.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { UserId } from '../../../protocol/ids.ts';
import type { UsersQuery } from '../../../schemas/admin-bodies.ts';
import { standingOf } from '../../live/standing-of.ts';
import { numberKey, pageOf } from './paging.ts';

type Query = z.output<typeof UsersQuery>;

/** A page of the users that hold or wait for a seat here. Only those on the page are looked at closely. */
export async function usersPage(factory: WebSocketManagerFactory, clock: Clock, { users, sort, tier, limit, cursor }: Query) {
  const queued = new Map<UserId, QueuedTicket[]>();
  for (const ticket of factory.queue()) queued.set(ticket.user, [...(queued.get(ticket.user) ?? []), ticket]);
  const ticketsOf = (user: UserId): readonly QueuedTicket[] => queued.get(user) ?? [];
  const zombiesOf = (user: UserId): number => factory.list(user).filter((manager) => standingOf(manager) === 'zombie').length;
  const ranks: Readonly<Record<Query['sort'], (user: UserId) => number | string>> = {
    id: (user) => user,
    name: (user) => user,
    seats: (user) => -factory.list(user).length,
    zombies: (user) => -zombiesOf(user),
    queued: (user) => -ticketsOf(user).length,
  };
  const rankOf = ranks[sort];
  const only = users === undefined ? null : new Set(users.split(',').map(decoded));
  const keyOf = (user: UserId): string | null => {
    if ((only !== null && !only.has(user)) || (tier !== undefined && factory.tierOf(user, ticketsOf(user)) !== tier)) return null;
    const rank = rankOf(user);
    return typeof rank === 'string' ? rank : numberKey(rank, user);
  };
  const page = await pageOf(clock, everybody(factory, queued), { sort, limit, cursor, keyOf, rankOf });
  return page.is === 'ok' ? { ...page, items: page.items.map((user): UserSummary => factory.userSummary(user, ticketsOf(user))) } : page;
}

/** As `encodeURIComponent` spelled it; what it did not spell stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Those that only wait come last. */
function* everybody(factory: WebSocketManagerFactory, queued: ReadonlyMap<UserId, unknown>): Iterable<UserId> {
  yield* factory.userIds();
  for (const user of queued.keys()) if (factory.list(user).length === 0) yield user;
}

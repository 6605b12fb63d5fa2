import type { WebSocketManagerFactory } from '../../managers/factory.ts';
import type { Clock } from '../../ports/clock.ts';
import type { UserId } from '../../protocol/ids.ts';
import type { LiveTopic, UserRow, UserSort } from '../../protocol/live.ts';
import { Best } from './best.ts';
import { list, type Source } from './source.ts';
import { standingOf } from './standing-of.ts';

const EVERY_MS = 1_000;

/** A window of the users that hold or wait for a seat, filtered by a part of their names and sorted: on top whoever has most. */
export function userList(factory: WebSocketManagerFactory, clock: Clock, topic: Extract<LiveTopic, { of: 'users' }>): Source {
  const { filter, sort, window } = topic;
  return list(clock, EVERY_MS, async (slices) => {
    const queued = new Map<UserId, number>();
    for (const { user } of factory.queue()) queued.set(user, (queued.get(user) ?? 0) + 1);
    const best = new Best<UserId, number | string>(window.from + window.size);
    const keyOf = keys(factory, queued)[sort];
    let total = 0;
    const isWhole = await slices.each(everybody(factory, queued), (user) => {
      if (filter !== undefined && !user.includes(filter)) return;
      total++;
      best.add(user, keyOf(user));
    });
    if (!isWhole || !(await slices.next())) return null;
    return { of: 'users', total, from: window.from, rows: best.takeFrom(window.from).map((user) => rowOf(factory, user)) };
  });
}

/** Those that only wait come last. */
function* everybody(factory: WebSocketManagerFactory, queued: ReadonlyMap<UserId, number>): Iterable<UserId> {
  yield* factory.userIds();
  for (const user of queued.keys()) if (factory.list(user).length === 0) yield user;
}

function keys(factory: WebSocketManagerFactory, queued: ReadonlyMap<UserId, number>): Readonly<Record<UserSort, (user: UserId) => number | string>> {
  const count = (user: UserId, isOne: (verdict: string) => boolean): number => {
    let found = 0;
    for (const manager of factory.list(user)) {
      const verdict = standingOf(manager);
      if (verdict !== null && isOne(verdict)) found++;
    }
    return found;
  };
  return {
    seats: (user) => -factory.list(user).length,
    zombies: (user) => -count(user, (verdict) => verdict === 'zombie'),
    queued: (user) => -(queued.get(user) ?? 0),
    name: (user) => user,
  };
}

function rowOf(factory: WebSocketManagerFactory, user: UserId): UserRow {
  const { tier, seats, effective, sockets, queued, verdicts } = factory.userSummary(user);
  return { user, tier, seats, effective, sockets, queued, zombies: verdicts.zombie };
}

import { explainEvidence } from '../../core/explain.ts';
import type { WebSocketManagerFactory } from '../../managers/factory.ts';
import type { WebSocketManager } from '../../managers/manager.ts';
import type { Clock } from '../../ports/clock.ts';
import type { UserId } from '../../protocol/ids.ts';
import type { LiveTopic, ManagerRow, ManagerSort } from '../../protocol/live.ts';
import { Best } from './best.ts';
import { list, type Source } from './source.ts';
import { standingOf } from './standing-of.ts';

const EVERY_MS = 1_000;

/** By which managers are ordered, smallest first: on top is always what an operator looks for. */
const KEYS: Readonly<Record<ManagerSort, (manager: WebSocketManager) => number>> = {
  'last-ack': ({ evidence }) => evidence.ackAt,
  unacked: ({ evidence }) => -(evidence.owed?.events ?? 0),
  buffered: ({ attachment }) => -(attachment?.transport.unsentBytes ?? 0),
  idle: ({ evidence }) => (evidence.run ? Number.POSITIVE_INFINITY : evidence.activityAt),
  age: ({ openedAt }) => openedAt,
};

/** A window of the managers that hold a seat, filtered and sorted. */
export function managerList(factory: WebSocketManagerFactory, clock: Clock, topic: Extract<LiveTopic, { of: 'managers' }>): Source {
  const { filter = {}, sort, window } = topic;
  const keyOf = KEYS[sort];
  return list(clock, EVERY_MS, async (slices) => {
    const best = new Best<WebSocketManager, number>(window.from + window.size);
    let total = 0;
    const all = filter.user === undefined ? factory.all() : factory.list(filter.user as UserId);
    const isWhole = await slices.each(all, (manager) => {
      const verdict = standingOf(manager);
      if (verdict === null || (filter.verdict !== undefined && verdict !== filter.verdict)) return;
      total++;
      best.add(manager, keyOf(manager));
    });
    if (!isWhole || !(await slices.next())) return null;
    const rows = best.takeFrom(window.from).map((manager) => rowOf(manager, factory, clock));
    return { of: 'managers', total, from: window.from, rows: rows.filter((row) => row !== null) };
  });
}

/** As the admin API explains it, in short. Null: its seat is gone. */
function rowOf(manager: WebSocketManager, factory: WebSocketManagerFactory, clock: Clock): ManagerRow | null {
  // Looking changes nothing, and what it sees is what a cleanup would see.
  const seen = manager.glance();
  if (seen === null) return null;
  const now = factory.now();
  const age = (at: number): number => Math.max(0, Math.round(now - at));
  // Whoever was seated starts with all its instants there.
  const since = (at: number): number | null => (at > seen.seatedAt ? age(at) : null);
  return {
    manager: manager.id,
    node: factory.node,
    user: manager.user.userId,
    tier: manager.user.tier,
    verdict: seen.verdict.is,
    reason: seen.verdict.reason,
    connected: manager.attachment !== null,
    running: seen.run,
    seat: manager.seat?.kind ?? 'soft',
    ageMs: Math.max(0, clock.wall() - manager.openedAt),
    lastAckMs: since(seen.ackAt),
    lastPongMs: since(seen.pongAt),
    unacked: seen.owed?.events ?? 0,
    bufferedBytes: manager.attachment?.transport.unsentBytes ?? 0,
    quietMs: Math.round(seen.verdict.quietMs),
    visibility: seen.visibility,
    text: explainEvidence(seen, seen.verdict, now),
  };
}

import { applicationAt } from '../../core/evidence.ts';
import type { Verdict } from '../../core/judge.ts';
import type { Context } from '../context.ts';
import type { WebSocketManager } from '../manager.ts';

/** The verdict on `manager`, which holds a seat, is `verdict` from now on, and was another one: counts it and tells of it. */
export function noteVerdict(
  { events, counters, now }: Pick<Context, 'events' | 'counters' | 'now'>,
  manager: WebSocketManager,
  verdict: Verdict,
  was: Verdict | null,
): void {
  const { id: managerId, user } = manager;
  const who = { managerId, user: user.userId, tier: user.tier };
  const { is, reason, evidence } = verdict;
  if (events.hears('verdict-changed')) events.emit('verdict-changed', { ...who, verdict: is, was: was?.is ?? null, reason, evidence });
  if (is !== 'zombie') return;
  counters.zombieDetected();
  events.emit('zombie-found', { ...who, reason, delayMs: Math.max(0, Math.round(now() - applicationAt(manager.evidence))) });
}

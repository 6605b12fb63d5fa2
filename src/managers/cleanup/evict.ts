import { checkReserve, type Victim } from '../../core/cleanup.ts';
import type { CleanupLevel } from '../../core/levels.ts';
import { closeFor } from '../../protocol/close-codes.ts';
import type { EvictReason } from '../../protocol/reasons.ts';
import { evictingNotice } from '../../protocol/texts.ts';
import { writeFrame } from '../../protocol/write.ts';
import type { Context } from '../context.ts';
import { bestEffort, sayGoodbye } from '../delivery/farewell.ts';
import type { VictimRecord } from '../events.ts';
import type { WebSocketManager } from '../manager.ts';
import { afterReads } from './after-reads.ts';
import { recordOf } from './records.ts';
import { isRegret, type LifeSignal } from './regret.ts';

/** Who causes an eviction: shown to the person whose session it was. */
export interface EvictCause {
  readonly level: CleanupLevel;
  /** Name of the device that the person went on in. */
  readonly label: string | null;
  /** An operator's words. */
  readonly detail?: string;
  /** Another node asked for it, and counts it. */
  readonly isAsked?: true;
}

/** RESERVE and FENCE: takes the seat if the victim is still what the plan saw. Then the farewell, for which nothing waits.
 *  Null: it was spared, because it gave a sign of life or was gone already. */
export async function evict(context: Context, victim: Victim, cause: EvictCause): Promise<VictimRecord | null> {
  const manager = context.registry.find(victim.managerId);
  // Another node may just have asked for the same.
  if (manager?.leaving) await manager.leaving;
  const candidate = manager?.candidate() ?? null;
  if (!manager || candidate === null || !checkReserve(victim, candidate, cause.level).ok) return null;
  const record = recordOf(context, victim, candidate, cause.level);
  return await manager.whileLeaving(async () => {
    const answer = await context.store.seats.evict(manager.user.userId, manager.id, victim.token, victim.reason, context.seatLimits);
    // Also where the store has given its seat away already: what is here is a handle without a seat, and ends all the same.
    partFrom(context, manager, victim, cause);
    if (answer.is !== 'ok') return null;
    if (cause.isAsked !== true) context.counters.seatTaken(cause.level);
    return record;
  });
}

/** GOAWAY, TERMINATE and PROOF for a manager whose seat is free. Nothing awaits the peer, and no failure here returns the seat. What
 *  had arrived by now is still read, two turns of the event loop long: it may tell that this was a mistake. */
export function partFrom(context: Context, manager: WebSocketManager, victim: Victim, cause: EvictCause): void {
  // It left by itself while its seat was being taken, and that was told.
  if (manager.seat === null) return;
  const positions = manager.attachment?.positions() ?? [];
  let isRegretted = false;
  const heard = (signal: LifeSignal): void => {
    if (isRegretted || !isRegret(victim, cause.level, signal)) return;
    isRegretted = true;
    const { verdict, reason } = victim;
    context.regretted({ managerId: manager.id, user: manager.user.userId, level: cause.level, verdict: verdict.is, reason, signal });
  };
  for (const signal of manager.heardWhileLeaving) heard(signal);
  const attachment = manager.fenced('fenced', 'superseded');
  context.ended(manager, victim.reason);
  context.changed(manager.user.userId);
  if (!attachment) return;
  attachment.onLate(heard);
  const { transport, socket } = attachment;
  afterReads(context.clock, () => {
    attachment.onLate(null);
    const notice = evictingNotice({ level: cause.level, reason: victim.reason, graceMs: victim.lingerMs, label: cause.label });
    bestEffort(() => {
      transport.send([writeFrame({ type: 'notice', id: 'evicting', version: 1, ...notice })]);
      context.events.emit('notice-shown', { user: manager.user.userId, kind: notice.kind });
    });
    farewell(manager, victim.reason, { transport, positions, cause, evidence: victim.verdict.evidence });
    socket.terminate(victim.lingerMs);
  });
}

function farewell(
  manager: WebSocketManager,
  reason: EvictReason,
  o: {
    transport: Parameters<typeof sayGoodbye>[0];
    positions: ReturnType<NonNullable<WebSocketManager['attachment']>['positions']>;
    cause: EvictCause;
    evidence: Victim['verdict']['evidence'];
  },
): void {
  sayGoodbye(o.transport, {
    close: closeFor(reason),
    reason,
    positions: o.positions,
    manager: manager.id,
    label: o.cause.label,
    detail: o.cause.detail,
    explain: { level: o.cause.level, evidence: o.evidence, ...(o.cause.label === null ? {} : { by: { label: o.cause.label } }) },
  });
}

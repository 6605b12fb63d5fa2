import { checkReserve, type Victim } from '../core/cleanup.ts';
import type { CleanupLevel } from '../core/levels.ts';
import { closeFor } from '../protocol/close-codes.ts';
import type { EvictReason } from '../protocol/reasons.ts';
import { evictingNotice } from '../protocol/texts.ts';
import { writeFrame } from '../protocol/write.ts';
import type { Context } from './context.ts';
import type { VictimRecord } from './events.ts';
import { sayGoodbye } from './farewell.ts';
import type { WebSocketManager } from './manager.ts';

/** Who causes an eviction: shown to the person whose session it was. */
export interface EvictCause {
  readonly level: CleanupLevel;
  /** Name of the device that the person went on in. */
  readonly label: string | null;
  /** An operator's words. */
  readonly detail?: string;
}

/** RESERVE and FENCE: takes the seat if the victim is still what the plan saw. Then the farewell, for which nothing waits.
 *  Null: it was spared, because it gave a sign of life or was gone already. */
export async function evict(context: Context, victim: Victim, cause: EvictCause): Promise<VictimRecord | null> {
  const manager = context.registry.find(victim.managerId);
  const candidate = manager?.candidate() ?? null;
  if (!manager || !checkReserve(victim, candidate, cause.level).ok) return null;
  return await manager.whileLeaving(async () => {
    const answer = await context.store.seats.evict(manager.user.userId, manager.id, victim.token, victim.reason, context.seatLimits);
    // Also where the store has given its seat away already: what is here is a handle without a seat, and ends all the same.
    partFrom(context, manager, victim, cause);
    return answer.is === 'ok' ? recordOf(victim, cause.level) : null;
  });
}

export const recordOf = (victim: Victim, level: CleanupLevel): VictimRecord => ({
  managerId: victim.managerId,
  level,
  verdict: victim.verdict.is,
  reason: victim.reason,
  evidence: victim.verdict.evidence,
});

/** GOAWAY, TERMINATE and PROOF for a manager whose seat is free. Nothing awaits the peer, and no failure here returns the seat. */
export function partFrom(context: Context, manager: WebSocketManager, victim: Victim, cause: EvictCause): void {
  const positions = manager.attachment?.positions() ?? [];
  const attachment = manager.fenced('fenced', 'superseded');
  context.changed(manager.user.userId);
  if (!attachment) return;
  const { transport, socket } = attachment;
  const notice = evictingNotice({ level: cause.level, reason: victim.reason, graceMs: victim.lingerMs, label: cause.label });
  transport.send([writeFrame({ type: 'notice', id: 'evicting', version: 1, ...notice })]);
  farewell(manager, victim.reason, { transport, positions, cause, evidence: victim.verdict.evidence });
  socket.terminate(victim.lingerMs);
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

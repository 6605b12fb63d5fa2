import type { Victim } from '../../core/cleanup.ts';
import type { CleanupLevel } from '../../core/levels.ts';
import type { Candidate } from '../../core/victims.ts';
import { newId } from '../../ports/random.ts';
import { closeFor } from '../../protocol/close-codes.ts';
import type { ManagerId } from '../../protocol/ids.ts';
import type { EvictReason } from '../../protocol/reasons.ts';
import type { Context } from '../context.ts';
import type { Attachment } from '../delivery/attachment.ts';
import { bestEffort, sayGoodbye } from '../delivery/farewell.ts';
import type { CleanupReport, VictimRecord } from '../events.ts';
import type { WebSocketManager } from '../manager.ts';
import { partFrom } from './evict.ts';
import { recordOf } from './records.ts';

/** How long a transport that was told goodbye by its own client's wish may take to close. */
const LEAVE_LINGER_MS = 2_000;

/** The transport of `attachment` has closed: its manager keeps its seat for the resume window. */
export function transportClosed(context: Context, manager: WebSocketManager, attachment: Attachment): void {
  attachment.socket.gone();
  manager.transportLost(attachment, 'transport-lost');
  context.changed(manager.user.userId);
}

/** The client left, or its application released it: the seat is free at once, and the transport ends. */
export async function leave(context: Context, manager: WebSocketManager, reason: 'client-closed' | 'parked'): Promise<void> {
  const { seat } = manager;
  if (seat === null) return;
  const user = manager.user.userId;
  const attachment = manager.fenced(reason === 'parked' ? 'released' : 'left', reason);
  bestEffort(() => attachment?.transport.end(1000, ''));
  attachment?.socket.terminate(LEAVE_LINGER_MS);
  try {
    await context.store.seats.release(user, manager.id, seat.token, context.seatLimits);
  } finally {
    // Where the store could not be told, the seat's lease ends by itself, since nobody renews it.
    context.ended(manager, reason);
    context.changed(user);
  }
}

/** Its seat is somebody else's now. `label`: name of the device there. */
export function supersede(context: Context, manager: WebSocketManager, label: string | null = null): void {
  endQuietly(context, manager, 'superseded', label);
}

/** The store tells that its seat was taken by another node, for `reason`: it ends here as it would have ended there. */
export function endTaken(context: Context, manager: WebSocketManager, reason: EvictReason): void {
  const seen = manager.candidate();
  const level = levelOf(reason);
  if (seen === null || level === null) {
    endQuietly(context, manager, reason, null);
    return;
  }
  const { lingerForceMs } = context.options.cleanup;
  const victim: Victim = { managerId: manager.id, version: seen.version, token: seen.token, verdict: seen.verdict, reason, lingerMs: lingerForceMs };
  partFrom(context, manager, victim, { level, label: null });
}

/** The mildest level at which a seat of the living ends for this reason; which one it was, a tombstone does not tell. Null: whoever took it
 *  believed that nobody was there any more, so that its client, if there is one, comes back without a word. */
function levelOf(reason: EvictReason): CleanupLevel | null {
  switch (reason) {
    case 'ack-timeout':
    case 'probe-timeout':
    case 'unresponsive':
      return 'moderate';
    case 'idle-over-limit':
    case 'burst-repaid':
      return 'aggressive';
    case 'lowest-value':
    case 'user-freed':
    case 'admin-evicted':
      return 'force';
    case 'client-closed':
    case 'parked':
    case 'transport-lost':
    case 'half-open':
    case 'write-stalled':
    case 'ghost':
    case 'node-dead':
    case 'superseded':
      return null;
  }
}

function endQuietly(context: Context, manager: WebSocketManager, reason: EvictReason, label: string | null): void {
  const positions = manager.attachment?.positions() ?? [];
  const attachment = manager.fenced('fenced', 'superseded');
  if (attachment) {
    sayGoodbye(attachment.transport, { close: closeFor(reason), reason, positions, manager: manager.id, label });
    attachment.socket.terminate(context.options.cleanup.lingerForceMs);
  }
  context.ended(manager, reason);
  context.changed(manager.user.userId);
}

export interface SingleCause {
  readonly reason: 'user-freed' | 'admin-evicted';
  /** Name of the device from which a person did it. */
  readonly by: string | null;
  /** An operator's words. */
  readonly detail?: string;
}

/** A person or an operator ends one manager, whatever its verdict. `report` hears of it, also if it failed. False: it was gone already. */
export async function evictOne(context: Context, id: ManagerId, cause: SingleCause, report: (done: CleanupReport) => void): Promise<boolean> {
  const manager = context.registry.find(id);
  if (!manager) return false;
  return await context.lanes.run(manager.user.userId, async () => {
    const seen = manager.candidate();
    if (seen === null) return false;
    const startedAt = context.mono();
    const before = seatsHeld(context, manager);
    context.counters.levelRan('force');
    const conclude = (victims: readonly VictimRecord[], result: CleanupReport['result']): void => {
      const durationMs = Math.round(context.mono() - startedAt);
      report({
        run: newId(context.random, 'cln'),
        user: manager.user.userId,
        trigger: cause.reason === 'user-freed' ? 'user' : 'operator',
        admissions: [],
        levels: [{ level: 'force', examined: 1, freed: victims.length, result, durationMs }],
        before,
        after: before - victims.length,
        victims,
        kept: [],
        result,
        durationMs,
      });
    };
    try {
      const record = await manager.whileLeaving(() => take(context, manager, seen, cause));
      // Where its seat had been given away before, nothing is left to free.
      conclude(record ? [record] : [], 'enough');
    } catch (error) {
      conclude([], 'failed');
      throw error;
    }
    return true;
  });
}

async function take(context: Context, manager: WebSocketManager, seen: Candidate, cause: SingleCause): Promise<VictimRecord | null> {
  const { verdict, version, token } = seen;
  const lingerMs = verdict.proof ? 0 : context.options.cleanup.lingerForceMs;
  const victim: Victim = { managerId: manager.id, version, token, verdict, reason: cause.reason, lingerMs };
  const record = recordOf(context, victim, seen, 'force');
  const answer = await context.store.seats.evict(manager.user.userId, manager.id, token, cause.reason, context.seatLimits);
  partFrom(context, manager, victim, { level: 'force', label: cause.by, ...(cause.detail === undefined ? {} : { detail: cause.detail }) });
  // Stale: its seat had been given away before, and what ended here was a handle without one.
  if (answer.is === 'stale') return null;
  context.counters.seatTaken('force');
  return record;
}

function seatsHeld(context: Context, { user: { userId } }: WebSocketManager): number {
  let seats = 0;
  for (const m of context.registry.of(userId)) if (m.seat !== null) seats++;
  return seats;
}

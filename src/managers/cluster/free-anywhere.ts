import type { Victim } from '../../core/cleanup.ts';
import { newId } from '../../ports/random.ts';
import type { ManagerId, UserId } from '../../protocol/ids.ts';
import { evictOne, type SingleCause } from '../cleanup/partings.ts';
import { recordOf } from '../cleanup/records.ts';
import { candidatesOf } from '../cleanup/sweep.ts';
import type { Context } from '../context.ts';
import type { CleanupReport, VictimRecord } from '../events.ts';

/** A person ends one of their own managers, on whatever node, and whatever its verdict. The seat is free at once: the store takes it, and
 *  the node that held it, which nobody waits for, says goodbye. False: no manager of that user holds a seat under this id. Rejects while
 *  the store cannot be asked. */
export async function evictAnywhere(
  context: Context,
  user: UserId,
  id: ManagerId,
  cause: SingleCause,
  report: (done: CleanupReport) => void,
): Promise<boolean> {
  const { registry, lanes, cluster } = context;
  const here = registry.find(id);
  if (here?.seat != null) return here.user.userId === user && (await evictOne(context, id, cause, report));
  if (cluster === null) return false;
  return await lanes.run(user, () => takeElsewhere(context, user, id, cause, report));
}

async function takeElsewhere(context: Context, user: UserId, id: ManagerId, cause: SingleCause, report: (done: CleanupReport) => void): Promise<boolean> {
  const { store, seatLimits, elsewhere, cluster, counters, mono, random } = context;
  const startedAt = mono();
  await store.seats.facts(user, seatLimits);
  context.cutOff?.needStore();
  const candidates = candidatesOf(context, user);
  const seen = candidates.find((c) => c.managerId === id);
  const found = elsewhere.find(user, id);
  if (seen === undefined || found === null) return false;
  const { token, node } = found.digest;
  const victim: Victim = { managerId: id, version: seen.version, token, verdict: seen.verdict, reason: cause.reason, lingerMs: 0 };
  const record: VictimRecord = { ...recordOf(context, victim, seen, 'force'), node };
  const answer = await store.seats.evict(user, id, token, cause.reason, seatLimits);
  context.cutOff?.needStore();
  if (answer.is !== 'ok') return false;
  counters.levelRan('force');
  counters.seatTaken('force');
  const { by: label, detail } = cause;
  const told = { user, manager: id, token, level: 'force', reason: cause.reason, label, ...(detail === undefined ? {} : { detail }) } as const;
  if (found.owner === 'dead') context.ended({ id, user: { userId: user } }, cause.reason);
  else void cluster?.tell(node, 'evicted', told);
  const durationMs = Math.round(mono() - startedAt);
  report({
    run: newId(random, 'cln'),
    user,
    trigger: cause.reason === 'user-freed' ? 'user' : 'operator',
    admissions: [],
    levels: [{ level: 'force', examined: 1, freed: 1, result: 'enough', durationMs }],
    before: candidates.length,
    after: candidates.length - 1,
    victims: [record],
    kept: [],
    result: 'enough',
    durationMs,
  });
  context.changed(user);
  return true;
}

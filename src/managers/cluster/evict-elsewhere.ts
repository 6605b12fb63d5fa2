import type { Victim } from '../../core/cleanup.ts';
import type { CleanupLevel } from '../../core/levels.ts';
import type { Candidate, Trigger } from '../../core/victims.ts';
import type { SeatDigest } from '../../ports/store.ts';
import type { ManagerId, NodeId, UserId } from '../../protocol/ids.ts';
import { recordOf } from '../cleanup/records.ts';
import type { Context } from '../context.ts';
import type { VictimRecord } from '../events.ts';

/** How long a node may take to give up managers. One that says nothing in that time is unknown for a while. */
const ANSWER_MS = 200;

/** For whom it is done, and what the victims are told. */
export interface ElsewhereRequest {
  readonly user: UserId;
  readonly level: CleanupLevel;
  readonly trigger: Trigger;
  readonly label: string | null;
  readonly detail?: string;
}

export interface EvictedElsewhere {
  readonly victims: readonly VictimRecord[];
  /** Their node did not answer: nothing is known of them. */
  readonly unanswered: readonly ManagerId[];
  readonly failed: boolean;
}

/** Evicts victims of a plan that other nodes hold. A living node looks again and evicts its own; what a dead one held is taken from the
 *  store. Whoever is not named in the answer was spared, or was gone. Never rejects. */
export async function evictElsewhere(
  context: Context,
  victims: readonly Victim[],
  candidates: readonly Candidate[],
  r: ElsewhereRequest,
): Promise<EvictedElsewhere> {
  const asked = new Map<NodeId, SeatDigest[]>();
  const work: Promise<Done>[] = [];
  const silent: ManagerId[] = [];
  for (const victim of victims) {
    const found = context.elsewhere.find(r.user, victim.managerId);
    const seen = candidates.find((c) => c.managerId === victim.managerId);
    // Its seat is another one by now.
    if (found === null || seen === undefined || found.digest.token !== victim.token) continue;
    if (found.owner === 'dead') work.push(takeFromDead(context, victim, seen, found.digest.node, r));
    else if (found.owner === 'silent') silent.push(victim.managerId);
    else asked.set(found.digest.node, [...(asked.get(found.digest.node) ?? []), found.digest]);
  }
  for (const [node, digests] of asked) work.push(askOwner(context, node, digests, r));
  const done = await Promise.allSettled(work);
  for (const result of done) {
    if (result.status === 'fulfilled') continue;
    const message = `A seat on another node could not be freed: ${String(result.reason)}`;
    context.telemetry.record({ severity: 'ERROR', event: 'eviction-failed', message, user: r.user });
  }
  const ends = done.flatMap((d) => (d.status === 'fulfilled' ? [d.value] : []));
  return {
    victims: ends.flatMap(({ victims: gone }) => gone),
    unanswered: [...silent, ...ends.flatMap(({ unanswered }) => unanswered)],
    failed: ends.length < done.length,
  };
}

type Done = Pick<EvictedElsewhere, 'victims' | 'unanswered'>;
const NOBODY: Done = { victims: [], unanswered: [] };

/** Nobody is there who could look again. If the node only stalled, it learns from the store what it has lost. */
async function takeFromDead(context: Context, victim: Victim, seen: Candidate, node: NodeId, { user, level }: ElsewhereRequest): Promise<Done> {
  const record = { ...recordOf(context, victim, seen, level), node };
  const answer = await context.store.seats.evict(user, victim.managerId, victim.token, victim.reason, context.seatLimits);
  if (answer.is !== 'ok') return NOBODY;
  context.counters.seatTaken(level);
  context.ended({ id: victim.managerId, user: { userId: user } }, victim.reason);
  context.changed(user);
  return { victims: [record], unanswered: [] };
}

async function askOwner(context: Context, node: NodeId, digests: readonly SeatDigest[], r: ElsewhereRequest): Promise<Done> {
  const { cluster, elsewhere, counters, pressure } = context;
  if (cluster === null) return NOBODY;
  const managers = digests.map(({ manager, token }) => ({ manager, token }));
  const outcome = await cluster.ask(node, 'evict', { ...r, p: pressure(r.user), managers }, ANSWER_MS);
  elsewhere.heard(node, outcome.is === 'silent' ? 'silent' : 'answer');
  if (outcome.is === 'failed') throw new Error(`node ${node} says: ${outcome.message}`);
  if (outcome.is !== 'answer') return { victims: [], unanswered: digests.map(({ manager }) => manager) };
  const victims = (outcome.answer.victims ?? []).map((victim) => ({ ...victim, node }));
  for (const { level } of victims) counters.seatTaken(level);
  if (victims.length > 0) context.changed(r.user);
  return { victims, unanswered: [] };
}

import type { CleanupPlan, Victim } from '../../core/cleanup.ts';
import type { Candidate } from '../../core/victims.ts';
import { newId } from '../../ports/random.ts';
import type { SeatFacts } from '../../ports/store.ts';
import type { UserId } from '../../protocol/ids.ts';
import { partFrom } from '../cleanup/evict.ts';
import { keptOf, recordOf } from '../cleanup/records.ts';
import { candidatesHere, candidatesOf, planFor } from '../cleanup/sweep.ts';
import type { SeatElsewhere } from '../cluster/elsewhere.ts';
import { tellTakenOver } from '../cluster/take-over.ts';
import type { Context } from '../context.ts';
import type { CleanupReport } from '../events.ts';
import type { Seat } from '../manager.ts';
import type { AdmissionRun } from './admission-run.ts';
import type { KeptSeat, NodeSeats } from './node-seats.ts';

export type Forced =
  /** `kept`: the seat of this node that the victim left; released when its new holder stands in the registry. */
  | { readonly is: 'seated'; readonly seat: Seat; readonly facts: SeatFacts; readonly kept: KeptSeat | null; readonly report: CleanupReport }
  /** The store knows nothing of the seat that was named; another can be named now. */
  | { readonly is: 'stale' }
  /** Every seat that could be named is promised to a newcomer. `settled`: when one of them has arrived. */
  | { readonly is: 'promised'; readonly settled: Promise<unknown> }
  | { readonly is: 'none' };

/** One for one: the cheapest manager gives up its seat in the very step that gives it away. Asks for no evidence and waits for no peer.
 *  Rejects where the store does not answer; it may be repeated. */
export async function forceSeat(context: Context, nodeSeats: NodeSeats, run: AdmissionRun): Promise<Forced> {
  const { user, manager: requester, label } = run.applicant;
  const startedAt = context.mono();
  const candidates = candidatesOf(context, user);
  // On a full node one who goes here makes the room that one elsewhere would not.
  const isFull = nodeSeats.taken >= context.options.limits.perNode && run.turn === null;
  // The store's answer will not name it any more.
  const elsewhere = context.elsewhere.of(user);
  const planOf = (of: readonly Candidate[]) => planFor(context, { user, level: 'force', need: 1, liveMax: 1, trigger: 'admission', requester, label }, of);
  const cheapest = planOf(candidates);
  const here = isFull ? planOf(candidatesHere(context, user)) : cheapest;
  const plan = here.victims.length > 0 ? here : cheapest;
  const named = plan.victims[0];
  if (!named) {
    const settling = [...context.registry.of(user)].flatMap((m) => m.attachment?.settling ?? []);
    return settling.length > 0 ? { is: 'promised', settled: Promise.race(settling) } : { is: 'none' };
  }
  let kept: KeptSeat | null = null;
  const part = (victim: Victim): void => {
    const manager = context.registry.find(victim.managerId);
    if (manager?.seat?.token !== victim.token) return;
    partFrom(context, manager, victim, { level: 'force', label });
    kept = nodeSeats.keep();
  };
  const replace = async () => {
    const victims = [{ manager: named.managerId, token: named.token }];
    const answered = await context.store.seats.replace({ ...run.request(false), victims, reason: named.reason });
    // Where nodes share the store, one whose seat is not there any more was taken by another node, which tells it why; or it is put back.
    const handle = context.cluster === null ? named : null;
    const lost = answered.is === 'stale' ? handle : victimOf(answered.victim, named, planOf, candidates);
    if (lost !== null) part(lost);
    return { answered, lost };
  };
  const holder = context.registry.find(named.managerId);
  const { answered, lost } = await (holder ? holder.whileLeaving(replace) : replace());
  if (answered.is === 'stale') return { is: 'stale' };
  tellTakenOver(context, run.applicant, answered.from);
  if (lost !== null) tellOwner(context, elsewhere, lost, user, label);
  context.counters.levelRan('force');
  const seen = candidates.find((c) => c.managerId === lost?.managerId);
  const node = elsewhere.find(({ digest }) => digest.manager === lost?.managerId)?.digest.node;
  const victims = lost !== null && seen !== undefined ? [{ ...recordOf(context, lost, seen, 'force'), ...(node === undefined ? {} : { node }) }] : [];
  if (victims.length > 0) context.counters.seatTaken('force');
  const durationMs = Math.round(context.mono() - startedAt);
  const before = candidates.length;
  const report: CleanupReport = {
    run: newId(context.random, 'cln'),
    user,
    trigger: 'admission',
    admissions: [],
    levels: [{ level: 'force', examined: before, freed: victims.length, result: 'enough', durationMs }],
    before,
    after: before - victims.length,
    victims,
    kept: keptOf(context, plan, candidates, victims),
    result: 'enough',
    durationMs,
  };
  return { is: 'seated', seat: { token: answered.token, kind: answered.seat }, facts: answered.facts, kept, report };
}

/** Who held the seat on another node is told by that node, which nobody waits for. A dead one has nobody to tell. */
function tellOwner(context: Context, elsewhere: readonly SeatElsewhere[], { managerId, reason }: Victim, user: UserId, label: string | null): void {
  const held = elsewhere.find(({ digest }) => digest.manager === managerId);
  if (held === undefined || held.owner === 'dead') return;
  const { node, token } = held.digest;
  void context.cluster?.tell(node, 'evicted', { user, manager: managerId, token, level: 'force', reason, label });
}

/** Whose seat it was. A repeated call, whose first answer was lost, has taken the one that was named then; the reason is its own. */
function victimOf(id: string | null, named: Victim, plan: (candidates: readonly Candidate[]) => CleanupPlan, candidates: readonly Candidate[]): Victim | null {
  if (id === null) return null;
  if (id === named.managerId) return named;
  return plan(candidates.filter((c) => c.managerId === id)).victims[0] ?? null;
}

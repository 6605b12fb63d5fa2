import type { AdmissionFacts } from '../../core/admission-facts.ts';
import type { Mono } from '../../core/clocks.ts';
import type { SeatFacts } from '../../ports/store.ts';
import type { Context } from '../context.ts';
import type { CleanupReport } from '../events.ts';
import type { AdmissionRun, StepOutcome } from './admission-run.ts';
import type { Claims } from './claims.ts';
import type { GateRoom } from './gate-room.ts';
import type { Ladder } from './ladder.ts';
import type { LevelFaults } from './level-faults.ts';
import type { NodeSweep } from './node-sweep.ts';
import type { ProbeBudget } from './probe-budget.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** An admission in a pass. */
export interface Member {
  readonly run: AdmissionRun;
  /** The pass has done what it can do for it. Called in the very turn in which the store answered. */
  settle(outcome: StepOutcome): void;
  /** The store could not be asked; nothing was given to it. */
  fail(error: unknown): void;
}

export interface PassDeps {
  readonly context: Context;
  readonly claims: Claims;
  readonly probes: ProbeBudget;
  readonly faults: LevelFaults;
  readonly room: WaitingRoom;
  readonly gate: GateRoom;
  readonly nodeSweep: NodeSweep;
  heapShare(): number;
  /** Whether we stalled since then. */
  stalledSince(at: Mono): boolean;
  cleaned(report: CleanupReport): void;
}

/** Persons before automatic reconnects, the queue before those who have just come. */
export function firstOf(members: readonly Member[], facts: SeatFacts): Member | null {
  const rankOf = ({ run }: Member): readonly [number, number] => {
    const index = facts.tickets.findIndex((t) => t.id === run.id);
    const isPerson = (run.ticket?.class ?? run.applicant.intent) === 'user';
    return [isPerson ? 0 : 1, index < 0 ? Number.POSITIVE_INFINITY : index];
  };
  let first: Member | null = null;
  let best: readonly [number, number] = [2, 0];
  for (const member of members) {
    const rank = rankOf(member);
    if (rank[0] < best[0] || (rank[0] === best[0] && rank[1] < best[1])) [first, best] = [member, rank];
  }
  return first;
}

/** What the next step of `run` is decided from; `runs` are all that its pass still serves.
 *
 *  Between the admissions of a user on one node a freed seat needs no promise: whatever takes a seat of this user passes through its
 *  pass, and the store holds seats back for the tickets ahead. What others of the node could take is kept (`NodeSeats`). */
export function factsFor(deps: PassDeps, ladder: Ladder, runs: readonly AdmissionRun[], run: AdmissionRun, facts: SeatFacts): AdmissionFacts {
  const { context, gate, probes, claims } = deps;
  const { user } = run.applicant;
  return {
    ...run.facts(facts),
    seats: facts.seats.length,
    cap: facts.cap,
    promised: 0,
    paid: 0,
    joined: runs.length,
    persons: Math.max(1, runs.filter((r) => r.applicant.intent === 'user' && r.ticket?.at !== 'queue').length),
    burst: facts.burst,
    queue: { tickets: facts.tickets, promises: facts.promises, lastWaits: [], lastReleases: facts.lastReleases },
    node: {
      seats: gate.seats.taken,
      own: context.registry.of(user).size,
      gate: gate.size,
      turn: run.turn !== null || ladder.hasKept || gate.hasPromised(user),
      gateAfterMs: gate.estimateMs,
      score: context.self(user).score,
      stalled: deps.stalledSince(run.startedAt),
      probeBudget: probes.allows(user),
      heapShare: deps.heapShare(),
    },
    store: context.cutOff?.isCutOff === true ? 'cut-off' : 'ok',
    done: { ...ladder.done, burst: run.burst, force: run.force },
    ambiguous: ladder.done.probe === 'no' ? ladder.ambiguous() : [],
    forcesLastMinute: claims.count(user),
  };
}

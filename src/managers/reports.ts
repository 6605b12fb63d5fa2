import type { Burst } from '../core/burst.ts';
import type { Signal, Verdict } from '../core/judge.ts';
import type { CleanupLevel } from '../core/levels.ts';
import type { Ticket } from '../core/queue.ts';
import type { ManagerId, NodeId, Tier, UserId } from '../protocol/ids.ts';
import type { VerdictName } from '../protocol/messages.ts';
import type { EvictReason, KeepReason } from '../protocol/reasons.ts';
import type { CleanupReport } from './events.ts';

/** Counts by verdict; every verdict is named, also with 0. */
export type ByVerdict = Readonly<Record<VerdictName, number>>;
/** Counts by cleanup level; every level is named, also with 0. */
export type ByLevel = Readonly<Record<CleanupLevel, number>>;

/** How a factory stands. Gauges are of this instant; counters are changed at the state change itself and start at 0 with the factory. */
export interface FactoryStatus {
  readonly limits: { readonly perUser: number; readonly burst: number; readonly perNode: number };
  /** Users that hold a seat here. */
  readonly users: number;
  /** Of them: those with at least `limits.perUser` seats, here and on other nodes as far as it is known. */
  readonly usersAtLimit: number;
  readonly seats: number;
  /** Seats without the dead ones and those being given up. */
  readonly effective: number;
  /** Transports that are really open, whatever became of their seats. */
  readonly sockets: number;
  /** Of them: terminated, and their close has not been seen. */
  readonly quarantined: number;
  readonly managersByVerdict: ByVerdict;
  /** Users above their limit in a running lease, and users that still repay one. */
  readonly burst: { readonly active: number; readonly debt: number };
  /** Admissions that wait, in users' queues and at the gate. */
  readonly queued: number;
  /** The store cannot be asked for seats: who has one keeps it, and whoever comes is served by this node alone or tries again. */
  readonly storeFailOpen: boolean;
  /** Managers made. */
  readonly created: number;
  /** Cleanup passes that ran each level; a level that was skipped did not run. */
  readonly cleanupPasses: ByLevel;
  /** Seats freed at each level. */
  readonly freed: ByLevel;
  /** Passes that an admission needed. */
  readonly emergencyCleanups: number;
  /** Passes in which something threw. */
  readonly failedCleanups: number;
  /** Verdicts `zombie` given. */
  readonly zombiesDetected: number;
  /** Seats taken, by cleanup, by their owner or by an operator. */
  readonly evicted: number;
  /** Of them: managers whose sign of life, given before, was read only after. */
  readonly regrets: number;
  /** `at`: milliseconds since the Unix epoch. Null before the first pass that freed anything. */
  readonly lastCleanup: { readonly at: number; readonly level: CleanupLevel; readonly freed: number; readonly durationMs: number } | null;
  /** When the background pass last came to its end, milliseconds since the Unix epoch. Null before the first one did. */
  readonly cleanupHeartbeat: number | null;
}

/** One manager as it was found. */
export interface ManagerHealth {
  readonly managerId: ManagerId;
  readonly userId: UserId;
  readonly verdict: VerdictName;
  readonly reason: Verdict['reason'];
  /** What the verdict rests on, with ages in milliseconds. */
  readonly evidence: readonly Signal[];
  /** How long the verdict has been this one. */
  readonly sinceMs: number;
}

/** A look at everybody. It evicts nobody, and asking refreshes no evidence. */
export interface HealthReport extends ByVerdict {
  readonly checked: number;
  readonly managers: readonly ManagerHealth[];
}

/** Why a manager is what it is, and what would have to happen for it to give up its seat. */
export interface Explanation extends ManagerHealth {
  /** Which holds it. */
  readonly node: NodeId;
  readonly tier: Tier;
  readonly label: string | null;
  /** Its client's name. */
  readonly client: string;
  readonly seat: 'soft' | 'burst';
  readonly connected: boolean;
  readonly pinned: boolean;
  readonly running: boolean;
  readonly quietMs: number;
  /** Milliseconds since the Unix epoch. */
  readonly openedAt: number;
  /** Its place in the order in which its user's managers would go, from 1. */
  readonly rank: { readonly position: number; readonly of: number };
  /** The mildest level at which an admission that needs one seat could take it now, if nobody cheaper were there; null: none, as for a
   *  pinned one. */
  readonly goesAt: CleanupLevel | null;
  /** Why each milder level spares it. */
  readonly kept: readonly { readonly level: CleanupLevel; readonly because: KeepReason }[];
  /** The same in a sentence, such as `214 events unacknowledged for 37m58s, probe unanswered; its socket still answers pings`. */
  readonly text: string;
}

/** What one level would do. */
export interface LevelPlan {
  readonly level: CleanupLevel;
  readonly examined: number;
  readonly evict: readonly {
    readonly manager: ManagerId;
    readonly verdict: VerdictName;
    readonly reason: EvictReason;
    readonly evidence: readonly Signal[];
  }[];
  readonly keep: readonly { readonly manager: ManagerId; readonly verdict: VerdictName; readonly because: KeepReason }[];
  /** Seats that could be given after it. */
  readonly freeAfter: number;
}

/** A dry run: what a cleanup would do at each level, evaluated at one instant. It has changed nothing. */
export interface PlannedCleanup {
  /** `pln_` and 20 characters; good for `runPlan` until `expiresAt`. */
  readonly planId: string;
  /** Milliseconds since the Unix epoch; 30 s after the plan. */
  readonly expiresAt: number;
  readonly user: UserId;
  readonly need: number;
  readonly levels: readonly LevelPlan[];
  /** The mildest level that covers the need; null: none but one that would take healthy managers. */
  readonly stopsAt: CleanupLevel | null;
}

/** What became of a plan. `stale`: since it was made, these managers' evidence changed; nobody was evicted. */
export type PlanOutcome =
  | { readonly is: 'done'; readonly report: CleanupReport }
  | { readonly is: 'stale'; readonly differences: readonly { readonly manager: ManagerId; readonly change: string }[] }
  | { readonly is: 'unknown' };

/** A user's room. */
export interface UserStatus {
  readonly user: UserId;
  readonly tier: Tier;
  readonly limit: number;
  readonly seats: number;
  readonly effective: number;
  readonly sockets: number;
  readonly quarantined: number;
  readonly burst: Burst;
  readonly queued: readonly QueuedTicket[];
  readonly managers: readonly Explanation[];
}

/** A user in a list of users. */
export interface UserSummary {
  readonly user: UserId;
  readonly tier: Tier;
  readonly seats: number;
  readonly effective: number;
  readonly sockets: number;
  readonly queued: number;
  readonly verdicts: ByVerdict;
}

/** Somebody who waits. `position` from 1; times in milliseconds from now. */
export interface QueuedTicket {
  readonly user: UserId;
  readonly tier: Tier;
  readonly manager: ManagerId;
  readonly at: 'queue' | 'gate';
  readonly class: Ticket['class'];
  readonly position: number;
  readonly etaMs: number;
  readonly deadlineMs: number;
}

export type DifferenceKind = 'manager-without-seat' | 'seat-without-manager' | 'socket-without-manager' | 'attachment-without-socket' | 'index';

/** Registry, index by user, seats of the store and counted sockets, compared in one step. */
export interface ConsistencyReport {
  /** Milliseconds since the Unix epoch. */
  readonly checkedAt: number;
  readonly differences: readonly { readonly kind: DifferenceKind; readonly user: UserId; readonly detail: string }[];
}

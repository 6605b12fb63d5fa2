/** What an admission is decided from, and what may be decided. */

import type { Intent } from '../protocol/frames.ts';
import type { ManagerId, Tier } from '../protocol/ids.ts';
import type { RetryReason } from '../protocol/reasons.ts';
import type { Burst } from './burst.ts';
import type { Mono } from './clocks.ts';
import type { CleanupLevel } from './levels.ts';
import type { Queue, QueueClass } from './queue.ts';

/** Steps that an admission takes at most once each time something changed. */
export type DoneStep = 'node' | 'conservative' | 'moderate-dead' | 'probe' | 'moderate' | 'aggressive' | 'burst' | 'force';

/** `skipped`: it was not run, because it threw three times lately; `short`: it was run and freed too little; `promised`: every seat it
 *  could name is promised to a newcomer. */
export type StepResult = 'no' | 'enough' | 'short' | 'skipped' | 'promised';

export type Done = Readonly<Record<DoneStep, StepResult>>;

export const NOTHING_DONE: Done = {
  node: 'no',
  conservative: 'no',
  'moderate-dead': 'no',
  probe: 'no',
  moderate: 'no',
  aggressive: 'no',
  burst: 'no',
  force: 'no',
};

export interface AdmissionFacts {
  readonly request: {
    readonly managerId: ManagerId;
    /** As claimed; a claim beyond `displacement.perMinute` counts as `auto`. */
    readonly intent: Intent;
    readonly tier: Tier;
    /** It showed a valid resume token, and its manager is still seated. */
    readonly resumes: boolean;
    /** Times this client was sent away with a retry time in a row. */
    readonly refusals: number;
  };
  /** Seats of the user. */
  readonly seats: number;
  /** What the burst state allows; on a node that is cut off, its local cap. */
  readonly cap: number;
  /** Freed seats that are kept for other admissions of the user. */
  readonly promised: number;
  /** Seats that this admission's own pass freed and that are kept for it. */
  readonly paid: number;
  /** Tickets of the user ranked ahead. */
  readonly ahead: number;
  /** Admissions of the user that this pass serves, this one included. */
  readonly joined: number;
  /** Of them: those that may cost a living manager its seat, because a person asked and has not waited in the queue yet. */
  readonly persons: number;
  readonly burst: Burst;
  readonly queue: Queue;
  readonly node: NodeFacts;
  readonly store: 'ok' | 'cut-off';
  readonly done: Done;
  /** Whom a probe could tell apart: evidence older than `health.freshMs`, not asked yet. */
  readonly ambiguous: readonly ManagerId[];
  /** Forces and living victims on this user's claim. */
  readonly forcesLastMinute: number;
  readonly startedAt: Mono;
  /** Its place in the user's queue or at the node's gate. */
  readonly ticket: { readonly at: 'queue' | 'gate'; readonly class: QueueClass; readonly deadline: Mono } | null;
  /** What the queue answered when it was full. */
  readonly refusal: { readonly promiseAt: Mono; readonly promise: string } | null;
  /** 0…1, drawn by the caller. */
  readonly jitter: number;
}

export interface NodeFacts {
  readonly seats: number;
  /** Of them: the user's own. */
  readonly own: number;
  /** Tickets at the gate. */
  readonly gate: number;
  /** A seat of this node is kept for it: the gate gave it the one that became free, or its own pass freed one. */
  readonly turn: boolean;
  /** In how long a place at the gate is worth trying again. */
  readonly gateAfterMs: number;
  /** Our own health `L`. */
  readonly score: number;
  /** We stalled during this admission. */
  readonly stalled: boolean;
  /** Another probe round is within this user's budget. */
  readonly probeBudget: boolean;
  /** Used share of the heap. */
  readonly heapShare: number;
}

export type AdmissionStep =
  | { readonly do: 'reattach' }
  | { readonly do: 'seat'; readonly how: 'direct' | 'after-cleanup' | 'burst' | 'after-queue' | 'force' }
  /** `of: 'node'`: the dead of any user of this node, in slices. */
  | { readonly do: 'clean'; readonly of: 'user' | 'node'; readonly level: CleanupLevel; readonly liveMax: number; readonly need: number }
  | { readonly do: 'probe'; readonly managers: readonly ManagerId[]; readonly deadlineMs: number }
  | { readonly do: 'start-burst' }
  | { readonly do: 'wait' }
  | { readonly do: 'enqueue'; readonly at: 'queue' | 'gate'; readonly class: QueueClass; readonly pushOut: ManagerId | null }
  | { readonly do: 'force' }
  | { readonly do: 'retry-later'; readonly reason: RetryReason; readonly afterMs: number; readonly promise: string | null };

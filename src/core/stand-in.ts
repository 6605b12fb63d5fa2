/** A manager of another node as a plan here sees it: made of what its node told of it, and of what is known of that node. */

import type { ManagerId, UserId } from '../protocol/ids.ts';
import type { VerdictName } from '../protocol/messages.ts';
import { ALIVE_REASONS, type LostReason, SUSPECT_REASONS, UNKNOWN_REASONS } from '../protocol/reasons.ts';
import { type Attentive, attentive } from './clocks.ts';
import { type Evidence, newEvidence } from './evidence.ts';
import type { Verdict } from './judge.ts';
import type { Options } from './options.ts';
import { type Candidate, toCandidate } from './victims.ts';

/** What a node has told of a manager. The digest of its seat, with ages instead of instants of the store's clock. */
export interface Told {
  readonly manager: ManagerId;
  readonly token: number;
  readonly verdict: VerdictName;
  /** Why; absent where it was not told, or by a version that knows other reasons. */
  readonly reason?: string;
  /** How long its verdict had been this one when it was told. */
  readonly sinceMs?: number;
  readonly quietMs: number;
  readonly run: boolean;
  readonly pinned: boolean;
  readonly critical: boolean;
  readonly hidden: boolean;
  /** How long ago it was told. */
  readonly toldAgoMs: number;
  readonly seatedAgoMs: number;
}

/** What a node knows of another one. `answering`: it lives, as far as it is known. */
export type Owner = Exclude<Evidence['owner'], 'local'>;

/** The candidate that stands for a manager of another node. What its node told stands while that node answers, aged by the time since;
 *  of a silent node nothing is known (V5); the seat of a dead one may be taken by whoever needs it (V3). Its evidence is its node's: there
 *  is none to show here, and nothing here can change, so that its version is 0. Its node looks again before it takes it. */
export function standIn(user: UserId, told: Told, owner: Owner, o: Options, now: Attentive): Candidate {
  const ago = (ms: number): Attentive => attentive(now - Math.max(0, ms));
  const quietMs = told.run ? 0 : Math.max(0, told.quietMs) + Math.max(0, told.toldAgoMs);
  const sinceMs = Math.max(0, told.sinceMs ?? 0) + Math.max(0, told.toldAgoMs);
  const verdict = verdictOf(told, owner, { since: ago(owner === 'answering' ? sinceMs : 0), quietMs, evidence: [] }, sinceMs);
  const evidence: Evidence = {
    ...newEvidence(
      {
        managerId: told.manager,
        userId: user,
        class: verdict.is === 'unknown' && verdict.reason === 'unverifiable' ? 'unverifiable' : 'acking',
        visibility: told.hidden ? 'hidden' : 'unknown',
      },
      ago(told.toldAgoMs),
    ),
    owner,
    seatedAt: ago(told.seatedAgoMs),
    activityAt: ago(quietMs),
    run: told.run,
    owed: told.critical ? { since: ago(told.toldAgoMs), events: 1, bytes: 0, critical: true } : null,
    link: owner === 'answering' && verdict.is === 'inactive' ? { is: 'lost', since: ago(sinceMs), reason: lostReason(told.reason) } : { is: 'open' },
  };
  return toCandidate(evidence, verdict, { version: 0, token: told.token, pinned: told.pinned, promised: false }, o, now);
}

function verdictOf(told: Told, owner: Owner, facts: Pick<Verdict, 'since' | 'quietMs' | 'evidence'>, sinceMs: number): Verdict {
  if (owner === 'dead') return { is: 'inactive', reason: 'node-dead', lostForMs: 0, proof: true, ...facts };
  if (owner === 'silent') return { is: 'unknown', reason: 'node-silent', proof: false, ...facts };
  switch (told.verdict) {
    case 'healthy':
      return { is: 'healthy', reason: one(ALIVE_REASONS, told.reason, told.run ? 'run' : 'active'), proof: false, ...facts };
    case 'idle':
      return { is: 'idle', reason: 'quiet', proof: false, ...facts };
    case 'suspect':
      return { is: 'suspect', reason: one(SUSPECT_REASONS, told.reason, 'probe-missed'), overdue: 0, proof: false, ...facts };
    case 'zombie':
      return { is: 'zombie', reason: one(ZOMBIE_REASONS, told.reason, 'probe-timeout'), proof: true, ...facts };
    case 'inactive':
      return { is: 'inactive', reason: lostReason(told.reason), lostForMs: sinceMs, proof: true, ...facts };
    case 'unknown':
      return { is: 'unknown', reason: one(UNKNOWN_REASONS, told.reason, 'not-asked'), proof: false, ...facts };
  }
}

const ZOMBIE_REASONS = ['ack-timeout', 'probe-timeout'] as const;
const LOST_REASONS = ['transport-lost', 'half-open', 'write-stalled'] as const satisfies readonly LostReason[];

const lostReason = (told: string | undefined): LostReason => one(LOST_REASONS, told, 'transport-lost');

const one = <T extends string>(known: readonly T[], told: string | undefined, otherwise: T): T => known.find((reason) => reason === told) ?? otherwise;

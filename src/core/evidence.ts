/** What was observed of one manager, as one immutable record. Updates answer a new record; nobody else builds one. A check
 *  never refreshes what it judges: asking, sending and pinging leave all signs of life as they were. */

import type { ManagerId, UserId } from '../protocol/ids.ts';
import type { Visibility } from '../protocol/messages.ts';
import type { EndReason, LostReason } from '../protocol/reasons.ts';
import type { Attentive } from './clocks.ts';

/** E1 acknowledged offset, E2 probe answered, E3 inbound message, E4 pong, E5 sent without error (counts as nothing), E6 output
 *  not drained, E7 run in progress, E8 end of a transport, E9 records that disagree. */
export type SignalId = 'E1' | 'E2' | 'E3' | 'E4' | 'E5' | 'E6' | 'E7' | 'E8' | 'E9';

export type Link =
  | { readonly is: 'open' }
  /** Without a transport; it may come back with its resume token. */
  | { readonly is: 'lost'; readonly since: Attentive; readonly reason: LostReason }
  /** Over for good: the seat is given back at once. */
  | { readonly is: 'ended'; readonly reason: EndReason };

/** What was sent and is not acknowledged. */
export interface Owed {
  /** When the oldest of it was sent. */
  readonly since: Attentive;
  readonly events: number;
  readonly bytes: number;
  /** Whether a run's terminal event or error is among it. */
  readonly critical: boolean;
}

/** The oldest question that has no answer. */
export interface Probe {
  /** When it was last asked. */
  readonly askedAt: Attentive;
  /** When the oldest unanswered asking had left our process; null while it has not. Patience counts from here. */
  readonly flushedAt: Attentive | null;
  /** We could not write it, so its silence accuses nobody. */
  readonly failed: boolean;
  /** Bytes sent before it and unacknowledged: a slow reader gets to it after them. */
  readonly bytesAhead: number;
  /** Longest gap of our own ticker since. */
  readonly gapMs: number;
  /** Silence is voided once, if we stalled or many fell silent together: `voided` counts for nothing and is asked again as
   *  `second`, whose silence counts in any case. */
  readonly standing: 'first' | 'voided' | 'second';
}

export interface Evidence {
  readonly managerId: ManagerId;
  readonly userId: UserId;
  /** `acking` clients acknowledge what they applied; of `unverifiable` ones only transport and output can be judged. */
  readonly class: 'acking' | 'unverifiable';
  readonly link: Link;
  /** How far the node that holds it can be asked. */
  readonly owner: 'local' | 'answering' | 'silent' | 'dead';
  readonly seatedAt: Attentive;
  /** Acknowledged offset advanced (E1). */
  readonly ackAt: Attentive;
  /** A probe was answered with nothing before it unacknowledged (E2). */
  readonly answerAt: Attentive;
  /** `send`, `subscribe`, `cancel` (E3), and the hello. */
  readonly inboundAt: Attentive;
  /** Last E3, newly acknowledged event or end of a run: quiet time counts from here. */
  readonly activityAt: Attentive;
  /** The pong of our nonce (E4): of the transport only. */
  readonly pongAt: Attentive;
  /** When the last ping was sent. */
  readonly pingedAt: Attentive;
  /** When the oldest unanswered ping had left our process. */
  readonly pingFlushedAt: Attentive | null;
  /** Since when output does not drain (E6). */
  readonly outputStuckSince: Attentive | null;
  /** When any frame was last sent: the client's dead-man timer listens. */
  readonly sentAt: Attentive;
  readonly owed: Owed | null;
  readonly probe: Probe | null;
  /** A run is in progress in a thread it follows (E7): value, not life. */
  readonly run: boolean;
  readonly srttMs: number;
  /** 0 until the first sample. */
  readonly rttvarMs: number;
  readonly ackBytesPerS: number;
  /** Only orders victims. */
  readonly visibility: Visibility | 'unknown';
}

/** The round trip assumed before the first sample (RFC 6298 §2.1). */
export const FIRST_RTT_MS = 1_000;

/** Evidence of a manager that was seated now. The hello is evidence, so every instant starts here. */
export function newEvidence(
  who: {
    readonly managerId: ManagerId;
    readonly userId: UserId;
    readonly class: Evidence['class'];
    readonly visibility: Evidence['visibility'];
    readonly link?: Link;
  },
  now: Attentive,
): Evidence {
  return {
    managerId: who.managerId,
    userId: who.userId,
    class: who.class,
    link: who.link ?? { is: 'open' },
    owner: 'local',
    seatedAt: now,
    ackAt: now,
    answerAt: now,
    inboundAt: now,
    activityAt: now,
    pongAt: now,
    pingedAt: now,
    pingFlushedAt: null,
    outputStuckSince: null,
    sentAt: now,
    owed: null,
    probe: null,
    run: false,
    srttMs: FIRST_RTT_MS,
    rttvarMs: 0,
    ackBytesPerS: 0,
    visibility: who.visibility,
  };
}

/** When the application last gave a sign of life (E1, E2, E3). */
export const applicationAt = (e: Evidence): Attentive => Math.max(e.ackAt, e.answerAt, e.inboundAt) as Attentive;

/** Milliseconds since anybody made use of this manager. Answering a probe is life but does not end quiet. */
export const quietMs = (e: Evidence, now: Attentive): number => (e.run ? 0 : Math.max(0, now - e.activityAt));

/** Since when something is owed without ack progress; null when nothing is. */
export const owedSince = (e: Evidence): Attentive | null => (e.owed === null ? null : (Math.max(e.owed.since, e.ackAt) as Attentive));

/** Whether it has reached its end: its seat is given back at once. Only an acking manager can re-attach after a lost transport. */
export const isOver = (e: Evidence): boolean => e.link.is === 'ended' || (e.link.is === 'lost' && e.class === 'unverifiable');

/** Whether the silence of `probe` counts for nothing, because we failed or stalled while it was out. */
export const isVoid = (probe: Probe, stallGapMs: number): boolean =>
  probe.failed || probe.standing === 'voided' || (probe.standing === 'first' && probe.gapMs > stallGapMs);

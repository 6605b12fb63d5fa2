/** Whom to ask, and when: pings for transports, probes for applications. */

import type { ManagerId } from '../protocol/ids.ts';
import type { Attentive } from './clocks.ts';
import { applicationAt, type Evidence, isVoid, owedSince } from './evidence.ts';
import type { Options } from './options.ts';
import { patienceMs } from './patience.ts';
import type { SelfHealth } from './self-health.ts';

export type TransportVerdict =
  | { readonly is: 'alive' }
  | { readonly is: 'ping-due' }
  /** To be terminated: the manager is lost, for `reason`. */
  | { readonly is: 'dead'; readonly reason: 'half-open' | 'write-stalled' }
  /** We cannot tell now: we are the sick one, or there is no transport to judge. */
  | { readonly is: 'void' };

/** Whether the socket still reaches a peer. Dead is one that gave neither a pong of our nonce nor application evidence for
 *  `health.transportDeadMs` although it was asked, or although output was stuck meanwhile. */
export function judgeTransport(e: Evidence, self: SelfHealth, o: Options, now: Attentive): TransportVerdict {
  if (e.link.is !== 'open') return { is: 'void' };
  const signAt = Math.max(e.pongAt, applicationAt(e));
  if (now - signAt >= o.health.transportDeadMs) {
    const isStuck = e.outputStuckSince !== null;
    // A ping that only just left has had no chance of an answer.
    const isAsked = e.pingFlushedAt !== null && now - e.pingFlushedAt >= Math.min(patienceMs(e, self.score, o), o.health.confirmMaxMs);
    if (isStuck || isAsked) {
      if (self.score >= o.health.sickScore) return { is: 'void' };
      return { is: 'dead', reason: isStuck ? 'write-stalled' : 'half-open' };
    }
  }
  return now - e.pingedAt >= o.health.pingEveryMs ? { is: 'ping-due' } : { is: 'alive' };
}

/** Least time between two probes, and between evidence and a probe: 500 ms, and less with shorter liveness times. Were it fixed, a page
 *  that acknowledged just before more came would be asked only after `health.ackStalledMs` has made it a suspect. */
const probeSpacingMs = (o: Options): number => o.health.ackQuietMs / 2;
/** An unanswered question of a user under watch is repeated this often, 2 s; a voided one is asked again after this time. */
const askAgainMs = (o: Options): number => o.health.confirmMaxMs;
/** The heartbeat varies by this share, so that a fleet does not answer in step. */
const HEARTBEAT_SPREAD = 0.2;

export type ProbeMode = 'calm' | 'watch' | 'emergency';
export type NextProbe = { readonly do: 'wait'; readonly until: Attentive } | { readonly do: 'probe' };

/** Whether to ask this manager's application now. `calm`: at the heartbeat, and when acknowledgements stop. `watch` (the user nears
 *  the limit): also when evidence is older than `health.freshMs`. `emergency` (a seat is needed now): the same, and whoever already
 *  owes an answer is not asked twice: its silence stands. */
export function nextProbe(e: Evidence, mode: ProbeMode, o: Options, now: Attentive): NextProbe {
  if (e.link.is !== 'open' || e.class === 'unverifiable') return { do: 'wait', until: (now + o.health.heartbeatMs) as Attentive };
  const earliest = Math.max(e.probe?.askedAt ?? Number.NEGATIVE_INFINITY, applicationAt(e)) + probeSpacingMs(o);
  const at = Math.max(earliest, dueAt(e, mode, o));
  return at <= now ? { do: 'probe' } : { do: 'wait', until: at as Attentive };
}

function dueAt(e: Evidence, mode: ProbeMode, o: Options): number {
  const evidenceAt = applicationAt(e);
  const staleAt = evidenceAt + o.health.freshMs;
  const probe = e.probe;
  if (probe !== null) {
    if (probe.failed) return probe.askedAt + probeSpacingMs(o);
    if (isVoid(probe, o.health.stallGapMs)) return probe.askedAt + (mode === 'emergency' ? probeSpacingMs(o) : askAgainMs(o));
    return probe.askedAt + (mode === 'calm' ? heartbeat(e.managerId, probe.askedAt, o) : askAgainMs(o));
  }
  const beatAt = Math.min(evidenceAt + heartbeat(e.managerId, evidenceAt, o), e.sentAt + heartbeat(e.managerId, e.sentAt, o));
  const owed = owedSince(e);
  const quietAt = owed === null ? beatAt : Math.min(beatAt, owed + o.health.ackQuietMs);
  return mode === 'calm' ? quietAt : Math.min(quietAt, staleAt);
}

/** The heartbeat of a manager, spread by ±20 % by its id and the beat it follows, without a source of randomness. */
function heartbeat(id: ManagerId, from: Attentive, o: Options): number {
  let hash = Math.trunc(from) | 0;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  const share = ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
  return o.health.heartbeatMs * (1 - HEARTBEAT_SPREAD + 2 * HEARTBEAT_SPREAD * share);
}

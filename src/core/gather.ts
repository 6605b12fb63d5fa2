/** How observations change the evidence. Each function is one observation; all answer a new record. */

import type { Attentive } from './clocks.ts';
import { applicationAt, type Evidence, type Link, type Owed } from './evidence.ts';

/** Gains of RFC 6298 §2.3. */
const RTT_GAIN = 1 / 8;
const RTTVAR_GAIN = 1 / 4;
/** Our clock's granularity, below which no deviation can be seen. */
const GRANULARITY_MS = 1;
/** Memory of the ack rate. */
const RATE_MEMORY_MS = 1_000;

function withRtt(e: Evidence, rttMs: number | null): Pick<Evidence, 'srttMs' | 'rttvarMs'> {
  if (rttMs === null) return e;
  const sample = Math.max(0, rttMs);
  if (e.rttvarMs === 0) return { srttMs: sample, rttvarMs: Math.max(GRANULARITY_MS, sample / 2) };
  return {
    srttMs: (1 - RTT_GAIN) * e.srttMs + RTT_GAIN * sample,
    rttvarMs: Math.max(GRANULARITY_MS, (1 - RTTVAR_GAIN) * e.rttvarMs + RTTVAR_GAIN * Math.abs(e.srttMs - sample)),
  };
}

/** Frames were handed to the transport. `owed` is what of them is to be acknowledged, null for frames that are not. */
export function onSent(e: Evidence, owed: Omit<Owed, 'since'> | null, now: Attentive): Evidence {
  if (owed === null || owed.events === 0) return { ...e, sentAt: now };
  const before = e.owed;
  if (before === null) return { ...e, sentAt: now, owed: { since: now, ...owed } };
  const sum = { since: before.since, events: before.events + owed.events, bytes: before.bytes + owed.bytes, critical: before.critical || owed.critical };
  return { ...e, sentAt: now, owed: sum };
}

/** The acknowledged offset advanced (E1) by `acked`; `left` is what is owed still. */
export function onAck(e: Evidence, acked: { readonly bytes: number }, left: Omit<Owed, 'since'> | null, now: Attentive): Evidence {
  // Bytes a second over the time in which something was owed, forgetting exponentially. Time in which nothing was owed says
  // nothing about how fast the client is.
  const since = e.owed === null ? now : Math.max(e.owed.since, e.ackAt);
  const busyMs = Math.max(GRANULARITY_MS, now - since);
  const kept = Math.exp(-busyMs / RATE_MEMORY_MS);
  const ackBytesPerS = e.ackBytesPerS * kept + (1 - kept) * ((acked.bytes / busyMs) * 1_000);
  const owed = left === null || left.events === 0 ? null : { since: e.owed?.since ?? now, ...left };
  return { ...e, ackAt: now, activityAt: now, ackBytesPerS, owed };
}

/** Part of what was sent will never be acknowledged: its subscription ended, or a gap made it void. `left` is owed still. */
export const onExcused = (e: Evidence, left: Omit<Owed, 'since'> | null): Evidence =>
  e.owed === null ? e : { ...e, owed: left === null ? null : { since: e.owed.since, ...left } };

/** A probe is being sent. If an older question that counts is unanswered, it stays the oldest one. */
export function onProbe(e: Evidence, bytesAhead: number, now: Attentive, stallGapMs: number): Evidence {
  const old = e.probe;
  const fresh = { askedAt: now, flushedAt: null, failed: false, bytesAhead, gapMs: 0 };
  // A sign of life since answers for it: silence counts from the question that came after. Else a page that acknowledged late and
  // stuck right then would never be proved dead.
  const isOutdated = old?.flushedAt != null && old.flushedAt < applicationAt(e);
  if (old === null || isOutdated) return { ...e, probe: { ...fresh, standing: 'first' } };
  if (old.failed) return { ...e, probe: { ...fresh, standing: old.standing } };
  const isVoided = old.standing === 'voided' || (old.standing === 'first' && old.gapMs > stallGapMs);
  return { ...e, probe: isVoided ? { ...fresh, standing: 'second' } : { ...old, askedAt: now } };
}

/** The probe has left our process. One that could not be written never does, whatever else drains. */
export function onProbeFlushed(e: Evidence, now: Attentive): Evidence {
  return e.probe === null || e.probe.failed || e.probe.flushedAt !== null ? e : { ...e, probe: { ...e.probe, flushedAt: now } };
}

/** We could not write the probe. An older one that was flushed still counts. */
export function onProbeFailed(e: Evidence): Evidence {
  return e.probe === null || e.probe.flushedAt !== null ? e : { ...e, probe: { ...e.probe, failed: true } };
}

/** The silence of this probe counts for nothing (a correlated failure): it is asked again, once. */
export function onProbeVoided(e: Evidence): Evidence {
  return e.probe === null || e.probe.standing !== 'first' ? e : { ...e, probe: { ...e.probe, standing: 'voided' } };
}

/** A `probe-ok` came, however late. `counts`: no event sent before that probe is unacknowledged (E2); else something below the
 *  page answers, and the question stays open. */
export function onProbeOk(e: Evidence, answer: { readonly counts: boolean; readonly rttMs: number | null }, now: Attentive): Evidence {
  return answer.counts ? { ...e, ...withRtt(e, answer.rttMs), answerAt: now, probe: null } : e;
}

/** `send`, `subscribe`, `cancel`, or any request of a bare wire (E3). */
export const onInbound = (e: Evidence, now: Attentive): Evidence => ({ ...e, inboundAt: now, activityAt: now });

/** A ping with a nonce of ours is being sent. */
export const onPing = (e: Evidence, now: Attentive): Evidence => ({ ...e, pingedAt: now });

/** The ping has left our process. */
export const onPingFlushed = (e: Evidence, now: Attentive): Evidence => (e.pingFlushedAt === null ? { ...e, pingFlushedAt: now } : e);

/** The pong of our nonce (E4). */
export const onPong = (e: Evidence, rttMs: number | null, now: Attentive): Evidence => ({ ...e, ...withRtt(e, rttMs), pongAt: now, pingFlushedAt: null });

/** Output drains (`stuck` false: the kernel took something) or does not (E6). */
export function onOutput(e: Evidence, stuck: boolean, now: Attentive): Evidence {
  if (!stuck) return e.outputStuckSince === null ? e : { ...e, outputStuckSince: null };
  return e.outputStuckSince === null ? { ...e, outputStuckSince: now } : e;
}

/** Our own ticker came `gapMs` late: a probe that is out may be voided by it. */
export function onGap(e: Evidence, gapMs: number): Evidence {
  return e.probe === null || gapMs <= e.probe.gapMs ? e : { ...e, probe: { ...e.probe, gapMs } };
}

/** A run began or ended in a thread it follows. The end of a run starts quiet time anew. */
export const onRun = (e: Evidence, run: boolean, now: Attentive): Evidence => (e.run === run ? e : { ...e, run, activityAt: now });

export const onVisibility = (e: Evidence, visibility: Evidence['visibility']): Evidence => ({ ...e, visibility });

/** The transport is gone, or the client said it leaves (E8), or records disagree (E9). What was unanswered or unacknowledged on it accuses nobody. */
export const onLink = (e: Evidence, link: Link): Evidence => ({ ...e, link, probe: null, owed: null, pingFlushedAt: null, outputStuckSince: null });

/** A new transport took the place of the old one. Its hello is evidence; it does not end quiet. */
export const onAttached = (e: Evidence, to: { readonly class: Evidence['class']; readonly visibility: Evidence['visibility'] }, now: Attentive): Evidence => ({
  ...onLink(e, { is: 'open' }),
  class: to.class,
  visibility: to.visibility,
  inboundAt: now,
  pongAt: now,
  pingedAt: now,
  sentAt: now,
});

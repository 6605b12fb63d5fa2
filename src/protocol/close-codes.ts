/** Close codes. A client acts on the range alone, so that an old client does right by a code it has never heard of. */

import type { ReasonCode } from './reasons.ts';

/** When the client comes back: at once with its position, after the named time, when the person asks, not at all. */
export type Return = 'now' | 'after' | 'user' | 'never';

export interface CloseCode {
  readonly code: number;
  readonly name: string;
  /** What a person reads; `{t}`, `{label}` and `{reason}` are filled in. Empty: nothing is shown. */
  readonly text: string;
}

const code = (code: number, name: string, text: string): CloseCode => ({ code, name, text });

export const CLOSE = {
  reconnect: code(4000, 'reconnect', ''),
  draining: code(4001, 'draining', 'Moving you to another server.'),
  unresponsive: code(4002, 'unresponsive', 'This page had stopped answering; it is catching up.'),
  slowConsumer: code(4003, 'slow-consumer', 'The connection was too slow; catching up.'),
  maxAge: code(4004, 'max-age', ''),
  resync: code(4005, 'resync', 'Reloading the conversation.'),
  internalError: code(4009, 'internal-error', 'Something failed on our side; reconnecting.'),
  credentialExpired: code(4010, 'credential-expired', ''),
  helloTimeout: code(4011, 'hello-timeout', ''),
  queueFull: code(4100, 'queue-full', 'Many of your tabs are waiting. Trying again in {t}.'),
  noSeatYet: code(4101, 'no-seat-yet', 'Another of your tabs is using the room; back in {t}.'),
  nodeOverloaded: code(4102, 'node-overloaded', 'The server is busy; trying again in {t}.'),
  rateLimited: code(4103, 'rate-limited', 'Too many messages at once; continuing in {t}.'),
  evictedIdle: code(4200, 'evicted-idle', 'Paused while unused. Nothing is lost.'),
  evictedForNewer: code(4201, 'evicted-for-newer', 'Paused because you went on in {label}. Nothing is lost.'),
  burstOver: code(4202, 'burst-over', 'The extra space was given back. Nothing is lost.'),
  freedByUser: code(4203, 'freed-by-user', 'You closed this one from {label}.'),
  freedByAdmin: code(4204, 'freed-by-admin', 'Ended by an administrator: {reason}.'),
  takenOver: code(4205, 'taken-over', 'This chat goes on in another window.'),
  protocolError: code(4500, 'protocol-error', 'This page needs an update; please reload.'),
  unauthorized: code(4501, 'unauthorized', 'Please sign in again.'),
  forbidden: code(4502, 'forbidden', 'Your access was withdrawn.'),
  unsupportedVersion: code(4503, 'unsupported-version', 'This page is out of date; please reload.'),
  ackAhead: code(4504, 'ack-ahead', 'This page needs an update; please reload.'),
  messageTooBig: code(4505, 'message-too-big', 'The message is too long.'),
  loggedOut: code(4506, 'logged-out', 'You signed out.'),
} as const;

export type CloseName = keyof typeof CLOSE;

/** The reaction that a close code asks of a client. Codes of the WebSocket standard are mapped; what is unknown means `now`. */
export function returnOf(code: number): Return {
  const range = Math.floor(code / 100);
  if (range === 41 || code === 1013) return 'after';
  if (range === 42) return 'user';
  return range === 45 || [1002, 1003, 1007, 1008, 1009].includes(code) ? 'never' : 'now';
}

/** What 1013 (try again later) names as its time, since the standard code carries none. */
export const TRY_AGAIN_LATER_MS = 5_000;

/** The close code that tells a client of `reason`. Total: reasons that end without a transport map to 4000. */
export function closeFor(reason: ReasonCode): CloseCode {
  switch (reason) {
    case 'ack-timeout':
    case 'probe-timeout':
    case 'unresponsive':
      return CLOSE.unresponsive;
    case 'write-stalled':
      return CLOSE.slowConsumer;
    case 'drain':
      return CLOSE.draining;
    case 'max-age':
      return CLOSE.maxAge;
    case 'auth-expired':
      return CLOSE.credentialExpired;
    case 'idle-over-limit':
      return CLOSE.evictedIdle;
    case 'lowest-value':
      return CLOSE.evictedForNewer;
    case 'burst-repaid':
      return CLOSE.burstOver;
    case 'user-freed':
      return CLOSE.freedByUser;
    case 'admin-evicted':
      return CLOSE.freedByAdmin;
    case 'superseded':
      return CLOSE.takenOver;
    case 'queue-full':
      return CLOSE.queueFull;
    case 'no-seat-yet':
      return CLOSE.noSeatYet;
    case 'node-overloaded':
      return CLOSE.nodeOverloaded;
    case 'client-closed':
    case 'parked':
    case 'transport-lost':
    case 'half-open':
    case 'ghost':
    case 'node-dead':
      return CLOSE.reconnect;
  }
}

/** The reason string of the close frame: `<name>;r=<return>;t=<ms>` and, if it fits into 123 bytes, `;c=<reason code>`. */
export function closeReason(c: CloseCode, retryAfterMs = 0, reason?: ReasonCode): string {
  const head = `${c.name};r=${returnOf(c.code)};t=${Math.round(retryAfterMs)}`;
  const tail = reason === undefined ? '' : `;c=${reason}`;
  return head.length + tail.length <= 123 ? head + tail : head;
}

/** Reads the reason code back from a close reason of ours, or the name of its close code where it carries none; empty for any other text. */
export function closeReasonIn(reason: string): string {
  const match = /^([a-z-]{1,40});r=[a-z]{1,8};t=[0-9]{1,9}(?:;c=([a-z-]{1,40}))?$/.exec(reason);
  return match?.[2] ?? match?.[1] ?? '';
}

/** Reads `t` back from a close reason. Returns null where none is named. */
export function retryAfterOf(reason: string): number | null {
  const match = /;t=([0-9]{1,9})(;|$)/.exec(reason);
  return match ? Number(match[1]) : null;
}

/** What the end of a transport means. The gateway names codes and speaks to people; the client knows ranges, so that it does right by
 *  codes that are younger than itself. */

import { type Return, retryAfterOf, returnOf, TRY_AGAIN_LATER_MS } from '../protocol/close-codes.ts';
import type { ServerBye } from '../protocol/frames.ts';
import type { DisconnectInfo } from './types.ts';

/** How a transport ended. `bye` adds detail; its absence changes nothing. */
export interface TransportEnd {
  readonly code: number;
  readonly reason: string;
  readonly bye?: ServerBye;
  /** The page woke up and found its transport dead: come back without waiting. */
  readonly woke?: boolean;
}

/** The credential has expired: the one code with a meaning of its own beyond its range. */
export const CREDENTIAL_EXPIRED = 4010;

/** Said when the gateway could not say it better. */
const TEXTS: Readonly<Record<Return, string>> = {
  now: '',
  after: 'The server is busy; trying again soon.',
  user: 'Paused. Nothing is lost.',
  never: 'Please sign in again, or reload the page.',
};

/** Explains an end by the range of its code alone; an unknown code outside every range means: come back with a delay. */
export function explainEnd({ code, reason: closeReason, bye }: TransportEnd): DisconnectInfo {
  const comesBack = returnOf(code);
  const [name] = closeReason.split(';');
  const reason = bye?.reason ?? /;c=([^;]+)/.exec(closeReason)?.[1];
  // As JSON does, readers leave out what is undefined.
  return {
    code,
    name: bye?.name ?? (code >= 4000 && name ? name : 'lost'),
    return: comesBack,
    retryAfterMs: comesBack === 'after' ? (bye?.retryAfterMs ?? retryAfterOf(closeReason) ?? TRY_AGAIN_LATER_MS) : undefined,
    reason,
    text: bye?.text ?? TEXTS[comesBack],
    by: bye?.explain?.by?.label,
    docs: 'PROTOCOL.md#close-codes',
  } as DisconnectInfo;
}

/** Said when the credential has expired and the page cannot get another one. */
export const SIGN_IN_AGAIN: DisconnectInfo = {
  code: CREDENTIAL_EXPIRED,
  name: 'credential-expired',
  return: 'never',
  text: 'Please sign in again.',
  docs: 'PROTOCOL.md#close-codes',
};

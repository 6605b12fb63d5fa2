/** What the end of a transport means. */

import { CLOSE, retryAfterOf, returnOf, TRY_AGAIN_LATER_MS } from '../protocol/close-codes.ts';
import type { ServerBye } from '../protocol/frames.ts';
import { closeText } from '../protocol/texts.ts';
import type { DisconnectInfo } from './types.ts';

/** How a transport ended. `bye` adds detail; its absence changes nothing. */
export interface TransportEnd {
  readonly code: number;
  readonly reason: string;
  readonly bye?: ServerBye;
  /** The page woke up and found its transport dead: come back without waiting. */
  readonly woke?: boolean;
}

const KNOWN = new Map(Object.values(CLOSE).map((close) => [close.code, close]));

/** Explains an end by the range of its code alone; an unknown code outside every range means: come back with a delay. */
export function explainEnd(end: TransportEnd): DisconnectInfo {
  const { code, bye } = end;
  const known = KNOWN.get(code as never);
  const comesBack = returnOf(code);
  const retryAfterMs = comesBack === 'after' ? (bye?.retryAfterMs ?? retryAfterOf(end.reason) ?? TRY_AGAIN_LATER_MS) : undefined;
  const by = bye?.explain?.by?.label;
  const reason = bye?.reason ?? /;c=([a-z-]+)/.exec(end.reason)?.[1];
  return {
    code,
    name: bye?.name ?? known?.name ?? (/^[a-z-]+(?=;r=)/.exec(end.reason)?.[0] || 'lost'),
    return: comesBack,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(reason === undefined ? {} : { reason }),
    text: bye?.text ?? (known ? closeText(known, { retryAfterMs, label: by }) : ''),
    ...(by === undefined ? {} : { by }),
    docs: 'PROTOCOL.md#close-codes',
  };
}

/** Said when the credential has expired and the page cannot get another one. */
export const SIGN_IN_AGAIN: DisconnectInfo = {
  ...explainEnd({ code: CLOSE.credentialExpired.code, reason: '' }),
  return: 'never',
  text: CLOSE.unauthorized.text,
};

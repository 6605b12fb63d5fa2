/** What a person reads about the connection. Pure. */

import type { ClientState } from '../client/index.ts';
import { durationText } from '../protocol/texts.ts';

/** What a button beside the text does. */
export type StatusAction = 'try-now' | 'resume-here' | 'reload' | 'sign-in' | 'free';

export interface StatusText {
  readonly text: string;
  readonly action: StatusAction | null;
}

/** A loss shorter than this is nobody's concern. */
export const SHOW_RECONNECTING_AFTER_MS = 3_000;

const PAGE_IS_OLD = new Set([4500, 4503, 4504]);
const SIGN_IN = new Set([4010, 4501, 4506]);

/** What may be promised of an answer while the connection is lost. `isOffline`: this device knows that it has no network itself. */
export function reconnectingText(state: ClientState, isOffline: boolean): string {
  // A gateway that says goodbye lives on, and so does one behind our own dead network. One that vanished may have taken the answer along.
  const livesOn = isOffline || ('info' in state && state.info !== undefined && state.info.code >= 4000);
  return livesOn ? 'Reconnecting… your answer continues.' : 'Reconnecting… what you see is kept.';
}

/** The sentence for a state, or null where none is needed. `leftMs` is what is left of the waiting time that the state named;
 *  `downMs` how long the connection has been lost. */
export function statusText(state: ClientState, leftMs: number, downMs: number, isOffline = false): StatusText | null {
  switch (state.name) {
    case 'queued':
      return {
        text: `Finding room for you: number ${state.position}, about ${durationText(leftMs)}. Your message is kept and goes out by itself.`,
        action: 'free',
      };
    case 'reconnecting':
    case 'offline':
      if (state.info?.return === 'after' && state.retryInMs > 0) return { text: state.info.text, action: 'try-now' };
      if (downMs < SHOW_RECONNECTING_AFTER_MS) return null;
      if (state.name === 'reconnecting') return { text: reconnectingText(state, isOffline), action: null };
      return { text: `Offline since ${clock(state.since)}. We go on trying.`, action: 'try-now' };
    case 'superseded':
      return { text: state.info.text, action: 'resume-here' };
    case 'failed':
      if (SIGN_IN.has(state.info.code)) return { text: 'Please sign in again; your draft is saved.', action: 'sign-in' };
      if (PAGE_IS_OLD.has(state.info.code)) return { text: state.info.text || 'This page is out of date.', action: 'reload' };
      return { text: state.info.text || 'This page cannot connect.', action: 'reload' };
    case 'idle':
    case 'connecting':
    case 'live':
    case 'parked':
    case 'closed':
      return null;
  }
}

const clock = (at: number): string => new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

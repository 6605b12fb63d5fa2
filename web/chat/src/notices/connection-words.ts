/** What the state of the connection means to a person: a word for the header, a sentence above the message box. */

import type { ClientState, DisconnectInfo, Notice } from 'spillway/client';
import { timeOfDay } from '../ui/clock.ts';

export type ActionName = 'resume-here' | 'try-now' | 'sign-in' | 'reload' | 'choose' | 'close-another' | 'details';

/** A sentence with at most one span of time that runs down. */
export interface Sentence {
  readonly id: string;
  readonly level: 'info' | 'warning';
  /** The figure in the text that stands for the time left is drawn anew until `until`. */
  readonly text: string;
  readonly until: number | null;
  /** A wait that ends at the latest at `to`, as a bar that fills up. */
  readonly progress: { readonly from: number; readonly to: number } | null;
  readonly actions: readonly ActionName[];
  readonly canDismiss: boolean;
}

export interface Words {
  readonly word: string;
  readonly tone: 'good' | 'waiting' | 'paused' | 'bad';
}

/** The word in the header. `isMoving`: the server is about to hand its sessions over. */
export function connectionWord(state: ClientState, isMoving: boolean): Words {
  switch (state.name) {
    case 'idle':
    case 'connecting':
      return { word: 'connecting', tone: 'waiting' };
    case 'queued':
      return { word: 'finding room', tone: 'waiting' };
    case 'live':
      return isMoving ? { word: 'moving', tone: 'waiting' } : { word: 'connected', tone: 'good' };
    case 'reconnecting':
      if (isMoving || state.info?.code === 4001) return { word: 'moving', tone: 'waiting' };
      return state.info?.return === 'after' ? { word: 'waiting', tone: 'waiting' } : { word: 'reconnecting', tone: 'waiting' };
    case 'offline':
      return { word: 'offline', tone: 'bad' };
    case 'parked':
    case 'superseded':
      return { word: 'paused', tone: 'paused' };
    case 'failed':
      return { word: 'stopped', tone: 'bad' };
    case 'closed':
      return { word: 'closed', tone: 'paused' };
  }
}

export interface Situation {
  readonly state: ClientState;
  /** When `state` began, ms since the Unix epoch. */
  readonly stateSince: number;
  /** When a state of this name began: one wait in the queue is told of many times. */
  readonly nameSince: number;
  /** This device knows that it has no network. */
  readonly isOffline: boolean;
  /** The open conversation is being answered, as far as this page has heard. */
  readonly isAnswering: boolean;
  readonly showReconnecting: boolean;
  readonly needsSignIn: boolean;
  /** The conversation is being loaded anew after a gap. */
  readonly isReloading: boolean;
}

const sentence = (id: string, text: string, o: Partial<Sentence> = {}): Sentence => ({
  id,
  text,
  level: 'info',
  until: null,
  progress: null,
  actions: [],
  canDismiss: false,
  ...o,
});

/** What is said about the connection now, or null where nothing needs to be said. */
export function connectionSentence(situation: Situation): Sentence | null {
  const { state, stateSince, nameSince, showReconnecting, needsSignIn, isReloading } = situation;
  if (needsSignIn) return sentence('connection', 'Please sign in again; your draft is saved.', { level: 'warning' });
  switch (state.name) {
    case 'queued':
      return sentence(
        'connection',
        `Finding room for you: number ${state.position}, about ${seconds(state.etaMs)}. Your message is kept and goes out by itself.`,
        { until: stateSince + state.etaMs, progress: { from: nameSince, to: stateSince + state.deadlineMs }, actions: ['close-another'] },
      );
    case 'superseded':
      return sentence('connection', state.info.text || 'Paused. Nothing is lost.', { level: 'warning', actions: ['resume-here'] });
    case 'failed':
      return failedSentence(state.info);
    case 'reconnecting':
    case 'offline': {
      const { info } = state;
      const until = state.retryInMs > 0 ? stateSince + state.retryInMs : null;
      if (info?.return === 'after' && info.text !== '') {
        // Never a wait without a number.
        const text = splitSpan(info.text) === null && until !== null ? `${info.text} Next try in ${seconds(state.retryInMs)}.` : info.text;
        return sentence('connection', text, { until, actions: ['try-now'] });
      }
      if (state.name === 'offline') {
        return sentence('connection', `Offline since ${timeOfDay(state.since)}. We go on trying.`, { level: 'warning', actions: ['try-now'] });
      }
      if (!showReconnecting) return null;
      const own = info !== undefined && info.code !== 4001 && info.text !== '' ? info.text : null;
      return sentence('connection', own ?? reconnecting(info, situation));
    }
    case 'parked':
      return sentence('connection', 'Paused while this tab was hidden. Nothing is lost.', { actions: ['resume-here'] });
    case 'closed':
      return sentence('connection', 'This tab is closed.', { actions: ['reload'] });
    case 'idle':
    case 'connecting':
    case 'live':
      return isReloading ? sentence('reload', 'Reloading the conversation.') : null;
  }
}

/** A server that says goodbye lives on, and so does one behind our own dead network. One that vanished may have taken the answer along. */
function reconnecting(info: DisconnectInfo | undefined, { isOffline, isAnswering }: Situation): string {
  const livesOn = isOffline || (info !== undefined && info.code >= 4000);
  return isAnswering && livesOn ? 'Reconnecting… your answer continues.' : 'Reconnecting… what you see is kept.';
}

const SIGN_IN_AGAIN: ReadonlySet<number> = new Set([4010, 4501, 4506]);
const RELOAD: ReadonlySet<number> = new Set([4500, 4503, 4504]);

function failedSentence(info: DisconnectInfo): Sentence {
  if (info.code === 4503) return sentence('connection', 'This page is out of date.', { level: 'warning', actions: ['reload'] });
  const action: ActionName = SIGN_IN_AGAIN.has(info.code) ? 'sign-in' : RELOAD.has(info.code) ? 'reload' : 'try-now';
  const text = SIGN_IN_AGAIN.has(info.code) && info.text === '' ? 'Please sign in again; your draft is saved.' : info.text || 'The connection was ended.';
  return sentence('connection', text, { level: 'warning', actions: [action] });
}

const NOTICE_ACTIONS: Readonly<Partial<Record<string, ActionName>>> = {
  burst: 'choose',
  queue: 'close-another',
  'cleaned-up': 'details',
  'limit-near': 'choose',
};

/** Said to sessions that are connected; for others it is old, or the state says it better. */
const WHILE_LIVE: ReadonlySet<string> = new Set(['burst', 'queue', 'limit-near', 'evicting']);

/** What the gateway's notices say, as far as the state of the connection does not say it already. */
export function noticeSentences(notices: readonly Notice[], state: ClientState): Sentence[] {
  return notices
    .filter((notice) => notice.kind !== 'draining' && (state.name === 'live' || !WHILE_LIVE.has(notice.kind)))
    .map((notice) => ({
      id: notice.id,
      level: notice.level,
      // A button says the last part.
      text: notice.text.replace(/ You can choose what to close\.$/, ''),
      until: notice.until ?? null,
      progress: null,
      actions: actionsOf(notice),
      canDismiss: notice.kind === 'cleaned-up' || notice.kind === 'limit-near' || notice.kind === 'queue',
    }));
}

/** A kind that this page does not know is still shown, with those of its actions that it does know. */
function actionsOf(notice: Notice): ActionName[] {
  const known = NOTICE_ACTIONS[notice.kind];
  return notice.actions.flatMap((action): ActionName[] => {
    switch (action) {
      case 'free':
        return [known ?? 'choose'];
      case 'retry':
        return ['try-now'];
      case 'resume-here':
      case 'sign-in':
      case 'reload':
        return [action];
      default:
        return [];
    }
  });
}

const seconds = (ms: number): string => `${Math.max(1, Math.ceil(ms / 1_000))} s`;

/** What stands for a span of time in a sentence of ours. */
const SPAN = /\b\d+ (?:s|min|h)\b/;

/** The text around the span of time that runs down, or null if it names none. */
export function splitSpan(text: string): { before: string; span: string; after: string } | null {
  const found = SPAN.exec(text);
  if (found === null) return null;
  return { before: text.slice(0, found.index), span: found[0], after: text.slice(found.index + found[0].length) };
}

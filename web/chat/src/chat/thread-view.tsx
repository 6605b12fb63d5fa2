/** One conversation: what was said, what is being answered, what the connection does, and the message box. */

import { type ReactNode, useCallback, useEffect, useRef } from 'react';
import type { ClientState, ThreadMessage } from 'spillway/client';
import { useThread } from 'spillway/react';
import type { User } from '../auth/account.ts';
import { DownIcon } from '../ui/icons.tsx';
import { fillThread, isEmptyThread } from '../ui/route.ts';
import { useShortcuts } from '../ui/shortcuts.ts';
import { Announcer } from './announcer.tsx';
import { Composer, isTouch } from './composer.tsx';
import { useDraft } from './drafts.ts';
import { useEarlier } from './earlier.ts';
import { Message, textOf } from './messages.tsx';
import { useFollowEnd } from './scroll.ts';
import { Welcome } from './welcome.tsx';

export interface ThreadViewProps {
  readonly id: string;
  readonly user: User;
  readonly agent: { readonly name: string; readonly isDemo: boolean };
  readonly connection: ClientState['name'];
  /** Escape closes something else at the moment. */
  readonly escapeIsTaken: boolean;
  /** What stands between the conversation and the message box. */
  readonly notices: ReactNode;
  /** The conversation changed as a list of conversations shows it. */
  onChanged(): void;
  onTitle(title: string | null): void;
  onAnswering(is: boolean): void;
}

export function ThreadView({ id, user, agent, connection, escapeIsTaken, notices, onChanged, onTitle, onAnswering }: ThreadViewProps) {
  // Events are taken at once; what the hook gives to the screen changes at most every 50 ms.
  const { messages, status, failure, isLoaded, send, stop } = useThread(id, { isNew: isEmptyThread(id) });
  const [draft, setDraft] = useDraft(user.id, id);
  const log = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLTextAreaElement>(null);
  const { isAtEnd, toEnd } = useFollowEnd(log, messages, messages.length === 0);
  const earlier = useEarlier(id, messages[0]?.id, messages.length);
  const isAnswering = status === 'running' || status === 'queued';
  const firstOwn = messages.find((message) => message.role === 'user');
  const isStored = messages.some((message) => message.status === 'complete' || message.role === 'assistant');
  const title = firstOwn === undefined ? null : shorten(textOf(firstOwn));

  useEffect(() => {
    // On a phone this would open the keyboard over the conversation.
    if (!isTouch()) box.current?.focus({ preventScroll: true });
  }, []);
  useEffect(() => onTitle(title), [title, onTitle]);
  useEffect(() => onAnswering(status === 'running'), [status, onAnswering]);
  useEffect(() => {
    // Also when another tab was the first to say something here.
    if (isStored) fillThread(id);
  }, [id, isStored]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new status is what changed
  useEffect(() => {
    if (isLoaded) onChanged();
  }, [status, isLoaded, onChanged]);

  const ask = useCallback(
    (text: string): void => {
      send(text);
      toEnd();
    },
    [send, toEnd],
  );
  const sendDraft = (): void => {
    const text = draft.trim();
    if (text === '') return;
    ask(text);
    setDraft('');
  };
  useShortcuts({
    '/': () => box.current?.focus(),
    ...(isAnswering && !escapeIsTaken ? { Escape: stop } : {}),
  });

  const isEmpty = isLoaded && messages.length === 0;
  return (
    <div className="conversation" data-connection={connection}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div ref={log} className="log" role="log" aria-live="off" aria-label="Conversation" aria-busy={!isLoaded} tabIndex={0}>
        <div className="column">
          {isEmpty && <Welcome name={user.name} examples={agent.isDemo} onAsk={ask} />}
          {!isLoaded && messages.length === 0 && <p className="muted loading">Opening the conversation…</p>}
          {earlier.hasMore && (
            <button type="button" className="quiet earlier" onClick={earlier.load} disabled={earlier.isLoading}>
              {earlier.isLoading ? 'Loading…' : 'Show earlier messages'}
            </button>
          )}
          {[...earlier.messages, ...messages].map((message) => (
            <Message key={message.id} message={message} agent={agent} />
          ))}
          <Unfinished messages={messages} failure={failure} isAnswering={isAnswering} onRetry={ask} onEdit={setDraft} />
        </div>
      </div>
      <Announcer messages={messages} isLoaded={isLoaded} />
      <div className="foot">
        <div className="column">
          {!isAtEnd && messages.length > 0 && (
            <button type="button" className="to-end" onClick={toEnd}>
              <DownIcon />
              Newest
            </button>
          )}
          {notices}
          <Composer
            box={box}
            draft={draft}
            isAnswering={isAnswering}
            note={noteOf(status, connection, agent)}
            onChange={setDraft}
            onSend={sendDraft}
            onStop={stop}
          />
        </div>
      </div>
    </div>
  );
}

interface UnfinishedProps {
  readonly messages: readonly ThreadMessage[];
  readonly failure: { readonly text: string; readonly canRetry: boolean } | null;
  readonly isAnswering: boolean;
  onRetry(text: string): void;
  /** Puts a message that cannot be sent as it is back into the box. */
  onEdit(text: string): void;
}

/** Says that the last answer did not finish and asks the same again on a click. */
function Unfinished({ messages, failure, isAnswering, onRetry, onEdit }: UnfinishedProps) {
  const isFailed = failure !== null || messages.at(-1)?.status === 'failed';
  if (!isFailed || isAnswering) return null;
  const lastOwn = messages.findLast((message) => message.role === 'user');
  const canRetry = (failure?.canRetry ?? true) && lastOwn !== undefined;
  const last = messages.at(-1);
  const refused = last?.role === 'user' && last.status === 'failed' ? last : null;
  // The button says it.
  const text = failure?.text.replace(/ ?Try again\.$/, '') || 'The answer did not finish.';
  return (
    <div className="unfinished" role="alert">
      <p>{text}</p>
      {canRetry && (
        <button type="button" className="primary small" onClick={() => onRetry(textOf(lastOwn))}>
          Try again
        </button>
      )}
      {!canRetry && refused !== null && (
        <button type="button" className="primary small" onClick={() => onEdit(textOf(refused))}>
          Edit it
        </button>
      )}
    </div>
  );
}

function noteOf(status: string, connection: ClientState['name'], agent: { readonly isDemo: boolean }): string {
  // Who waits in line reads it beside the place in line.
  if (status === 'queued') return connection === 'queued' ? '' : 'Your message is kept and goes out by itself.';
  // Without a connection it is stopped only later.
  if (status === 'running') return isTouch() || connection !== 'live' ? '' : 'Esc stops the answer.';
  return agent.isDemo ? 'The built-in demo agent answers here; it is not a language model.' : 'Answers can be wrong. Check what matters.';
}

const MAX_TITLE = 60;

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > MAX_TITLE ? `${line.slice(0, MAX_TITLE - 1).trimEnd()}…` : line;
}

/** "Your sessions": what is open where, and closing it. Over HTTP, so that it works while there is no room for this tab. */

import { useEffect, useRef, useState } from 'react';
import type { Limits, Notice, SessionInfo } from 'spillway/client';
import { useSessions } from 'spillway/react';
import type { Sentence } from '../notices/connection-words.ts';
import { Running, WaitBar } from '../notices/notice-bar.tsx';
import { useNow } from '../ui/clock.ts';
import { CloseIcon } from '../ui/icons.tsx';
import { closedBecause, isUnresponsive, sessionNames, sessionState } from './session-words.ts';

export interface SessionsPanelProps {
  readonly limits: Limits | null;
  /** What this tab does while it has no place of its own; null while it has one. */
  readonly without: { readonly is: 'queued'; readonly sentence: Sentence | null } | { readonly is: 'paused' } | null;
  /** What was cleaned up last, if the person has not put it away. */
  readonly cleanedUp: Notice | null;
  /** What a conversation is called; null for one that has no name yet. */
  titleOf(thread: string): string | null;
  /** The person goes on in this tab. */
  onContinue(): void;
  onClose(): void;
}

const REFRESH_MS = 5_000;

export function SessionsPanel({ limits, without, cleanedUp, titleOf, onContinue, onClose }: SessionsPanelProps) {
  const { sessions, error, free, freeUnresponsive, resumeHere, refresh } = useSessions();
  const heading = useRef<HTMLHeadingElement>(null);
  const [busy, setBusy] = useState<string | null>(null);
  const [said, setSaid] = useState('');
  const now = useNow();
  const names = sessionNames(sessions);
  const unresponsive = sessions.filter(isUnresponsive).length;

  useEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    const timer = setInterval(refresh, REFRESH_MS);
    return () => clearInterval(timer);
  }, [refresh]);

  const act = async (key: string, work: () => Promise<void>, done: string): Promise<void> => {
    setBusy(key);
    try {
      await work();
      setSaid(done);
    } catch {
      setSaid('That did not work. Please try again.');
    } finally {
      setBusy(null);
    }
    // The button that had the focus is gone.
    if (document.activeElement === document.body) heading.current?.focus();
  };

  return (
    <aside className="panel" aria-labelledby="sessions-title">
      <header>
        <h2 id="sessions-title" ref={heading} tabIndex={-1}>
          Your sessions
        </h2>
        <button type="button" className="icon-button" onClick={onClose} aria-label="Close the panel">
          <CloseIcon />
        </button>
      </header>
      <p className="muted">
        {/* Without a place this tab is told no numbers: what it knew is old. */}
        {limits !== null && without === null ? `${limits.used} of ${limits.soft} in use. ` : sessions.length > 0 && `${sessions.length} open. `}
        Every open tab or device is one. Closing one loses nothing: its conversation stays, and answers go on.
      </p>
      {without?.is === 'queued' && without.sentence !== null && (
        <section className="without" aria-label="This tab">
          <p>
            <Running text={without.sentence.text} until={without.sentence.until} />
          </p>
          {without.sentence.progress !== null && <WaitBar {...without.sentence.progress} />}
          <p className="muted small-text">Close one below and this tab goes on at once.</p>
        </section>
      )}
      {without?.is === 'paused' && (
        <section className="without" aria-label="This tab">
          <p>This tab is paused. Nothing is lost.</p>
          <button type="button" className="primary small" onClick={onContinue}>
            Continue here
          </button>
        </section>
      )}
      {cleanedUp !== null && <CleanedUp notice={cleanedUp} />}
      {error !== null && <p className="problem">This list could not be brought up to date. We go on trying.</p>}
      <ul className="sessions" aria-busy={busy !== null}>
        {sessions.map((session) => (
          <Row
            key={session.id}
            session={session}
            name={names.get(session.id) ?? ''}
            now={now}
            title={session.threads.map(titleOf).find((title) => title !== null) ?? null}
            busy={busy === session.id}
            onFree={() => void act(session.id, () => free(session.id), `Closed ${names.get(session.id)}.`)}
            onResume={without === null ? null : () => void act(session.id, () => resumeHere(session.id), `Closed ${names.get(session.id)}; you go on here.`)}
          />
        ))}
      </ul>
      <p className="muted small-text said" role="status">
        {said}
      </p>
      {unresponsive > 0 && (
        <button
          type="button"
          className="primary wide"
          disabled={busy !== null}
          onClick={() => void act('all', freeUnresponsive, 'Closed all that did not respond.')}
        >
          Close all that do not respond ({unresponsive})
        </button>
      )}
    </aside>
  );
}

interface RowProps {
  readonly session: SessionInfo;
  readonly name: string;
  readonly now: number;
  /** The conversation that is open in it. */
  readonly title: string | null;
  readonly busy: boolean;
  onFree(): void;
  /** Null where this tab has a place of its own. */
  readonly onResume: (() => void) | null;
}

function Row({ session, name, now, title, busy, onFree, onResume }: RowProps) {
  const state = sessionState(session, now);
  const tone = isUnresponsive(session) ? 'bad' : session.running ? 'running' : session.connected ? 'good' : 'paused';
  return (
    <li data-tone={tone} data-current={session.current}>
      <span className="dot" data-tone={tone} aria-hidden="true" />
      <div>
        <p className="session-name">
          {name}
          {session.current && <span className="badge">this tab</span>}
        </p>
        <p className="muted small-text">
          {state}
          {session.visibility === 'hidden' && !isUnresponsive(session) ? ' · in the background' : ''}
        </p>
        {title !== null && <p className="muted small-text session-title">{title}</p>}
      </div>
      {!session.current && (
        <div className="session-actions">
          {onResume !== null && (
            <button type="button" className="primary small" disabled={busy} onClick={onResume} aria-label={`Resume here instead of ${name}, ${state}`}>
              Resume here
            </button>
          )}
          <button type="button" className="quiet small" disabled={busy} onClick={onFree} aria-label={`Close this: ${name}, ${state}`}>
            {busy ? 'Closing…' : 'Close this'}
          </button>
        </div>
      )}
    </li>
  );
}

function CleanedUp({ notice }: { notice: Notice }) {
  const reasons = closedBecause(notice);
  return (
    <section className="cleaned-up" aria-label="Closed for you">
      <p>{notice.text}</p>
      {reasons.length > 0 && (
        <ul>
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

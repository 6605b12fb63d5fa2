/** "Your sessions": what is open where, and closing it. Over HTTP, so that it works while there is no room for this tab. */

import { useEffect, useRef, useState } from 'react';
import type { Limits, Notice, SessionInfo } from 'spillway/client';
import { useSessions } from 'spillway/react';
import { useNow } from '../ui/clock.ts';
import { CloseIcon } from '../ui/icons.tsx';
import { closedBecause, isUnresponsive, sessionState } from './session-words.ts';

export interface SessionsPanelProps {
  readonly limits: Limits | null;
  /** What was cleaned up last, if the person has not put it away. */
  readonly cleanedUp: Notice | null;
  /** What a conversation is called; null for one that has no name yet. */
  titleOf(thread: string): string | null;
  onClose(): void;
}

const REFRESH_MS = 5_000;

export function SessionsPanel({ limits, cleanedUp, titleOf, onClose }: SessionsPanelProps) {
  const { sessions, error, free, freeUnresponsive, refresh } = useSessions();
  const heading = useRef<HTMLHeadingElement>(null);
  const [busy, setBusy] = useState<string | null>(null);
  const [said, setSaid] = useState('');
  const now = useNow();
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
        {limits !== null && (
          <>
            {limits.used} of {limits.soft} in use.{' '}
          </>
        )}
        Every open tab or device is one. Closing one loses nothing: its conversation stays, and answers go on.
      </p>
      {cleanedUp !== null && <CleanedUp notice={cleanedUp} />}
      {error !== null && <p className="problem">{error}</p>}
      <ul className="sessions" aria-busy={busy !== null}>
        {sessions.map((session) => (
          <Row
            key={session.id}
            session={session}
            now={now}
            title={session.threads.map(titleOf).find((title) => title !== null) ?? null}
            busy={busy === session.id}
            onFree={() => void act(session.id, () => free(session.id), `Closed ${nameOf(session)}.`)}
          />
        ))}
      </ul>
      <p className="hidden-text" role="status">
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

/** The page's label holds browser and device; an application of somebody's own is named by itself. */
const nameOf = (session: SessionInfo): string => session.label || session.client || 'Unnamed tab';

interface RowProps {
  readonly session: SessionInfo;
  readonly now: number;
  /** What is open in it: two tabs of one browser differ in nothing else. */
  readonly title: string | null;
  readonly busy: boolean;
  onFree(): void;
}

function Row({ session, now, title, busy, onFree }: RowProps) {
  const state = sessionState(session, now);
  const tone = isUnresponsive(session) ? 'bad' : session.running ? 'running' : session.connected ? 'good' : 'paused';
  return (
    <li data-tone={tone} data-current={session.current}>
      <span className="dot" data-tone={tone} aria-hidden="true" />
      <div>
        <p className="session-name">
          {nameOf(session)}
          {session.current && <span className="badge">this tab</span>}
        </p>
        <p className="muted small-text">
          {state}
          {session.visibility === 'hidden' && !isUnresponsive(session) ? ' · in the background' : ''}
        </p>
        {title !== null && <p className="muted small-text session-title">{title}</p>}
      </div>
      {!session.current && (
        <button type="button" className="quiet small" disabled={busy} onClick={onFree} aria-label={`Close this: ${nameOf(session)}, ${state}`}>
          {busy ? 'Closing…' : 'Close this'}
        </button>
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

/** Puts the parts of the page together: conversations, header, the open conversation, and one panel at the side. */

import { useCallback, useEffect, useRef, useState } from 'react';
import type { ClientState } from 'spillway/client';
import { useConnection, useNotices, useSpillway } from 'spillway/react';
import type { User } from '../auth/account.ts';
import { SignInForm } from '../auth/sign-in-form.tsx';
import { account, type ServerConfig } from '../auth/use-account.ts';
import { type ActionName, connectionSentence, noticeSentences, type Sentence } from '../notices/connection-words.ts';
import { NoticeBar } from '../notices/notice-bar.tsx';
import { SessionsPanel, type SessionsPanelProps } from '../sessions/sessions-panel.tsx';
import { useMedia } from '../ui/media.ts';
import { useThreadRoute } from '../ui/route.ts';
import { useShortcuts } from '../ui/shortcuts.ts';
import { cycleTheme } from '../ui/theme.ts';
import { Header } from './header.tsx';
import { ShortcutHelp } from './shortcut-help.tsx';
import { ThreadList } from './thread-list.tsx';
import { ThreadView } from './thread-view.tsx';
import { useThreads } from './threads.ts';
import { useSince } from './use-since.ts';

type Open = 'nothing' | 'drawer' | 'sessions' | 'keys';

export interface ChatFrameProps {
  readonly user: User;
  readonly needsSignIn: boolean;
  readonly config: ServerConfig | null;
  readonly isReloading: boolean;
}

export function ChatFrame({ user, needsSignIn, config, isReloading }: ChatFrameProps) {
  const client = useSpillway();
  const { state, limits, showReconnecting } = useConnection();
  const { notices, dismiss } = useNotices();
  const list = useThreads();
  const { thread, open, openNew } = useThreadRoute();
  const [side, setSide] = useState<Open>('nothing');
  const [freshTitle, setFreshTitle] = useState<string | null>(null);
  const [isAnswering, setAnswering] = useState(false);
  const isNarrow = useMedia('(max-width: 760px)');
  const stateSince = useSince(state);
  const nameSince = useSince(state.name);
  const opener = useRef<HTMLElement | null>(null);

  useEffect(() => {
    if (thread === null) openNew({ replace: true });
  }, [thread, openNew]);

  const wasSignedOut = useRef(needsSignIn);
  useEffect(() => {
    // Back from "Please sign in again": the same person, so everything goes on where it stood.
    if (wasSignedOut.current && !needsSignIn) {
      list.refresh();
      client.resume().catch(ignoreState);
    }
    wasSignedOut.current = needsSignIn;
  }, [needsSignIn, client, list.refresh]);

  const show = (what: Open): void => {
    if (side === 'nothing') opener.current = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    setSide(side === what ? 'nothing' : what);
  };
  const close = useCallback((): void => {
    setSide('nothing');
    if (opener.current?.isConnected) opener.current.focus();
  }, []);
  const go = (id: string): void => {
    open(id);
    setSide('nothing');
  };
  const startNew = (): void => {
    openNew();
    setSide('nothing');
  };
  const step = (by: 1 | -1): void => {
    const at = list.threads.findIndex((one) => one.id === thread);
    const next = list.threads[at < 0 ? 0 : at + by];
    if (next !== undefined) go(next.id);
  };

  useShortcuts({
    n: startNew,
    s: () => show('sessions'),
    t: cycleTheme,
    '?': () => show('keys'),
    j: () => step(1),
    k: () => step(-1),
    ...(side === 'nothing' ? {} : { Escape: close }),
  });

  const act = (name: ActionName, sentence: Sentence): void => {
    switch (name) {
      case 'resume-here':
      case 'try-now':
        client.resume().catch(ignoreState);
        break;
      case 'sign-in':
        void account.expire();
        break;
      case 'reload':
        location.reload();
        break;
      case 'choose':
      case 'close-another':
      case 'details':
        if (side !== 'sessions') show('sessions');
        if (name !== 'details' && sentence.canDismiss) dismiss(sentence.id);
        break;
    }
  };

  const title = list.threads.find((one) => one.id === thread)?.title || freshTitle;
  useEffect(() => {
    document.title = title === null ? 'Spillway chat' : `${title} · Spillway chat`;
  }, [title]);

  const agent = agentOf(config);
  const first = connectionSentence({
    state,
    stateSince,
    nameSince,
    showReconnecting,
    needsSignIn,
    isReloading,
    isOffline: !navigator.onLine,
    isAnswering,
  });
  const bar = (
    <>
      <NoticeBar sentences={[...(first === null ? [] : [first]), ...noticeSentences(notices, state)]} onAction={act} onDismiss={dismiss} />
      {needsSignIn && (
        <div className="inline-sign-in">
          <SignInForm demo={config?.auth.modes.includes('dev') ?? false} name={user.id} focus={false} />
        </div>
      )}
    </>
  );

  return (
    <div className="frame" data-side={side}>
      <ThreadList
        list={list}
        current={thread}
        currentTitle={freshTitle}
        isDrawer={isNarrow}
        isOpen={side === 'drawer'}
        onOpen={go}
        onNew={startNew}
        onClose={close}
      />
      {isNarrow && side === 'drawer' && <div className="backdrop" onClick={close} aria-hidden="true" />}
      <main className="main">
        <Header
          state={state}
          limits={limits}
          isMoving={notices.some((notice) => notice.kind === 'draining')}
          user={user}
          title={title}
          isNarrow={isNarrow}
          isDrawerOpen={side === 'drawer'}
          isPanelOpen={side === 'sessions'}
          onDrawer={() => show('drawer')}
          onPanel={() => show('sessions')}
          onSignOut={() => void signOut(client)}
        />
        {thread !== null && (
          <ThreadView
            key={thread}
            id={thread}
            user={user}
            agent={agent}
            connection={state.name}
            escapeIsTaken={side !== 'nothing'}
            notices={bar}
            onChanged={list.refresh}
            onTitle={setFreshTitle}
            onAnswering={setAnswering}
          />
        )}
      </main>
      {side === 'sessions' && (
        <SessionsPanel
          limits={limits}
          without={withoutPlace(state, first)}
          cleanedUp={notices.findLast((notice) => notice.kind === 'cleaned-up') ?? null}
          titleOf={(id) => list.threads.find((one) => one.id === id)?.title || (id === thread ? freshTitle : null)}
          onContinue={() => void client.resume().catch(ignoreState)}
          onClose={close}
        />
      )}
      {side === 'keys' && <ShortcutHelp onClose={close} />}
    </div>
  );
}

/** What "Your sessions" says and offers while this tab has no place: to wait, or to go on here in place of another. */
function withoutPlace(state: ClientState, sentence: Sentence | null): SessionsPanelProps['without'] {
  if (state.name === 'queued') return { is: 'queued', sentence };
  const isSentAway = (state.name === 'reconnecting' || state.name === 'offline') && state.info?.return === 'after';
  return isSentAway || state.name === 'superseded' || state.name === 'parked' ? { is: 'paused' } : null;
}

/** `resume()` rejects when the gateway refuses for good; the state says so already, and the page shows it. */
const ignoreState = (): void => {};

/** Gives the seat back first, so that nothing of the person is left open. */
async function signOut(client: { close(): Promise<void> }): Promise<void> {
  try {
    await client.close();
    await account.signOut();
  } catch {
    // The server did not hear it: signed out here all the same, and its tokens end by themselves.
  }
}

/** The built-in agent calls itself a demo; people are told so wherever it speaks. */
function agentOf(config: ServerConfig | null): { name: string; isDemo: boolean } {
  const name = config?.agent?.name ?? 'Agent';
  return { name, isDemo: /\bdemo\b/i.test(name) };
}

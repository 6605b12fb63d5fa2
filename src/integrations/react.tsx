/** `spillway/react`: the client as hooks. */

import { createContext, createElement, type ReactNode, useCallback, useContext, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { isNotFound } from '../client/http.ts';
import type { ClientState, Limits, Notice, Position, SessionInfo, SpillwayClient, ThreadMessage } from '../client/index.ts';
import type { AgentStep } from './conversation.ts';
import { hold, Shared } from './provider.ts';
import { SHOW_RECONNECTING_AFTER_MS, type StatusAction, statusText } from './status-text.ts';
import { EMPTY_VIEW } from './thread-store.ts';

export type { AgentStep } from './conversation.ts';

const Context = createContext<Shared | null>(null);

/** Makes `client` known to the hooks below it, connects it when mounted and closes it when unmounted for good. */
export function SpillwayProvider({ client, children }: { client: SpillwayClient; children?: ReactNode }): ReactNode {
  const shared = useMemo(() => new Shared(client), [client]);
  useEffect(() => hold(client), [client]);
  return createElement(Context.Provider, { value: shared }, children);
}

function useShared(): Shared {
  const shared = useContext(Context);
  if (shared === null) throw new Error('Expected a <SpillwayProvider> above this component, got none.');
  return shared;
}

/** The client of the provider above. */
export const useSpillway = (): SpillwayClient => useShared().client;

const IDLE: ClientState = { name: 'idle' };

/** The connection. `showReconnecting` turns true when it has been lost for 3 s: shorter losses need no words. */
export function useConnection(): { state: ClientState; limits: Limits | null; isLive: boolean; showReconnecting: boolean } {
  const { client } = useShared();
  const state = useSyncExternalStore(
    useCallback((listener: () => void) => client.on('state', listener), [client]),
    () => client.state,
    () => IDLE,
  );
  const limits = useSyncExternalStore(
    useCallback((listener: () => void) => client.on('limits', listener), [client]),
    () => client.limits,
    () => null,
  );
  const since = lostSince(state);
  const [shownFor, setShownFor] = useState<number | null>(null);
  useEffect(() => {
    if (since === null) return;
    const timer = setTimeout(() => setShownFor(since), since + SHOW_RECONNECTING_AFTER_MS - Date.now());
    return () => clearTimeout(timer);
  }, [since]);
  return { state, limits, isLive: state.name === 'live', showReconnecting: since !== null && shownFor === since };
}

const lostSince = (state: ClientState): number | null => (state.name === 'reconnecting' || state.name === 'offline' ? state.since : null);

export interface UseThread {
  /** Oldest first. Own messages are there from the moment they are sent: `streaming` until stored, `failed` if refused. */
  readonly messages: readonly ThreadMessage[];
  /** What the agent thought and did in its last answer. */
  readonly steps: readonly AgentStep[];
  /** `queued`: a message is not accepted yet. `failed`: the last answer did not finish, or the last message was refused. */
  readonly status: 'ready' | 'queued' | 'running' | 'failed';
  /** Why the last answer or message failed, for people; null otherwise. */
  readonly failure: { readonly text: string; readonly canRetry: boolean } | null;
  /** False until the stored conversation has been loaded. */
  readonly isLoaded: boolean;
  readonly position: Position | null;
  send(text: string): void;
  /** Stops the running answer, or takes back a message that was not sent yet. */
  stop(): void;
}

/** A conversation: what is stored, then what happens, each event exactly once, over gaps, reloads and reconnects. It is published
 *  at most every 50 ms; events are acknowledged when they are in the store. `isNew` saves asking the gateway for what is stored under
 *  an id that the application has just made; it is looked at when the id is first used. */
export function useThread(id: string, options: { readonly isNew?: boolean } = {}): UseThread {
  const store = useShared().thread(id, options.isNew ?? false);
  const view = useSyncExternalStore(store.subscribe, store.view, () => EMPTY_VIEW);
  return useMemo(() => ({ ...view, send: store.send, stop: store.stop }), [view, store]);
}

/** The person's own sessions, over HTTP: it works while queued or superseded. Asked for again whenever the limits change. `error`
 *  is for people; `free` and `freeUnresponsive` reject with it too. */
export function useSessions(): {
  sessions: readonly SessionInfo[];
  error: string | null;
  free(id: string): Promise<void>;
  freeUnresponsive(): Promise<void>;
  /** "Resume here": closes that session and goes on here in its place. */
  resumeHere(id: string): Promise<void>;
  refresh(): void;
} {
  const client = useSpillway();
  const [sessions, setSessions] = useState<readonly SessionInfo[]>([]);
  const [error, setError] = useState<string | null>(null);
  const [asked, setAsked] = useState(0);
  const refresh = useCallback(() => setAsked((n) => n + 1), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `asked` is the wish to ask again.
  useEffect(() => {
    let isCurrent = true;
    client.sessions.list().then(
      (list) => {
        if (!isCurrent) return;
        setSessions(list);
        setError(null);
      },
      (reason: Error) => {
        if (isCurrent) setError(reason.message);
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [client, asked]);
  useEffect(() => client.on('limits', refresh), [client, refresh]);
  return useMemo(
    () => ({
      sessions,
      error,
      refresh,
      free: async (id: string) => {
        await client.sessions.free(id);
        refresh();
      },
      freeUnresponsive: async () => {
        await client.sessions.freeUnresponsive();
        refresh();
      },
      resumeHere: async (id: string) => {
        try {
          await client.sessions.free(id);
        } catch (reason) {
          // Gone already: its room is free.
          if (!isNotFound(reason)) throw reason;
        }
        refresh();
        // Who waits in line already gets what became free.
        if (client.state.name !== 'queued') await client.resume();
      },
    }),
    [client, sessions, error, refresh],
  );
}

const NO_NOTICES: readonly Notice[] = [];

/** What the gateway tells the person, without what they put away. */
export function useNotices(): { notices: readonly Notice[]; dismiss(id: string): void } {
  const shared = useShared();
  const notices = useSyncExternalStore(shared.subscribeNotices, shared.notices, () => NO_NOTICES);
  return useMemo(() => ({ notices, dismiss: shared.dismiss }), [notices, shared]);
}

const ACTION_LABEL: Readonly<Record<StatusAction, string>> = {
  'try-now': 'Try now',
  'resume-here': 'Resume here',
  reload: 'Reload',
  'sign-in': 'Sign in',
  free: 'Close sessions that do not respond',
};

/** An unstyled notice bar: the state of the connection and the notices in plain words, with the buttons that help. */
export function SpillwayStatus({ className }: { className?: string } = {}): ReactNode {
  const client = useSpillway();
  const { state } = useConnection();
  const { notices, dismiss } = useNotices();
  const elapsedMs = useElapsed(state);
  const act = (action: StatusAction): void => {
    const done = action === 'free' ? client.sessions.freeUnresponsive() : client.resume();
    // What comes of it is seen in the state and in the notices.
    done.catch(() => {});
  };
  const waitMs = state.name === 'queued' ? state.etaMs : 'retryInMs' in state ? state.retryInMs : 0;
  const since = lostSince(state);
  const status = statusText(state, Math.max(0, waitMs - elapsedMs), since === null ? 0 : Date.now() - since, !navigator.onLine);
  return (
    <div className={className} role="status">
      {status !== null && (
        <p>
          {status.text} {status.action !== null && <ActionButton action={status.action} act={act} />}
        </p>
      )}
      {notices.map((notice) => (
        <p key={notice.id} data-kind={notice.kind}>
          {notice.text} {notice.actions.includes('free') && <ActionButton action="free" act={act} />}
          <button type="button" onClick={() => dismiss(notice.id)}>
            Dismiss
          </button>
        </p>
      ))}
    </div>
  );
}

function ActionButton({ action, act }: { action: StatusAction; act: (action: StatusAction) => void }): ReactNode {
  const click = action === 'reload' || action === 'sign-in' ? () => location.reload() : () => act(action);
  return (
    <button type="button" onClick={click}>
      {ACTION_LABEL[action]}
    </button>
  );
}

/** Milliseconds since `state` began, told about once a second while somebody may be counting. */
function useElapsed(state: ClientState): number {
  const [shown, setShown] = useState<{ readonly state: ClientState; readonly ms: number }>({ state, ms: 0 });
  const isCounting = state.name === 'queued' || state.name === 'reconnecting' || state.name === 'offline';
  useEffect(() => {
    if (!isCounting) return;
    const startedAt = performance.now();
    const timer = setInterval(() => setShown({ state, ms: performance.now() - startedAt }), 1_000);
    return () => clearInterval(timer);
  }, [state, isCounting]);
  return shown.state === state ? shown.ms : 0;
}

/// <reference lib="esnext.disposable" preserve="true" />
/** What an application sees of the client. */

import type { AgentEvent, Codec } from '../protocol/agent-events.ts';
import type { Return } from '../protocol/close-codes.ts';
import type { SpillwayError } from '../protocol/errors.ts';
import type { GapReason } from '../protocol/frames.ts';
import type { RunId } from '../protocol/ids.ts';
import type { Limits, MessageData, Notice, SessionInfo, ThreadMessage, ThreadSnapshot } from '../protocol/messages.ts';
import type { Position } from '../protocol/position.ts';

/** A class like the `WebSocket` of browsers and of Node from 22 on. */
export type WebSocketConstructor = new (url: string, protocols?: string | string[]) => WebSocket;

export interface ClientOptions {
  /** Where the gateway's `/v1/ws` is; relative in a page only, `http` and `ws` mean the same. A function is asked before every connect. */
  readonly url: string | URL | (() => string | Promise<string>);
  /** Gives a JWT; asked before every connect, when the token is about to expire, and when it was rejected. Leave it out where a
   *  cookie or a ticket in the URL says who connects. An error of it is reported and tried again, unless the reason was `rejected`:
   *  then the person has to sign in again. A `TypeError` (what `fetch` throws without a network) is always tried again. */
  readonly getToken?: (context: { readonly reason: 'connect' | 'expiring' | 'rejected' }) => string | Promise<string>;
  /** What the person calls this tab or device, such as "Laptop"; shown in their list of sessions. Cut after 42 characters. */
  readonly label?: string;
  /** `session` (default): the resume token and the messages not accepted yet survive a reload of the page, in `sessionStorage`. */
  readonly storage?: 'session' | 'none';
  /** Waiting time between attempts: at most `minDelayMs` (250) before the first, each bound `factor` (2) times the last up to
   *  `maxDelayMs` (15,000), drawn at random below the bound. It never ends. */
  readonly retry?: { readonly minDelayMs?: number; readonly maxDelayMs?: number; readonly factor?: number };
  /** An attempt that is not welcomed after this long is given up. Default 8,000. */
  readonly connectTimeoutMs?: number;
  /** How long the gateway may take to answer when the page wakes up, before a new transport is dialled. Default 2,000. */
  readonly wakeTimeoutMs?: number;
  /** From when on a lost connection is called `offline`. Default 15,000. */
  readonly offlineAfterMs?: number;
  /** A page hidden for this long gives its seat back until it is looked at again, but never during a run. Default 300,000. */
  readonly parkAfterHiddenMs?: number | false;
  /** Messages that may wait to be accepted. Defaults 100 messages, 1,048,576 bytes. */
  readonly outbox?: { readonly maxMessages?: number; readonly maxBytes?: number };
  /** For runtimes without a global `WebSocket`. */
  readonly webSocket?: WebSocketConstructor;
  /** Told of every frame and every step of the connection, without contents. */
  readonly debug?: (event: DebugEvent) => void;
}

export type DebugEvent =
  | {
      readonly type: 'frame';
      readonly direction: 'in' | 'out';
      readonly frame: string;
      readonly bytes: number;
      readonly sub: number | undefined;
      readonly offset: number | undefined;
      readonly n: number | undefined;
    }
  | { readonly type: 'dial'; readonly attempt: number; readonly intent: 'user' | 'auto' }
  | { readonly type: 'close'; readonly code: number; readonly reason: string };

export type ClientState =
  | { readonly name: 'idle' }
  | { readonly name: 'connecting'; readonly attempt: number }
  | { readonly name: 'queued'; readonly position: number; readonly of: number; readonly etaMs: number; readonly deadlineMs: number }
  | { readonly name: 'live'; readonly manager: string; readonly resume: 'fresh' | 'attached' | 'readmitted'; readonly seat: 'soft' | 'burst' }
  /** Lost, and being sought again. `retryInMs` is 0 while an attempt is under way; `offline` when it takes longer than `offlineAfterMs`.
   *  `since` is milliseconds since the Unix epoch. `info` says why the last transport ended. */
  | {
      readonly name: 'reconnecting' | 'offline';
      readonly attempt: number;
      readonly retryInMs: number;
      readonly since: number;
      readonly info?: DisconnectInfo;
    }
  /** Closed by this client while hidden; it comes back when it is looked at. */
  | { readonly name: 'parked' }
  /** `superseded`: back when the person asks. `failed`: only `resume()` tries again. */
  | { readonly name: 'superseded' | 'failed'; readonly info: DisconnectInfo }
  | { readonly name: 'closed' };

/** Why a transport ended, and when this client comes back. */
export interface DisconnectInfo {
  readonly code: number;
  readonly name: string;
  readonly return: Return;
  readonly retryAfterMs?: number;
  /** Reason code. */
  readonly reason?: string;
  /** For people; empty where nothing needs to be said. */
  readonly text: string;
  /** Label of the session that goes on instead. */
  readonly by?: string;
  /** Where the code is explained. */
  readonly docs: string;
}

/** A user message as it appears among a thread's events; it has no `type`, which tells it from an agent event. */
export type StoredMessage = ThreadMessage & { readonly type?: undefined };
/** What a thread's stream holds in the codec `agent-events`. */
export type ThreadEvent = AgentEvent | StoredMessage;

export interface StreamEvent<T> {
  /** Everything up to here has been delivered with this event: store it with the state, follow from it later. */
  readonly position: Position;
  readonly data: T;
  /** True for what existed already when this client (re)subscribed. */
  readonly replay: boolean;
  /** `message`: `data` is a user message of the thread, not an event of a run. */
  readonly kind?: 'message';
  /** Milliseconds since the Unix epoch by the gateway's clock. */
  readonly at?: number;
}

export interface FollowOptions {
  /** Default `now`. `run`: before the first event of the active run, or now if there is none. */
  readonly from?: 'now' | 'run' | 'start' | Position;
  readonly codec?: Codec;
  readonly signal?: AbortSignal;
}

/** Entries that cannot be delivered any more. `snapshot` replaces the state; events go on behind `position`. */
export interface GapEvent {
  readonly thread: string;
  readonly codec: Codec;
  readonly from: number;
  readonly to: number;
  readonly reason: GapReason;
  readonly position: Position;
  /** Null if the thread exists no longer. */
  readonly snapshot: ThreadSnapshot | null;
}

/** A message on its way. */
export interface PendingMessage {
  readonly id: string;
  readonly thread: string;
  readonly data: MessageData;
}

export interface OutboxEvent {
  readonly id: string;
  readonly thread: string;
  /** `waiting`: kept until it is accepted, whatever happens to the connection. */
  readonly state: 'waiting' | 'accepted' | 'refused';
  readonly accepted?: AcceptedMessage;
  /** For people, with `refused`. */
  readonly text?: string;
  /** With `refused`: its `code`, and in `retry` whether the same message may succeed later. */
  readonly error?: SpillwayError;
  readonly pendingMessages: number;
  readonly pendingBytes: number;
}

export interface ClientEvents {
  readonly state: ClientState;
  readonly notice: Notice;
  readonly limits: Limits;
  /** Live again after a loss, nothing missed. */
  readonly resumed: { readonly manager: string; readonly resume: 'fresh' | 'attached' | 'readmitted'; readonly downMs: number };
  readonly gap: GapEvent;
  readonly outbox: OutboxEvent;
  /** What went wrong without ending anything: an error of a listener, of `getToken`, or one that the gateway named. */
  readonly error: unknown;
}

export interface AcceptedMessage {
  readonly runId: string;
  readonly messageId: string;
  /** Of the stored message; the run's events come behind it. */
  readonly position: Position;
  readonly duplicate: boolean;
}

/** A message sent and the run that answers it. Iterating gives the run's events up to its end; leaving the loop ends only the loop.
 *  A loop throws when the gateway refuses for good; the message is kept all the same, and goes out after `resume()`. */
export interface Run extends AsyncIterable<StreamEvent<AgentEvent>> {
  /** Id of the message, the same over every resend. */
  readonly id: string;
  /** Resolves when the message is stored. Rejects with a `SpillwayError`: `SPILLWAY_OUTBOX_FULL`, `SPILLWAY_REFUSED` or
   *  `SPILLWAY_CLOSED`. A rejection that nobody looks at is harmless; it is in the `outbox` event too. */
  readonly accepted: Promise<AcceptedMessage>;
  /** Withdraws the message if it was never sent, else cancels its run. Resolves when the gateway has confirmed it. */
  stop(): Promise<void>;
}

export interface Thread {
  readonly id: string;
  /** Of the last event taken; null before the first. */
  readonly position: Position | null;
  /** Messages of this thread that are not accepted yet, oldest first, also those from before a reload. */
  readonly pending: readonly PendingMessage[];
  /** Never throws and never waits for a connection. The same `id` is accepted once, however often it is sent. An aborted `signal` stops the run. */
  send(input: string | MessageData, options?: { readonly id?: string; readonly signal?: AbortSignal; readonly agent?: string }): Run;
  /** Events in order, each once. An event counts as taken when the next one is asked for. Throws when the gateway refuses for good. */
  follow<T = ThreadEvent>(options?: FollowOptions): AsyncIterable<StreamEvent<T>>;
  /** Events in order, each once, the next after the listener returned and its promise settled. Listeners at one position share a
   *  subscription and go in step, so slow work belongs into a loop, which waits for nobody. Returns how to stop. */
  on<T = ThreadEvent>(listener: (event: StreamEvent<T>) => void | Promise<void>, options?: FollowOptions): () => void;
  /** The conversation as it is stored. Rejects with a `SpillwayError`; `cause.code` is `not-found` for a thread that does not exist. */
  snapshot(): Promise<ThreadSnapshot>;
  /** Cancels a run of this thread, whoever started it. Resolves when the gateway has confirmed it. */
  cancel(run: RunId | string): Promise<void>;
}

export interface FreeResult {
  readonly freed: readonly string[];
  readonly limits: Limits;
}

export interface SpillwayClient extends AsyncDisposable {
  readonly state: ClientState;
  readonly limits: Limits | null;
  /** Current ones, oldest first. */
  readonly notices: readonly Notice[];
  /** Resolves at the first `live`; rejects only when the gateway refuses for good, or on `close()`. Listening and sending connect too. */
  connect(): Promise<void>;
  /** The person asks: come back here, now. */
  resume(): Promise<void>;
  /** Gives the seat back. Threads and runs go on; loops end; messages not accepted yet are rejected. */
  close(): Promise<void>;
  thread(id: string): Thread;
  /** The person's own sessions, over HTTP: this works while queued or superseded. */
  readonly sessions: {
    list(): Promise<SessionInfo[]>;
    free(id: string): Promise<FreeResult>;
    freeUnresponsive(): Promise<FreeResult>;
  };
  on<K extends keyof ClientEvents>(name: K, listener: (event: ClientEvents[K]) => void, options?: { readonly signal?: AbortSignal }): () => void;
}

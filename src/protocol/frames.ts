/** Every frame of the native wire `spillway.v1`, as one union a direction. Field order is wire order. */

import type { Codec } from './agent-events.ts';
import type { Return } from './close-codes.ts';
import type { ErrorCode } from './errors.ts';
import type { Epoch, ManagerId, MessageId, NodeId, RunId, ThreadId } from './ids.ts';
import type { Limits, MessageData, Notice, UserInfo, Visibility } from './messages.ts';
import type { Position } from './position.ts';

export const SUBPROTOCOL = 'spillway.v1';
/** Prefix of the subprotocol that carries a JWT; the gateway never selects it. */
export const BEARER_PREFIX = 'bearer.';
export const PROTOCOL_VERSION = 1;

/** Bounds that the parser enforces before anybody looks at a field. */
export const BOUNDS = {
  /** A text frame, UTF-8 bytes. */
  frameBytes: 262_144,
  depth: 64,
  subs: 64,
  maxSub: 65_535,
  tokenBytes: 8_192,
  resumeTokenBytes: 512,
  clientNameBytes: 64,
  clientVersionBytes: 32,
  clientLabelBytes: 128,
  sendIdBytes: 64,
  traceparentBytes: 128,
  agentBytes: 64,
  /** One event of a run, UTF-8 bytes of its JSON. */
  eventBytes: 262_144,
  /** A range frame that covers several entries. */
  rangeBytes: 65_536,
} as const;

export type Intent = 'user' | 'auto';
export type From = { readonly epoch: Epoch; readonly offset: number } | 'start' | 'run' | 'now';

export interface ResumeSub {
  readonly sub: number;
  readonly thread: ThreadId;
  readonly epoch: Epoch;
  readonly offset: number;
  readonly codec?: Codec;
}

// ---- client to server

export interface Hello {
  readonly type: 'hello';
  readonly v: number;
  readonly minV?: number;
  readonly token?: string;
  readonly client: { readonly name: string; readonly version: string; readonly label?: string };
  readonly intent: Intent;
  readonly visibility?: Visibility;
  readonly waitMs?: number;
  readonly resume?: { readonly manager: ManagerId; readonly token: string; readonly subs: readonly ResumeSub[] };
  readonly traceparent?: string;
}
export interface Subscribe {
  readonly type: 'subscribe';
  readonly sub: number;
  readonly thread: ThreadId;
  readonly from?: From;
  readonly codec?: Codec;
}
export interface Unsubscribe {
  readonly type: 'unsubscribe';
  readonly sub: number;
}
export interface Ack {
  readonly type: 'ack';
  readonly sub: number;
  readonly offset: number;
}
export interface Send {
  readonly type: 'send';
  readonly id: string;
  readonly thread: ThreadId;
  readonly data: MessageData;
  readonly agent?: string;
}
export interface Cancel {
  readonly type: 'cancel';
  readonly run: RunId;
}
export interface ProbeOk {
  readonly type: 'probe-ok';
  readonly n: number;
  readonly visibility?: Visibility;
}
export interface Check {
  readonly type: 'check';
  readonly n: number;
}
export interface VisibilityFrame {
  readonly type: 'visibility';
  readonly state: Visibility;
}
export interface TokenFrame {
  readonly type: 'token';
  readonly token: string;
}
export interface ClientBye {
  readonly type: 'bye';
  readonly reason: 'left' | 'parked';
}
export type ClientFrame = Hello | Subscribe | Unsubscribe | Ack | Send | Cancel | ProbeOk | Check | VisibilityFrame | TokenFrame | ClientBye;
export type ClientFrameType = ClientFrame['type'];

// ---- server to client

export interface Welcome {
  readonly type: 'welcome';
  readonly v: number;
  readonly node: NodeId;
  readonly heartbeatMs: number;
  readonly clientTimeoutMs: number;
  readonly now: number;
  readonly user: UserInfo;
  readonly authExpiresAt: number;
  readonly ack: { readonly frames: number; readonly bytes: number; readonly ms: number };
  readonly max: { readonly frameBytes: number; readonly subs: number };
}
export interface Queued {
  readonly type: 'queued';
  readonly position: number;
  readonly of: number;
  readonly etaMs: number;
  readonly deadlineMs: number;
}
export interface Ready {
  readonly type: 'ready';
  readonly manager: ManagerId;
  readonly resumeToken: string;
  readonly resumeWindowMs: number;
  readonly resume: 'fresh' | 'attached' | 'readmitted';
  readonly seat: 'soft' | 'burst';
  readonly limits: Limits;
}
export interface Subscribed {
  readonly type: 'subscribed';
  readonly sub: number;
  readonly thread: ThreadId;
  readonly epoch: Epoch;
  readonly offset: number;
  readonly head: number;
  readonly codec: Codec;
  readonly activeRun: RunId | null;
}
export interface Unsubscribed {
  readonly type: 'unsubscribed';
  readonly sub: number;
}
export interface EventFrame {
  readonly type: 'event';
  readonly sub: number;
  /** First covered offset; absent means `offset`. */
  readonly from?: number;
  /** Last covered offset. */
  readonly offset: number;
  readonly kind?: 'message';
  readonly at?: number;
  /** True: acknowledge at once. */
  readonly ack?: true;
  /** One event object, or an array of 0…n when the range covers several. */
  readonly data: unknown;
}
export interface Replayed {
  readonly type: 'replayed';
  readonly sub: number;
  readonly offset: number;
}
export type GapReason = 'retention' | 'epoch' | 'rewound';
export interface Gap {
  readonly type: 'gap';
  readonly sub: number;
  readonly epoch: Epoch;
  readonly from: number;
  readonly to: number;
  readonly reason: GapReason;
  /** Path of the snapshot that replaces what is missing. */
  readonly snapshot: string;
}
export interface RunAccepted {
  readonly type: 'run-accepted';
  readonly id: string;
  readonly thread: ThreadId;
  readonly run: RunId;
  readonly message: MessageId;
  readonly epoch: Epoch;
  readonly offset: number;
  readonly state: 'running' | 'queued';
  readonly duplicate: boolean;
}
export interface Cancelled {
  readonly type: 'cancelled';
  readonly run: RunId;
  readonly state: 'cancelling' | 'ended';
}
export interface Probe {
  readonly type: 'probe';
  readonly n: number;
}
export interface CheckOk {
  readonly type: 'check-ok';
  readonly n: number;
}
export interface LimitsFrame extends Limits {
  readonly type: 'limits';
}
export interface NoticeFrame extends Notice {
  readonly type: 'notice';
}
export interface TokenOk {
  readonly type: 'token-ok';
  readonly authExpiresAt: number;
}
export interface TokenExpiring {
  readonly type: 'token-expiring';
  readonly authExpiresAt: number;
}
export interface ErrorFrame {
  readonly type: 'error';
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly ref?: { readonly type: string; readonly id?: string; readonly sub?: number; readonly run?: string; readonly n?: number };
}
export interface Explanation {
  readonly level: string;
  readonly evidence: readonly { readonly signal: string; readonly ageMs: number; readonly value?: number }[];
  readonly by?: { readonly label: string };
}
export interface ServerBye {
  readonly type: 'bye';
  readonly code: number;
  readonly name: string;
  readonly return: Return;
  readonly retryAfterMs: number;
  readonly reason: string;
  readonly text: string;
  readonly resumable: boolean;
  /** Acknowledged positions. */
  readonly positions: readonly ({ readonly sub: number } & Position)[];
  readonly manager?: ManagerId;
  readonly resumeToken?: string;
  readonly explain?: Explanation;
}
export type ServerFrame =
  | Welcome
  | Queued
  | Ready
  | Subscribed
  | Unsubscribed
  | EventFrame
  | Replayed
  | Gap
  | RunAccepted
  | Cancelled
  | Probe
  | CheckOk
  | LimitsFrame
  | NoticeFrame
  | TokenOk
  | TokenExpiring
  | ErrorFrame
  | ServerBye;
export type ServerFrameType = ServerFrame['type'];

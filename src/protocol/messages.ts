/** Objects that frames and HTTP bodies share. */

import type { ManagerId, MessageId, RunId, ThreadId, Tier } from './ids.ts';
import type { Position } from './position.ts';

export interface UserInfo {
  readonly id: string;
  readonly name: string;
  readonly tier: Tier;
}

/** How much room a user has and uses. Not a refusal in sight: `soft` starts relief, it ends nothing. */
export interface Limits {
  readonly soft: number;
  readonly burst: number;
  /** Seats. */
  readonly used: number;
  /** Seats without the dead ones and those being given up. */
  readonly effective: number;
  /** Transports that are really open. */
  readonly sockets: number;
  readonly queued: number;
  /** Milliseconds since the epoch at which a running burst lease ends, or null. */
  readonly burstUntil: number | null;
  readonly tier: Tier;
}

export type Visibility = 'visible' | 'hidden' | 'frozen';

export type MessagePart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | {
      readonly type: 'tool';
      readonly executionId: string;
      readonly toolName: string;
      readonly parameters?: unknown;
      readonly success?: boolean;
      readonly results?: unknown;
    }
  | { readonly type: 'file'; readonly url: string; readonly mediaType: string };

export interface ThreadMessage {
  readonly id: MessageId;
  readonly role: 'user' | 'assistant';
  readonly status: 'complete' | 'streaming' | 'cancelled' | 'failed';
  readonly createdAt: number;
  readonly run?: RunId;
  readonly parts: readonly MessagePart[];
}

/** The conversation, true exactly at `position`. */
export interface ThreadSnapshot {
  readonly thread: ThreadId;
  readonly position: Position;
  readonly activeRun: RunId | null;
  readonly messages: readonly ThreadMessage[];
  readonly hasMore: boolean;
}

export interface ThreadSummary {
  readonly id: ThreadId;
  readonly title: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly position: Position;
  readonly activeRun: RunId | null;
}

export type VerdictName = 'healthy' | 'idle' | 'suspect' | 'zombie' | 'inactive' | 'unknown';

/** One of the person's own sessions, as "Your sessions" shows it. */
export interface SessionInfo {
  readonly id: ManagerId;
  readonly label: string | null;
  readonly client: string;
  readonly verdict: VerdictName;
  readonly connected: boolean;
  readonly visibility: Visibility | 'unknown';
  readonly openedAt: number;
  readonly lastEvidenceAt: number;
  readonly threads: readonly ThreadId[];
  readonly running: boolean;
  readonly seat: 'soft' | 'burst';
  /** The session that asks, named by the request header `Spillway-Manager`. */
  readonly current: boolean;
  /** The node that holds it does not answer, or is gone: this is what was known of it last. */
  readonly outdated?: true;
}

export type NoticeKind = 'limit-near' | 'burst' | 'queue' | 'cleaned-up' | 'evicting' | 'draining';
export type NoticeAction = 'free' | 'resume-here' | 'retry' | 'sign-in' | 'reload';

/** What the person is told: what happened, why, until when, what to do. A higher `version` of the same `id` replaces. */
export interface Notice {
  readonly id: string;
  readonly version: number;
  readonly kind: NoticeKind;
  readonly level: 'info' | 'warning';
  readonly text: string;
  readonly until?: number;
  readonly actions: readonly NoticeAction[];
  readonly data: Readonly<Record<string, unknown>>;
  readonly cleared?: boolean;
}

/** What a person sends: plain text, or parts with metadata. */
export type MessageData = { readonly text: string } | { readonly parts: readonly MessagePart[]; readonly metadata?: Readonly<Record<string, unknown>> };

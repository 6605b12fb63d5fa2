/** What the HTTP routes and the wires are given. `gateway.ts` alone builds it. */

import type { Accounts } from '../auth/accounts.ts';
import type { Authenticator, Identity } from '../auth/identity.ts';
import type { ResumeTokens } from '../auth/resume-tokens.ts';
import type { Tickets } from '../auth/tickets.ts';
import type { Options } from '../core/options.ts';
import type { Clock } from '../ports/clock.ts';
import type { Tell } from '../ports/events.ts';
import type { Random } from '../ports/random.ts';
import type { Store } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import type { EventFrame, From, Gap, Replayed, RunAccepted, Send } from '../protocol/frames.ts';
import type { ManagerId, MessageId, RunId, ThreadId, Tier, UserId } from '../protocol/ids.ts';
import type { Limits, SessionInfo, ThreadSnapshot, ThreadSummary } from '../protocol/messages.ts';
import type { Observatory } from '../telemetry/observatory.ts';
import type { OriginPolicy } from './origins.ts';

export interface Services {
  readonly version: string;
  /** Who answers, as the pages name it. */
  readonly agentName: string;
  readonly options: Options;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly store: Store;
  /** Tells whoever listens to the factory of what happens around it. */
  readonly tell: Tell;
  readonly authenticator: Authenticator;
  /** Accounts and log-in of `auth.mode: dev`; null where another issuer makes the tokens. */
  readonly accounts: Accounts | null;
  readonly tickets: Tickets;
  readonly resumeTokens: ResumeTokens;
  readonly origins: OriginPolicy;
  readonly sessions: Sessions;
  readonly conversations: Conversations;
  readonly runs: Runs;
  readonly health: Health;
  /** What is measured; null where there is no admin API to ask for it. */
  readonly observatory: Observatory | null;
  /** Prefix of all paths, default empty. */
  readonly prefix: string;
}

/** A refusal that a request or frame is answered with; it costs the asker nothing else. */
export interface Refusal {
  readonly is: 'refused';
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** A person's own sessions; works outside every limit. */
export interface Sessions {
  limits(user: UserId, tier: Tier): Promise<Limits>;
  list(user: UserId, current: ManagerId | null): Promise<readonly SessionInfo[]>;
  /** Null: not the user's own, or unknown. */
  free(user: UserId, manager: ManagerId, by: string): Promise<{ readonly freed: readonly ManagerId[] } | null>;
  freeUnresponsive(user: UserId, by: string): Promise<{ readonly freed: readonly ManagerId[]; readonly kept: number }>;
  /** Ends every manager of a log-in, or of the user, with 4506. */
  loggedOut(user: UserId, family: string | null): Promise<void>;
}

export interface Conversations {
  list(user: UserId, limit: number, cursor: string | null): Promise<{ readonly threads: readonly ThreadSummary[]; readonly nextCursor: string | null }>;
  /** Null: unknown thread. */
  snapshot(user: UserId, thread: ThreadId, limit: number, before: MessageId | null): Promise<ThreadSnapshot | null>;
  /** Follows a stream without a seat, for the read-only fallback over HTTP. Frames come without `sub`. The listener returns how many
   *  bytes it still holds unsent; it is not called again until `resume()` of the handle when that is beyond the window. */
  follow(user: UserId, thread: ThreadId, from: From, listener: FollowListener): Promise<{ resume(): void; end(): void }>;
}
export interface FollowListener {
  frame(frame: Omit<EventFrame, 'sub'> | Omit<Gap, 'sub'> | Omit<Replayed, 'sub'>, epoch: string): { readonly full: boolean };
}

export interface Runs {
  /** Stores a message, then starts or queues its run. Resolves when the message is durable. */
  send(identity: Pick<Identity, 'user' | 'tier'>, request: Omit<Send, 'type'> & { readonly manager?: ManagerId | null }): Promise<RunAccepted | Refusal>;
  /** Null: not the user's own, or unknown. */
  cancel(user: UserId, run: RunId): Promise<{ readonly run: RunId; readonly state: 'cancelling' | 'ended' } | null>;
}

export interface Health {
  live(): HealthReport;
  ready(): Promise<HealthReport>;
  started(): Promise<HealthReport>;
}
export interface HealthReport {
  readonly status: 'ok' | 'fail';
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail?: string }[];
}

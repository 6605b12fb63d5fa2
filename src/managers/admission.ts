import type { Limits } from '../protocol/messages.ts';
import type { RetryReason } from '../protocol/reasons.ts';
import type { SeatedHow } from './events.ts';
import type { WebSocketManager } from './manager.ts';

/** It has its seat. */
export interface Seated {
  readonly kind: 'seated';
  readonly manager: WebSocketManager;
  readonly seat: 'soft' | 'burst';
  /** `attached`: the same manager on the same seat; `readmitted`: the same manager under a new seat; `fresh`: a new one. */
  readonly resume: 'fresh' | 'attached' | 'readmitted';
  readonly how: SeatedHow;
  readonly limits: Limits;
}

/** Where a place in the queue stands. */
export interface QueuePlace {
  readonly position: number;
  /** Tickets in the queue. */
  readonly of: number;
  readonly etaMs: number;
  /** Milliseconds until waiting ends. */
  readonly deadlineMs: number;
}

/** It waits, for a bounded time. */
export interface Queued extends QueuePlace {
  readonly kind: 'queued';
  /** Never rejects because of a limit. */
  readonly outcome: Promise<Seated | Retry>;
  /** Calls back when its place changes. */
  onPlace(listener: (place: QueuePlace) => void): void;
  /** Gives the place back. */
  cancel(): void;
}

/** Come back after this time; it works. */
export interface Retry {
  readonly kind: 'retry';
  readonly reason: RetryReason;
  readonly retryAfterMs: number;
  /** What the returning client shows, so that it gets the place that is kept for it. */
  readonly promise: string | null;
}

export type Admission = Seated | Queued | Retry;

import type { Transport } from '../../ports/transport.ts';
import type { Intent } from '../../protocol/frames.ts';
import type { ManagerId } from '../../protocol/ids.ts';
import type { Limits, Visibility } from '../../protocol/messages.ts';
import type { RetryReason } from '../../protocol/reasons.ts';
import type { Attachment } from '../delivery/attachment.ts';
import type { SeatedHow } from '../events.ts';
import type { ClientInfo, WebSocketManager } from '../manager.ts';

/** Who asks for a seat, and with what. */
export interface AdmissionRequest {
  readonly transport?: Transport;
  /** A manager whose resume token the caller has verified, and the serial that the token named. */
  readonly resume?: { readonly manager: ManagerId; readonly serial: number };
  /** What an earlier `retry` named. */
  readonly promise?: string | null;
  /** Shorter patience in the queue, milliseconds. */
  readonly waitMs?: number;
  /** `user` (default): a person acted. `auto`: a reconnect by itself, which costs no living manager its seat. */
  readonly intent?: Intent;
  readonly visibility?: Visibility;
  readonly client?: ClientInfo;
  /** Gives the place in the queue back. */
  readonly signal?: AbortSignal;
  /** The caller listens to the transport itself, as the gateway's wires do. Default: the factory hears acks, probes and subscriptions. */
  readonly attended?: boolean;
  /** The `traceparent` of whoever asks. */
  readonly trace?: string;
  /** Resolves when an attended transport has closed, so that it is not counted any more. */
  readonly closed?: Promise<unknown>;
}

/** It has its seat. */
export interface Seated {
  readonly kind: 'seated';
  readonly manager: WebSocketManager;
  /** Its time on the transport of this admission; null without one. A later return may have ended it already. */
  readonly attachment: Attachment | null;
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
  /** Never rejects because of a limit. For whoever has left (`cancel`, `signal`) it is a `retry` that may come back at once. */
  readonly outcome: Promise<Seated | Retry>;
  /** Calls back when its place changes. */
  onPlace(listener: (place: QueuePlace) => void): void;
  /** Gives the place back. */
  cancel(): void;
}

/** Come back after this time; it works. */
export interface Retry {
  readonly kind: 'retry';
  /** Under which id it asked, and finds what is kept for it. */
  readonly manager: ManagerId;
  readonly reason: RetryReason;
  readonly retryAfterMs: number;
  /** What the returning client shows, so that it gets the place that is kept for it. */
  readonly promise: string | null;
}

export type Admission = Seated | Queued | Retry;

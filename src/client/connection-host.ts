/** What the connection needs of the client around it, and tells it. */

import type { ResumeSub, ServerFrame } from '../protocol/frames.ts';
import type { Visibility } from '../protocol/messages.ts';
import type { Emit } from './emitter.ts';
import type { ResumeClaim } from './storage.ts';

export interface ConnectionHost {
  visibility(): Visibility;
  /** The claim from before a reload, unless another tab holds it. Asked once. */
  claim(): Promise<ResumeClaim | null>;
  /** The claim to bring along next time, or null when there is nothing to come back to. */
  keep(claim: ResumeClaim | null): void;
  /** Positions to go on from. */
  resumeSubs(): readonly ResumeSub[];
  readonly emit: Emit;
  /** Every frame, after the connection has done its own part. */
  frame(frame: ServerFrame, bytes: number): void;
  /** The transport is gone; called before any other is dialled. */
  lost(): void;
}

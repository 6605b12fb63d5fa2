/** The errors that a caller of the client sees. */

import { SpillwayError } from '../protocol/errors.ts';
import type { ErrorFrame } from '../protocol/frames.ts';

/** What the gateway refused, in its words; the frame is the cause. */
export const refusal = (frame: ErrorFrame): SpillwayError =>
  new SpillwayError('SPILLWAY_REFUSED', frame.message, { retry: frame.retryable ? 'later' : 'never', cause: frame });

/** What nobody waits for any more. */
export const closed = (why = 'close() was called'): SpillwayError => new SpillwayError('SPILLWAY_CLOSED', `Expected an open client, but ${why}.`);

export const badArgument = (text: string): SpillwayError => new SpillwayError('SPILLWAY_BAD_ARGUMENT', text);

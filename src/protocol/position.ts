/** A position (epoch, offset) in a stream means: everything up to and including `offset` has been applied.
 *  Offsets are gapless integers from 1; 0 is before the first. */

import { type Epoch, isEpoch } from './ids.ts';

export interface Position {
  readonly epoch: Epoch;
  readonly offset: number;
}

/** Offsets stay exact in JSON below this bound. */
export const MAX_OFFSET = Number.MAX_SAFE_INTEGER;

export const isOffset = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** What a client does with a range that covers `first`…`last` when it has applied everything up to `applied`. */
export function judgeRange(applied: number, first: number, last: number): 'apply' | 'drop' | 'resubscribe' {
  if (last <= applied) return 'drop';
  return first === applied + 1 ? 'apply' : 'resubscribe';
}

/** `epoch:n`, the form used in HTTP. */
export const writePosition = (p: Position): string => `${p.epoch}:${p.offset}`;

/** Reads `epoch:n`. Returns null for anything else. */
export function parsePosition(text: string): Position | null {
  const colon = text.indexOf(':');
  if (colon < 1) return null;
  const epoch = text.slice(0, colon);
  const digits = text.slice(colon + 1);
  if (!isEpoch(epoch) || !/^(0|[1-9][0-9]{0,15})$/.test(digits)) return null;
  const offset = Number(digits);
  return isOffset(offset) ? { epoch, offset } : null;
}

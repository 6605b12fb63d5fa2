import type { GapReason } from '../protocol/frames.ts';
import type { Position } from '../protocol/position.ts';

/** What a stream holds: entries `first`…`head` of `epoch`; `first` is `head + 1` when nothing is retained. */
export interface LogExtent {
  readonly epoch: string;
  readonly first: number;
  readonly head: number;
}

export type Replay =
  /** The follower has everything. */
  | { readonly is: 'live' }
  /** It gets `from`…`to` before it turns live. */
  | { readonly is: 'replay'; readonly from: number; readonly to: number }
  /** Entries `missing` cannot be delivered (`to` below `from`: none is missing, but what the follower applied is void all the
   *  same). Delivery goes on at `then`. */
  | { readonly is: 'gap'; readonly reason: GapReason; readonly missing: { readonly from: number; readonly to: number }; readonly then: number };

/** What a follower that stands at `from` must get. It is told of every entry that it cannot get: never silence. */
export function replayFrom(log: LogExtent, from: Position): Replay {
  if (from.epoch !== log.epoch) return gap(log, 'epoch', 1);
  // The log lost its tail: what the follower applied behind head may come again with other contents.
  if (from.offset > log.head) return gap(log, 'rewound', 1);
  if (from.offset + 1 < log.first) return gap(log, 'retention', from.offset + 1);
  return from.offset === log.head ? { is: 'live' } : { is: 'replay', from: from.offset + 1, to: log.head };
}

const gap = (log: LogExtent, reason: GapReason, from: number): Replay => ({
  is: 'gap',
  reason,
  missing: { from, to: log.first - 1 },
  // biome-ignore lint/suspicious/noThenProperty: a number, and never awaited
  then: log.first,
});

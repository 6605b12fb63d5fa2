/** How states, messages, runs and entries are spelled in Redis, as the scripts document it. */

import type { LogEntry, RunRecord, StoredMessage, StreamState } from '../../ports/store.ts';
import type { Codec } from '../../protocol/agent-events.ts';
import type { Epoch, RunId, ThreadId, UserId } from '../../protocol/ids.ts';

/** Parts of an answer from `at` on: epoch, first, head, active run, its first offset. */
export function readState(parts: readonly string[], at = 0): StreamState {
  const [epoch = '', first = '1', head = '0', run = '', runFirst = ''] = parts.slice(at, at + STATE_PARTS);
  return {
    epoch: epoch as Epoch,
    first: Number(first),
    head: Number(head),
    activeRun: run === '' ? null : { id: run as RunId, firstOffset: runFirst === '' ? null : Number(runFirst) },
  };
}
const STATE_PARTS = 5;

/** What an entry is besides its data: `a agent-events run_…`, `m agent-events`. */
export const writeHead = ({ kind, codec, run }: LogEntry): string => `${kind === 'agent' ? 'a' : 'm'} ${codec}${run === null ? '' : ` ${run}`}`;

/** An entry as XRANGE answers it: `["12-0", ["h", head, "t", at, "s", storedAt, "d", data]]`. */
export type StreamEntry = readonly [string, readonly string[]];

export function readEntry([id, fields]: StreamEntry): LogEntry {
  const [head = '', at = '0', data = ''] = [fields[1], fields[3], fields[7]];
  const codecEnd = head.indexOf(' ', 2);
  return {
    offset: Number.parseInt(id, 10),
    kind: head.startsWith('a') ? 'agent' : 'message',
    run: codecEnd < 0 ? null : (head.slice(codecEnd + 1) as RunId),
    codec: head.slice(2, codecEnd < 0 ? undefined : codecEnd) as Codec,
    data,
    at: Number(at),
  };
}

/** Reads `offset complete json`. */
export function readMessage(kept: string): StoredMessage {
  const offsetEnd = kept.indexOf(' ');
  return { ...(JSON.parse(kept.slice(offsetEnd + 3)) as StoredMessage), offset: Number(kept.slice(0, offsetEnd)) };
}

const offsetText = (offset: number | null): string => (offset === null ? '-' : String(offset));
const readOffset = (text: string): number | null => (text === '-' ? null : Number(text));

/** The parts of a run that `stream-record.lua` takes: id, message, state, first and last offset, the rest as JSON. */
export const writeRun = (run: RunRecord): readonly string[] => [
  run.id,
  run.message,
  run.state,
  offsetText(run.firstOffset),
  offsetText(run.lastOffset),
  JSON.stringify({ message: run.message, agent: run.agent, node: run.node, createdAt: run.createdAt }),
];

/** A run with its place in the order in which all runs arrived. */
export interface KeptRun {
  readonly record: RunRecord;
  readonly order: number;
}

/** Reads `order ended|- state first|- last|- thread json`. */
export function readRun(user: UserId, id: string, kept: string): KeptRun {
  const [order = '0', , state = '', first = '-', last = '-', thread = ''] = kept.split(' ', 6);
  const rest = JSON.parse(kept.slice(kept.indexOf('{'))) as Pick<RunRecord, 'message' | 'agent' | 'node' | 'createdAt'>;
  return {
    order: Number(order),
    record: {
      id: id as RunId,
      user,
      thread: thread as ThreadId,
      ...rest,
      state: state as RunRecord['state'],
      firstOffset: readOffset(first),
      lastOffset: readOffset(last),
    },
  };
}

/** Pairs of an answer, name and score. */
export const readPairs = (flat: readonly string[]): readonly { readonly name: string; readonly score: string }[] =>
  Array.from({ length: flat.length / 2 }, (_, i) => ({ name: flat[2 * i] as string, score: flat[2 * i + 1] as string }));

import type { LogEntry } from '../ports/store.ts';
import { bodyAfter, looksLikeDelta, splitDelta } from '../protocol/delta-json.ts';
import { BOUNDS } from '../protocol/frames.ts';

/** What one `event` frame carries: one entry, or adjacent text deltas as one event that covers them all. */
export interface Range {
  readonly from?: number;
  readonly offset: number;
  readonly kind?: 'message';
  /** It is a run's terminal event: acknowledged at once, and critical until it is. */
  readonly ack?: true;
  /** The event as JSON text. */
  readonly data: string;
}

const FRAME = '{"type":"event","sub":65535,"offset":,"data":}'.length;
const KIND = ',"kind":"message"'.length;
/** Digits of offsets as they are, and at most. */
const USUAL = { below: 1e7, digits: 7 } as const;
const MOST_DIGITS = 16;

/** UTF-8 bytes that `entry`, whose event has `eventBytes` of them, takes as a frame of its own, at most. Merged ones take less. */
export const frameBytes = (entry: LogEntry, eventBytes: number): number =>
  eventBytes + FRAME + (entry.offset < USUAL.below ? USUAL.digits : MOST_DIGITS) + (entry.kind === 'message' ? KIND : 0);

// Every logged event begins with its type, so that the hot path tells kinds apart without parsing.
const TERMINAL = ['{"type":"agent_completed"', '{"type":"agent_error"'] as const;

function single(entry: LogEntry): Range {
  const { offset, data } = entry;
  if (entry.kind === 'message') return { offset, kind: 'message', data };
  return TERMINAL.some((start) => data.startsWith(start)) ? { offset, ack: true, data } : { offset, data };
}

/** Entries, ascending and gapless, as ranges. A merged one stays below 64 KiB unless one entry is larger. */
export function rangesOf(entries: readonly LogEntry[]): readonly Range[] {
  if (entries.length === 1) return [single(entries[0] as LogEntry)];
  const ranges: Range[] = [];
  let i = 0;
  while (i < entries.length) {
    const merged = mergeFrom(entries, i);
    ranges.push(merged?.range ?? single(entries[i] as LogEntry));
    i += merged?.count ?? 1;
  }
  return ranges;
}

/** The deltas from `start` on that append to one text, with the first one's fields and the concatenation of their texts. Texts are
 *  joined as they stand in the JSON: half a character at the end of one and the other half in the next make it whole again. */
function mergeFrom(entries: readonly LogEntry[], start: number): { readonly range: Range; readonly count: number } | null {
  const first = entries[start] as LogEntry;
  const next = entries[start + 1];
  if (next === undefined || !isDelta(first) || !isDelta(next)) return null;
  const delta = splitDelta(first.data);
  if (delta === null) return null;
  const bodies = [delta.body];
  // The frame has a first and a last offset.
  let bytes = frameBytes(first, Buffer.byteLength(first.data)) + FRAME;
  let end = start + 1;
  for (; end < entries.length; end++) {
    const entry = entries[end] as LogEntry;
    const body = entry.kind === 'agent' && entry.run === first.run && entry.codec === first.codec ? bodyAfter(delta, entry.data) : null;
    if (body === null) break;
    bytes += Buffer.byteLength(body);
    if (bytes > BOUNDS.rangeBytes) break;
    bodies.push(body);
  }
  const count = end - start;
  if (count === 1) return null;
  const rest = first.data.slice(delta.restAt);
  return { range: { from: first.offset, offset: first.offset + count - 1, data: [delta.head, ...bodies, delta.ids, rest].join('') }, count };
}

const isDelta = (entry: LogEntry): boolean => entry.kind === 'agent' && looksLikeDelta(entry.data);

import { deltaOf, withText } from '../codecs/merge.ts';
import type { LogEntry } from '../ports/store.ts';
import type { AgentEvent } from '../protocol/agent-events.ts';
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

// Every logged event begins with its type, so that the hot path tells kinds apart without parsing.
const MERGEABLE = ['{"type":"text_delta"', '{"type":"agent_thinking"'] as const;
const TERMINAL = ['{"type":"agent_completed"', '{"type":"agent_error"'] as const;
const startsWithAny = (text: string, starts: readonly string[]): boolean => starts.some((start) => text.startsWith(start));

function single(entry: LogEntry): Range {
  return {
    offset: entry.offset,
    ...(entry.kind === 'message' ? ({ kind: 'message' } as const) : {}),
    ...(entry.kind === 'agent' && startsWithAny(entry.data, TERMINAL) ? ({ ack: true } as const) : {}),
    data: entry.data,
  };
}

/** Entries, ascending and gapless, as ranges. A merged one stays below 64 KiB unless one entry is larger. */
export function rangesOf(entries: readonly LogEntry[]): readonly Range[] {
  if (entries.length === 1) return [single(entries[0] as LogEntry)];
  const ranges: Range[] = [];
  let i = 0;
  while (i < entries.length) {
    const entry = entries[i] as LogEntry;
    const merged = mergeFrom(entries, i);
    ranges.push(merged?.range ?? single(entry));
    i += merged?.count ?? 1;
  }
  return ranges;
}

function mergeFrom(entries: readonly LogEntry[], start: number): { readonly range: Range; readonly count: number } | null {
  const first = entries[start] as LogEntry;
  const next = entries[start + 1];
  if (!next || !isDelta(first) || !isDelta(next)) return null;
  const event = JSON.parse(first.data) as AgentEvent;
  const delta = deltaOf(event);
  if (delta === null) return null;
  const texts = [delta.text];
  let bytes = Buffer.byteLength(first.data);
  let end = start + 1;
  for (; end < entries.length; end++) {
    const entry = entries[end] as LogEntry;
    if (!isDelta(entry)) break;
    const more = deltaOf(JSON.parse(entry.data) as AgentEvent);
    if (more === null || more.key !== delta.key) break;
    bytes += Buffer.byteLength(more.text);
    if (bytes > BOUNDS.rangeBytes) break;
    texts.push(more.text);
  }
  const count = end - start;
  if (count === 1) return null;
  const offset = (entries[end - 1] as LogEntry).offset;
  return { range: { from: first.offset, offset, data: JSON.stringify(withText(event, texts.join(''))) }, count };
}

const isDelta = (entry: LogEntry): boolean => entry.kind === 'agent' && startsWithAny(entry.data, MERGEABLE);

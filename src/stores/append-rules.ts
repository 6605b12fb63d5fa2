import type { AppendRecords, LogEntry, StoredMessage } from '../ports/store.ts';

/** Whether entries follow each other without a hole, at offsets that exist. */
export function joins(entries: readonly LogEntry[]): boolean {
  const first = entries[0]?.offset ?? 1;
  return Number.isSafeInteger(first) && first >= 1 && entries.every((entry, i) => entry.offset === first + i);
}

/** Whether a stored entry is what a repeated request brings again. */
export const sameEntry = (a: LogEntry, b: LogEntry): boolean =>
  a.offset === b.offset && a.kind === b.kind && a.run === b.run && a.codec === b.codec && a.at === b.at && a.data === b.data;

/** What an append does to the times of its thread, or null if it does not touch them: a thread exists from its first message and
 *  moves up in the list when a message is stored, not with every event. */
export function threadTimes(entries: readonly LogEntry[], records: AppendRecords): { readonly createdAt: number; readonly updatedAt: number } | null {
  const times = (records.messages ?? []).map((message) => message.createdAt);
  if (times.length === 0) return null;
  return { createdAt: Math.min(...times), updatedAt: Math.max(...times, entries.at(-1)?.at ?? 0) };
}

/** A message as text, with what is searched for beside it. */
export interface EncodedMessage {
  readonly id: StoredMessage['id'];
  readonly offset: number;
  readonly complete: boolean;
  readonly sendId: string | null;
  readonly json: string;
}

/** Messages as JSON, or null if one has none (a cycle, a bigint). Parts hold whatever a tool returned; what JSON leaves out, no
 *  store keeps. */
export function encodeMessages(messages: readonly StoredMessage[]): readonly EncodedMessage[] | null {
  try {
    return messages.map((m) => ({ id: m.id, offset: m.offset, complete: m.status !== 'streaming', sendId: m.send?.id ?? null, json: JSON.stringify(m) }));
  } catch {
    return null; // Harmless: the request is answered `conflict`, which its writer must handle.
  }
}

import type { StoreMs } from '../core/clocks.ts';

/** A logged entry as retention sees it. */
export interface RetainedEntry {
  readonly offset: number;
  readonly bytes: number;
  /** When its run ended, or when it was stored if it belongs to none; null while its run goes on. */
  readonly endedAt: number | null;
}

export interface RetentionRule {
  readonly now: StoreMs;
  readonly keepMs: number;
  /** Most bytes to keep of entries whose run has ended. */
  readonly streamBytes: number;
}

/** How far a stream may be cut: what to drop is always its oldest part, since a log has no holes. The walk ends at the first
 *  entry that must stay. `endedBytes` counts all entries of the stream whose run has ended. */
export function cutAt(entries: Iterable<RetainedEntry>, endedBytes: number, rule: RetentionRule): { readonly upTo: number; readonly bytes: number } {
  let upTo = 0;
  let bytes = 0;
  for (const entry of entries) {
    if (entry.endedAt === null) break;
    const old = entry.endedAt <= rule.now - rule.keepMs;
    if (!old && endedBytes - bytes <= rule.streamBytes) break;
    upTo = entry.offset;
    bytes += entry.bytes;
  }
  return { upTo, bytes };
}

/** Size of an entry's data as it travels. */
export const bytesOf = (data: string): number => Buffer.byteLength(data, 'utf8');

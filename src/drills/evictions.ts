import type { PastCleanup } from '../admin/index.ts';

/** Why seats were taken: reasons with their number, and the records that say more. */
export interface Evictions {
  readonly total: number;
  /** `ack-timeout 18, probe-timeout 2`. */
  readonly reasons: string;
  readonly runs: readonly string[];
  readonly victims: readonly { readonly managerId: string; readonly verdict: string }[];
}

/** Of one user's cleanup records. */
export function evictionsOf(cleanups: readonly PastCleanup[], user: string): Evictions {
  const records = cleanups.map(({ cleanup }) => cleanup).filter((cleanup) => cleanup.user === user && cleanup.victims.length > 0);
  const victims = records.flatMap((record) => record.victims);
  return { total: victims.length, reasons: tally(victims.map(({ reason }) => reason)), runs: records.map(({ run }) => run), victims };
}

/** `a 2, b 1`, in the order of the alphabet. */
export function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([word, count]) => `${word} ${count}`)
    .join(', ');
}

/** The reason code in the text of a close frame; empty if there is none. */
export const reasonInClose = (reason: string): string => /;c=([a-z-]+)/.exec(reason)?.[1] ?? '';

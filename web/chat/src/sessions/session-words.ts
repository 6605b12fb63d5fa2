/** What one of the person's sessions is doing, in their words. */

import type { Notice, SessionInfo } from 'spillway/client';
import { agoText } from '../ui/clock.ts';

/** True for what "Close all that do not respond" closes. */
export const isUnresponsive = (session: SessionInfo): boolean => session.verdict === 'zombie' || session.verdict === 'inactive';

/** "answering", "seen 12 s ago", "not responding for 38 min". */
export function sessionState(session: SessionInfo, now: number): string {
  const ago = agoText(now - session.lastEvidenceAt);
  if (isUnresponsive(session)) return ago === 'now' ? 'not responding' : `not responding for ${ago}`;
  if (session.running) return 'answering';
  return ago === 'now' ? 'seen just now' : `seen ${ago} ago`;
}

const REASONS: readonly (readonly [readonly string[], string])[] = [
  [['ack-timeout', 'probe-timeout', 'unresponsive', 'transport-lost', 'half-open', 'write-stalled', 'ghost', 'node-dead'], 'had stopped responding'],
  [['idle-over-limit'], 'had not been used for the longest time'],
  [['burst-repaid'], 'stood in the extra room that was given back'],
  [['lowest-value'], 'made room for one you opened'],
  [['user-freed'], 'you closed yourself'],
  [['admin-evicted'], 'an administrator closed'],
];

/** Why sessions were closed, most frequent first: "16 had stopped responding". Empty for notices that closed nothing. */
export function closedBecause(notice: Notice): string[] {
  const reasons = notice.data.reasons;
  if (typeof reasons !== 'object' || reasons === null) return [];
  const counts = new Map<string, number>();
  for (const [code, count] of Object.entries(reasons)) {
    if (typeof count !== 'number' || count <= 0) continue;
    const words = REASONS.find(([codes]) => codes.includes(code))?.[1] ?? 'were closed';
    counts.set(words, (counts.get(words) ?? 0) + count);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([words, count]) => `${count} ${words}`);
}

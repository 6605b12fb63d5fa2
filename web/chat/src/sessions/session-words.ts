/** What one of the person's sessions is doing, in their words. */

import type { Notice, SessionInfo } from 'spillway/client';
import { agoText } from '../ui/clock.ts';

/** True for what "Close all that do not respond" closes. */
export const isUnresponsive = (session: SessionInfo): boolean => session.verdict === 'zombie' || session.verdict === 'inactive';

/** "answering", "seen 12 s ago", "not responding for 38 min". */
export function sessionState(session: SessionInfo, now: number): string {
  const ago = agoText(now - session.lastEvidenceAt);
  if (session.outdated === true && !isUnresponsive(session))
    return ago === 'now' ? 'cannot be asked just now' : `cannot be asked just now, last heard of ${ago} ago`;
  if (isUnresponsive(session)) return ago === 'now' ? 'not responding' : `not responding for ${ago}`;
  const seen = ago === 'now' ? 'seen just now' : `seen ${ago} ago`;
  if (!session.connected) return `connection lost, ${seen}`;
  if (session.running) return 'answering';
  return session.verdict === 'suspect' ? `slow to respond, ${seen}` : seen;
}

/** A name for each session that no other one has: tabs opened in the same minute are numbered in the order in which they came. */
export function sessionNames(sessions: readonly SessionInfo[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const count = new Map<string, number>();
  for (const session of [...sessions].sort((a, b) => a.openedAt - b.openedAt)) {
    // The page's label holds browser, device and time; an application of somebody's own is named by itself.
    const name = session.label || session.client || 'Unnamed tab';
    const number = (count.get(name) ?? 0) + 1;
    count.set(name, number);
    names.set(session.id, number === 1 ? name : `${name} (${number})`);
  }
  return names;
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

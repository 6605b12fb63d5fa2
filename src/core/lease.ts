/** Nodes, renewals and tokens: what may be believed of a seat that another process holds. */

import type { Tier } from '../protocol/ids.ts';
import type { EvictReason } from '../protocol/reasons.ts';

/** A node renews its key every 1.5 s and the key lives 5 s; a store that kept its data this long without the key has seen it die. */
const NODE_KEY_MS = 5_000;

/** Whether the node `owner` (its incarnation) still runs. Dead is said only with proof: its key is gone, or carries a newer life,
 *  while the store has kept its data for the life of a key. Seen at most 6.5 s after a crash. */
export function judgeNode(
  n: { readonly key: 'present' | 'absent'; readonly incarnation: string | null; readonly epochStableMs: number },
  owner: string,
): 'alive' | 'silent' | 'dead' {
  if (n.key === 'present' && n.incarnation === owner) return 'alive';
  return n.epochStableMs >= NODE_KEY_MS ? 'dead' : 'silent';
}

/** What a node does with its live manager after a renewal. Only a tombstone or a newer token ends one; a store that forgot it gets it
 *  back. */
export function onRenew(
  reply: { readonly is: 'OK' | 'FENCED' | 'UNKNOWN' } | { readonly is: 'EVICTED'; readonly reason: EvictReason },
): { readonly do: 'keep' } | { readonly do: 'adopt' } | { readonly do: 'end'; readonly reason: EvictReason } {
  switch (reply.is) {
    case 'OK':
      return { do: 'keep' };
    case 'UNKNOWN':
      return { do: 'adopt' };
    case 'FENCED':
      return { do: 'end', reason: 'superseded' };
    case 'EVICTED':
      return { do: 'end', reason: reply.reason };
  }
}

/** The next token: above all earlier ones, and above all of a store that lost everything, because time went on. `storeUs` are the
 *  store's microseconds. A plain counter issued 18 tokens twice (measured). */
export const nextToken = (last: number, storeUs: number): number => Math.max(last + 1, Math.floor(storeUs));

/** Seats a tier keeps on a node that is cut off from the store, as shares of soft. */
const CUT_OFF_SHARE: Readonly<Record<string, number>> = { enterprise: 1, mid: 1 / 2, early: 1 / 4 };
/** Seats of any other tier there. */
const CUT_OFF_LEAST = 2;

/** Limit of a user on one of `nodes` nodes while that is cut off: its share of the nodes or of its tier, whichever is more. */
export function localCap(tier: Tier, soft: number, nodes: number): number {
  const byTier = Object.hasOwn(CUT_OFF_SHARE, tier) ? soft * (CUT_OFF_SHARE[tier] as number) : CUT_OFF_LEAST;
  return Math.min(soft, Math.ceil(Math.max(soft / Math.max(1, nodes), byTier)));
}

import type { NodeLife } from '../../ports/cluster.ts';
import type { SeatHolder } from '../../ports/store.ts';
import type { ManagerId, UserId } from '../../protocol/ids.ts';
import { supersede } from '../cleanup/partings.ts';
import type { Context } from '../context.ts';
import type { WebSocketManager } from '../manager.ts';
import type { Cluster } from './cluster.ts';

/** How long another node may take to say whether somebody is there. */
const ANSWER_MS = 500;

/** Tells the node at which a manager held its seat until now that it is here from now on. Nobody waits for it: a node that does not hear
 *  of it learns it when it renews that seat. */
export function tellTakenOver(
  context: Context,
  of: { readonly user: UserId; readonly manager: ManagerId; readonly label: string | null },
  from: SeatHolder | null,
): void {
  const { cluster, node } = context;
  if (cluster === null || from === null || from.node === node) return;
  void cluster.tell(from.node, 'superseded', { user: of.user, manager: of.manager, token: from.token, label: of.label });
}

/** Which of two nodes a manager is at, when both have seated it because one of them could not ask the store: where its client came last.
 *  `other`: its seat there. True: it is here, as far as anybody knows. */
export async function isHereLast(context: Context, manager: WebSocketManager, other: NodeLife & { readonly token: number }): Promise<boolean> {
  const { cluster, mono } = context;
  if (cluster === null || cluster.standing(other) === 'dead') return true;
  const asked = await cluster.ask(other.node, 'attached', { user: manager.user.userId, manager: manager.id }, ANSWER_MS);
  // Right after the store was away letters are late. That nobody answers tells nothing of who is there; when it came there its token tells.
  if (asked.is !== 'answer') return hereSinceUs(cluster, manager, mono()) > other.token;
  const agoMs = asked.answer.agoMs ?? null;
  const { attachment } = manager;
  return agoMs === null || (attachment !== null && mono() - attachment.since <= agoMs);
}

/** When its client came here, in the store's microseconds, as tokens are: with its seat, or to it since. */
function hereSinceUs(cluster: Cluster, { seat, attachment }: WebSocketManager, now: number): number {
  const storeNow = cluster.storeNow();
  const attachedAt = attachment === null || storeNow === null ? 0 : (storeNow - (now - attachment.since)) * 1_000;
  return Math.max(seat?.token ?? 0, attachedAt);
}

/** Ends here what has been taken over elsewhere, and says who is here. Returns the undo. */
export function hearTakenOver(context: Context): () => void {
  const { cluster, registry } = context;
  if (cluster === null) return () => {};
  const find = (user: UserId, id: ManagerId): WebSocketManager | null => {
    const manager = registry.find(id);
    return manager?.user.userId === user ? manager : null;
  };
  const undo = [
    cluster.handle('superseded', ({ user, manager: id, token, label }) => {
      const manager = find(user, id);
      // It may have come back here since then, under a newer token.
      if (manager?.seat?.token === token) supersede(context, manager, label ?? null);
    }),
    cluster.handle('attached', ({ user, manager: id }) => {
      const attachment = find(user, id)?.attachment ?? null;
      return { agoMs: attachment === null ? null : context.mono() - attachment.since };
    }),
  ];
  return () => {
    for (const end of undo) end();
  };
}

import { applicationAt } from '../core/evidence.ts';
import type { WebSocketManagerFactory } from '../managers/factory.ts';
import type { WebSocketManager } from '../managers/manager.ts';
import type { Clock } from '../ports/clock.ts';
import { CLOSE } from '../protocol/close-codes.ts';
import type { ManagerId, UserId } from '../protocol/ids.ts';
import type { SessionInfo } from '../protocol/messages.ts';
import type { Connections } from './connections.ts';
import type { Sessions } from './services.ts';

/** A person's own sessions. Nothing here needs a seat or waits in a queue. */
export function createSessions(factory: WebSocketManagerFactory, connections: Connections, clock: Clock): Sessions {
  const infoOf = (m: WebSocketManager, current: ManagerId | null): SessionInfo => ({
    id: m.id,
    label: m.client.label,
    client: m.client.name,
    verdict: m.verdict.is,
    connected: m.attachment !== null,
    visibility: m.evidence.visibility,
    openedAt: m.openedAt,
    lastEvidenceAt: Math.round(clock.wall() - Math.max(0, factory.now() - applicationAt(m.evidence))),
    threads: m.threads,
    running: m.evidence.run,
    seat: m.seat?.kind ?? 'soft',
    current: m.id === current,
  });
  const own = (user: UserId, id: ManagerId): WebSocketManager | null => {
    const manager = factory.find(id);
    return manager && manager.user.userId === user && manager.seat !== null ? manager : null;
  };
  return {
    limits: (user, tier) => factory.limits(user, tier),
    list: async (user, current) => factory.list(user).map((m) => infoOf(m, current)),
    async free(user, id, by) {
      if (!own(user, id)) return null;
      return (await factory.evict(id, { reason: 'user-freed', by })) ? { freed: [id] } : null;
    },
    async freeUnresponsive(user, by) {
      const freed: ManagerId[] = [];
      for (const m of factory.list(user)) if (m.verdict.proof && (await factory.evict(m.id, { reason: 'user-freed', by }))) freed.push(m.id);
      return { freed, kept: factory.list(user).length };
    },
    async loggedOut(user, family) {
      for (const id of connections.end(user, family, CLOSE.loggedOut)) {
        const manager = own(user, id);
        if (manager) await factory.leave(manager, 'client-closed');
      }
    },
  };
}

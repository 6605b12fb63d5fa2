import { applicationAt } from '../core/evidence.ts';
import type { ManagerElsewhere, WebSocketManagerFactory } from '../managers/factory.ts';
import type { WebSocketManager } from '../managers/manager.ts';
import type { Clock } from '../ports/clock.ts';
import { CLOSE } from '../protocol/close-codes.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { ManagerId, NodeId, UserId } from '../protocol/ids.ts';
import type { SessionInfo } from '../protocol/messages.ts';
import type { Connections } from './connections.ts';
import type { Sessions } from './services.ts';

/** How long another node may take to tell of a person's sessions. Those of one that does not are listed as they were known last. */
const ANSWER_MS = 300;

interface SessionsDeps {
  readonly factory: WebSocketManagerFactory;
  readonly connections: Connections;
  readonly clock: Clock;
  /** Access tokens and streams of a log-in that was ended on another node. */
  loggedOutElsewhere(user: UserId, family: string | null): void;
}

/** A person's own sessions, on whatever node they are. Nothing here needs a seat or waits in a queue. Disposed of, it answers other nodes
 *  no more. */
export function createSessions({ factory, connections, clock, loggedOutElsewhere }: SessionsDeps): Sessions & Disposable {
  const { cluster } = factory;

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
  const here = (user: UserId, current: ManagerId | null): readonly SessionInfo[] => factory.list(user).map((m) => infoOf(m, current));
  const own = (user: UserId, id: ManagerId): WebSocketManager | null => {
    const manager = factory.find(id);
    return manager && manager.user.userId === user && manager.seat !== null ? manager : null;
  };

  /** What other nodes hold. A store that cannot be asked hides nothing of what is here. */
  const elsewhere = async (user: UserId): Promise<readonly ManagerElsewhere[]> =>
    await factory.elsewhere(user).catch((error: unknown) => {
      if (SpillwayError.is(error)) return [];
      throw error;
    });
  const answering = (held: readonly ManagerElsewhere[]): readonly NodeId[] => [
    ...new Set(held.filter(({ owner }) => owner === 'answering').map(({ digest }) => digest.node)),
  ];

  async function listElsewhere(user: UserId, current: ManagerId | null): Promise<readonly SessionInfo[]> {
    const held = await elsewhere(user);
    const told = new Map<NodeId, readonly SessionInfo[]>();
    await Promise.all(
      answering(held).map(async (node) => {
        const outcome = await cluster?.ask(node, 'sessions', { user }, ANSWER_MS);
        if (outcome?.is === 'answer') told.set(node, outcome.answer.sessions);
      }),
    );
    const fresh = [...told.values()].flat().map((session) => ({ ...session, current: session.id === current }));
    const silent = held.filter(({ digest }) => !told.has(digest.node)).map((seat) => lastKnown(seat, current));
    return [...fresh, ...silent];
  }

  /** Those that are dead, as this node sees them. */
  async function freeDeadHere(user: UserId, by: string | null): Promise<readonly ManagerId[]> {
    const freed: ManagerId[] = [];
    for (const m of factory.list(user)) if (m.verdict.proof && (await factory.evict(m.id, { reason: 'user-freed', by }))) freed.push(m.id);
    return freed;
  }

  async function freeDeadElsewhere(user: UserId, by: string | null): Promise<readonly ManagerId[]> {
    const held = await elsewhere(user);
    const asked = answering(held).map(async (node) => {
      const outcome = await cluster?.ask(node, 'free-unresponsive', { user, label: by }, ANSWER_MS);
      return outcome?.is === 'answer' ? outcome.answer.freed : [];
    });
    const orphans = held
      .filter(({ owner }) => owner === 'dead')
      .map(async ({ digest: { manager } }) => ((await factory.free(user, manager, by)) ? [manager] : []));
    return (await Promise.all([...asked, ...orphans])).flat();
  }

  async function endLogin(user: UserId, family: string | null): Promise<void> {
    for (const id of connections.end(user, family, CLOSE.loggedOut)) {
      const manager = own(user, id);
      if (manager) await factory.leave(manager, 'client-closed');
    }
  }

  const undo = [
    cluster?.handle('sessions', ({ user }) => ({ sessions: here(user, null) })),
    cluster?.handle('free-unresponsive', async ({ user, label }) => ({ freed: await freeDeadHere(user, label) })),
    cluster?.handle('logged-out', async ({ user, family }) => {
      loggedOutElsewhere(user, family);
      await endLogin(user, family);
    }),
  ];

  return {
    limits: (user, tier) => factory.limits(user, tier),
    list: async (user, current) => [...here(user, current), ...(await listElsewhere(user, current))],
    free: async (user, id, by) => ((await factory.free(user, id, by)) ? { freed: [id] } : null),
    async freeUnresponsive(user, by) {
      const [mine, others] = await Promise.all([freeDeadHere(user, by), freeDeadElsewhere(user, by)]);
      return { freed: [...mine, ...others], kept: factory.list(user).length + (await elsewhere(user)).length };
    },
    async loggedOut(user, family) {
      const others = cluster?.nodes().filter(({ card, standing }) => card.node !== factory.node && standing !== 'dead') ?? [];
      await Promise.all([endLogin(user, family), ...others.map(({ card }) => cluster?.tell(card.node, 'logged-out', { user, family }))]);
    },
    [Symbol.dispose]() {
      for (const end of undo) end?.();
    },
  };
}

/** A session of a node that does not answer, or is gone. */
const lastKnown = ({ digest, owner, toldAt, seatedAt }: ManagerElsewhere, current: ManagerId | null): SessionInfo => ({
  id: digest.manager,
  label: null,
  client: 'unknown',
  verdict: owner === 'dead' ? 'inactive' : 'unknown',
  connected: owner !== 'dead' && digest.verdict !== 'inactive',
  visibility: digest.hidden ? 'hidden' : 'unknown',
  openedAt: seatedAt,
  lastEvidenceAt: toldAt,
  threads: [],
  running: owner !== 'dead' && digest.run,
  seat: 'soft',
  current: digest.manager === current,
  outdated: true,
});

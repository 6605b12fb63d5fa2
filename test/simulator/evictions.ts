import type { ManagerId } from '../../src/protocol/ids.ts';
import type { SimulatedClient } from './client.ts';
import type { VirtualConnection } from './virtual-transport.ts';
import type { OpenSocket, World } from './world.ts';

/** After its linger and the time for proof a socket is gone or counted as stuck. */
const SLACK_MS = 150;

/** A page with trouble of its own may miss its farewell. */
const WELL_FOR_MS = 1_000;

/** I23: each eviction has its close event or is in quarantine; sockets stay within bounds. */
export class Evictions {
  readonly #world: World;
  #ended: { readonly socket: OpenSocket; readonly manager: ManagerId; readonly dueAt: number }[] = [];
  readonly #managers = new Map<ManagerId, OpenSocket>();
  /** Whose managers have ended. */
  readonly #parting = new WeakSet<VirtualConnection>();

  constructor(world: World) {
    this.#world = world;
  }

  crashed(): void {
    this.#ended = [];
    this.#managers.clear();
  }

  /** A page that is well was evicted and is told nothing: it would come back at once. */
  cutOff(page: SimulatedClient): void {
    const { connection } = page;
    const isQuick = page.traits.frameMs === 0 && page.traits.wakesEveryMs === null;
    if (connection === null || !isQuick || !page.isWell(WELL_FOR_MS) || !this.#parting.has(connection)) return;
    this.#world.violated('D14', `${page.name} was evicted, and its connection was cut without a word`);
  }

  ended(manager: ManagerId): void {
    const socket = this.#managers.get(manager);
    this.#managers.delete(manager);
    if (socket === undefined || socket.connection.isGone) return;
    this.#parting.add(socket.connection);
    this.#ended.push({ socket, manager, dueAt: this.#world.clock.now + this.#graceMs });
  }

  get #graceMs(): number {
    const { lingerModerateMs, proofMs } = this.#world.factory.options.cleanup;
    return lingerModerateMs + proofMs + SLACK_MS;
  }

  inspect(): void {
    const { clock, factory, sockets } = this.#world;
    for (const socket of sockets) {
      const manager = this.#world.managerOf(socket.client);
      if (manager && manager.attachment?.transport === socket.connection) this.#managers.set(manager.id, socket);
    }
    this.#ended = this.#ended.filter(({ socket }) => !socket.connection.isGone);
    // A farewell that our stall held up begins after it.
    const overdue = this.#ended.filter(({ dueAt }) => clock.now > Math.max(dueAt, clock.stalledUntil + this.#graceMs));
    if (overdue.length > factory.quarantined) {
      this.#world.violated(
        'I23',
        `${overdue.length} evicted managers (${overdue[0]?.manager}) have an open socket, and ${factory.quarantined} are in quarantine`,
      );
      this.#ended = [];
    }
    const hard = factory.options.limits.burst.perUser;
    for (const user of this.#world.users) {
      let open = 0;
      for (const socket of sockets) if (socket.user === user.id && socket.isCounted) open++;
      if (open > hard + 10) this.#world.violated('I23', `${user.id} has ${open} sockets, at a hard limit of ${hard}`);
    }
  }
}

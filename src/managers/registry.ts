import type { ManagerId, UserId } from '../protocol/ids.ts';
import type { WebSocketManager } from './manager.ts';

/** The managers of this node that hold a seat or wait for one: one map, and its index by user. */
export class Registry {
  readonly #byId = new Map<ManagerId, WebSocketManager>();
  readonly #byUser = new Map<UserId, Set<WebSocketManager>>();

  get size(): number {
    return this.#byId.size;
  }
  get users(): IterableIterator<UserId> {
    return this.#byUser.keys();
  }
  all(): IterableIterator<WebSocketManager> {
    return this.#byId.values();
  }
  find(id: ManagerId): WebSocketManager | undefined {
    return this.#byId.get(id);
  }
  of(user: UserId): ReadonlySet<WebSocketManager> {
    return this.#byUser.get(user) ?? EMPTY;
  }

  add(manager: WebSocketManager): void {
    this.#byId.set(manager.id, manager);
    const user = manager.user.userId;
    const set = this.#byUser.get(user);
    if (set) set.add(manager);
    else this.#byUser.set(user, new Set([manager]));
  }

  /** Removes this very object; another one that took its id stays. */
  remove(manager: WebSocketManager): void {
    if (this.#byId.get(manager.id) === manager) this.#byId.delete(manager.id);
    const set = this.#byUser.get(manager.user.userId);
    set?.delete(manager);
    if (set?.size === 0) this.#byUser.delete(manager.user.userId);
  }
}

const EMPTY: ReadonlySet<WebSocketManager> = new Set();

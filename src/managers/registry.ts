import type { ManagerId, UserId } from '../protocol/ids.ts';
import type { WebSocketManager } from './manager.ts';

/** The managers of this node that hold a seat: one map, and its index by user. */
export class Registry {
  readonly #byId = new Map<ManagerId, WebSocketManager>();
  readonly #byUser = new Map<UserId, Set<WebSocketManager>>();
  readonly #limit: number;
  readonly #changed: (user: UserId) => void;
  #atLimit = 0;

  /** `limit`: from how many managers on a user is at its limit. `changed` hears whose managers are more or fewer. */
  constructor(limit = Number.POSITIVE_INFINITY, changed: (user: UserId) => void = () => {}) {
    this.#limit = limit;
    this.#changed = changed;
  }

  get size(): number {
    return this.#byId.size;
  }
  get users(): IterableIterator<UserId> {
    return this.#byUser.keys();
  }
  get userCount(): number {
    return this.#byUser.size;
  }
  /** Users with as many managers as their limit allows, or more. */
  get usersAtLimit(): number {
    return this.#atLimit;
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
    const set = this.#byUser.get(user) ?? new Set();
    this.#byUser.set(user, set);
    const before = set.size;
    set.add(manager);
    if (before < this.#limit && set.size >= this.#limit) this.#atLimit++;
    this.#changed(user);
  }

  /** Removes this very object; another one that took its id stays. */
  remove(manager: WebSocketManager): void {
    if (this.#byId.get(manager.id) === manager) this.#byId.delete(manager.id);
    const set = this.#byUser.get(manager.user.userId);
    if (set === undefined) return;
    const before = set.size;
    set.delete(manager);
    if (before >= this.#limit && set.size < this.#limit) this.#atLimit--;
    if (set.size === 0) this.#byUser.delete(manager.user.userId);
    this.#changed(manager.user.userId);
  }
}

const EMPTY: ReadonlySet<WebSocketManager> = new Set();

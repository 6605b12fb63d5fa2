import type { ManagerId, UserId } from '../protocol/ids.ts';
import type { WebSocketManager } from './manager.ts';

/** The managers of this node that hold a seat: one map, and its index by user. */
export class Registry {
  readonly #byId = new Map<ManagerId, WebSocketManager>();
  readonly #byUser = new Map<UserId, Set<WebSocketManager>>();
  readonly #limit: number;
  readonly #changed: (user: UserId) => void;
  readonly #elsewhere: (user: UserId) => number;
  readonly #full = new Set<UserId>();

  /** `limit`: from how many managers on a user is at its limit; `elsewhere` tells how many more other nodes hold. `changed` hears whose
   *  managers are more or fewer. */
  constructor(limit = Number.POSITIVE_INFINITY, changed: (user: UserId) => void = () => {}, elsewhere: (user: UserId) => number = () => 0) {
    this.#limit = limit;
    this.#changed = changed;
    this.#elsewhere = elsewhere;
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
  /** Users who are here and have as many managers, here and elsewhere, as their limit allows, or more. */
  get usersAtLimit(): number {
    return this.#full.size;
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
    set.add(manager);
    this.recount(user);
    this.#changed(user);
  }

  /** Removes this very object; another one that took its id stays. */
  remove(manager: WebSocketManager): void {
    if (this.#byId.get(manager.id) === manager) this.#byId.delete(manager.id);
    const set = this.#byUser.get(manager.user.userId);
    if (set === undefined) return;
    set.delete(manager);
    if (set.size === 0) this.#byUser.delete(manager.user.userId);
    this.recount(manager.user.userId);
    this.#changed(manager.user.userId);
  }

  /** The user has more or fewer managers here or elsewhere. */
  recount(user: UserId): void {
    const here = this.of(user).size;
    if (here > 0 && here + this.#elsewhere(user) >= this.#limit) this.#full.add(user);
    else this.#full.delete(user);
  }
}

const EMPTY: ReadonlySet<WebSocketManager> = new Set();

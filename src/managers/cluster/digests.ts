import type { UserId } from '../../protocol/ids.ts';
import type { Context } from '../context.ts';
import { digestOf } from '../node.ts';

/** What changes within this time is told at once. */
const GATHER_MS = 100;

/** Managers that the store is told of in one question. */
const BATCH = 500;

/** Keeps what other nodes know of this node's managers true while it matters: who is dead, and all of users near their limit. Of the rest
 *  they learn with the renewals of their seats. */
export class Digests {
  readonly #context: Context;
  readonly #due = new Set<UserId>();
  #cancel: (() => void) | null = null;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Something that other nodes are told has changed for a manager of `user`. `isLife`: it died, or is back: a seat that nobody uses must
   *  not make any node say that a user has no room. */
  changed(user: UserId, isLife = false): void {
    const { cluster, elsewhere, registry, options, clock, telemetry } = this.#context;
    if (cluster === null) return;
    const isNear = elsewhere.count(user) + registry.of(user).size >= options.cleanup.watchOn * options.limits.perUser;
    if (!isLife && !isNear) return;
    this.#due.add(user);
    this.#cancel ??= clock.after(GATHER_MS, () => {
      this.#cancel = null;
      const users = [...this.#due];
      this.#due.clear();
      this.tell(users).catch((error: unknown) => telemetry.record({ severity: 'WARNING', event: 'lease-renewal-failed', message: String(error) }));
    });
  }

  /** Tells the store of all managers of these users now. What became of their seats meanwhile, the next renewal finds. */
  async tell(users: readonly UserId[]): Promise<void> {
    const { registry, store, node, options } = this.#context;
    const batch = users.flatMap((user) =>
      [...registry.of(user)].flatMap((manager) => (manager.seat === null ? [] : [{ user, digest: digestOf(this.#context, manager, manager.seat.token) }])),
    );
    for (let from = 0; from < batch.length; from += BATCH) await store.seats.renew(node, batch.slice(from, from + BATCH), options.lease.ttlMs);
  }

  stop(): void {
    this.#cancel?.();
  }
}

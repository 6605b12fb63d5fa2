/** What the hooks below one provider share. */

import type { Notice, SpillwayClient } from '../client/index.ts';
import { later } from '../client/timers.ts';
import { ThreadStore } from './thread-store.ts';

/** How many providers hold a client. */
const holders = new WeakMap<SpillwayClient, number>();

/** Connects the client for as long as somebody holds it. Returns how to let go: if nobody has taken hold again a macrotask later, as
 *  React's StrictMode does, the client is closed. */
export function hold(client: SpillwayClient): () => void {
  holders.set(client, (holders.get(client) ?? 0) + 1);
  client.connect().catch(() => {
    // The state says why, and components show it.
  });
  return () => {
    holders.set(client, (holders.get(client) ?? 1) - 1);
    later(0, () => {
      if (holders.get(client) === 0) void client.close();
    });
  };
}

export class Shared {
  readonly client: SpillwayClient;
  readonly #threads = new Map<string, ThreadStore>();
  readonly #listeners = new Set<() => void>();
  /** Versions that the person has put away, by notice. */
  #dismissed: ReadonlyMap<string, number> = new Map();
  #shown: { readonly from: readonly Notice[]; readonly dismissed: ReadonlyMap<string, number>; readonly notices: readonly Notice[] } | null = null;

  constructor(client: SpillwayClient) {
    this.client = client;
  }

  thread(id: string, isNew: boolean): ThreadStore {
    const store = this.#threads.get(id) ?? new ThreadStore(this.client, id, isNew);
    this.#threads.set(id, store);
    return store;
  }

  readonly subscribeNotices = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    const offs = [this.client.on('notice', listener), this.client.on('state', listener)];
    return () => {
      this.#listeners.delete(listener);
      for (const off of offs) off();
    };
  };

  /** Notices without those put away; the same array as long as nothing changes. */
  readonly notices = (): readonly Notice[] => {
    const { notices: from } = this.client;
    const dismissed = this.#dismissed;
    if (this.#shown?.from !== from || this.#shown.dismissed !== dismissed) {
      this.#shown = { from, dismissed, notices: from.filter((n) => dismissed.get(n.id) !== n.version) };
    }
    return this.#shown.notices;
  };

  /** Puts a notice away. If the gateway says something newer under the same id, that is shown. */
  readonly dismiss = (id: string): void => {
    const notice = this.client.notices.find((n) => n.id === id);
    if (notice === undefined) return;
    this.#dismissed = new Map([...this.#dismissed, [id, notice.version]]);
    for (const listener of [...this.#listeners]) listener();
  };
}

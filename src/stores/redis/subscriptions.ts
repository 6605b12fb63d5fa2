import type { Client } from './client.ts';

type Hear = (message: string) => void;

/** How often one subscription is said again: a connection on which nobody says anything never notices that it was cut off. */
const SAY_AGAIN_MS = 2_000;

/** Who listens on which channel, over one connection made for the first of them. Messages are hints: some get lost, all of them while
 *  there is no connection. */
export class Subscriptions {
  readonly #connect: () => Client;
  readonly #listeners = new Map<string, Set<Hear>>();
  #client: Client | null = null;
  #saying: NodeJS.Timeout | undefined;
  #isUnanswered = false;
  #isClosed = false;

  constructor(connect: () => Client) {
    this.#connect = connect;
  }

  /** Calls `hear` with each message on `channel`. Returns the undo. After `close` nothing comes. */
  listen(channel: string, hear: Hear): () => void {
    if (this.#isClosed) return () => {};
    const client = this.#client ?? this.#open();
    let listeners = this.#listeners.get(channel);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(channel, listeners);
      // Refused for good, or cut off: the reader asks by itself, only less often.
      client.subscribe(channel).catch(() => {});
    }
    const own: Hear = (message) => hear(message);
    listeners.add(own);
    return () => this.#drop(channel, own);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#saying);
    this.#listeners.clear();
    this.#client?.disconnect();
    this.#client = null;
  }

  #open(): Client {
    const client = this.#connect();
    this.#client = client;
    client.on('message', (channel: string, message: string) => {
      for (const hear of this.#listeners.get(channel) ?? []) hear(message);
    });
    client.connect().catch(() => {
      // It goes on trying; what it meets is heard as `error`.
    });
    this.#saying = setInterval(() => this.#sayAgain(client), SAY_AGAIN_MS).unref();
    return client;
  }

  /** Also a subscription that was lost comes back so. */
  #sayAgain(client: Client): void {
    const [channel] = this.#listeners.keys();
    if (channel === undefined || client.status !== 'ready') {
      this.#isUnanswered = false;
      return;
    }
    if (this.#isUnanswered) {
      this.#isUnanswered = false;
      client.disconnect(true);
      return;
    }
    this.#isUnanswered = true;
    client
      .subscribe(channel)
      // Refused is answered too.
      .catch(() => {})
      .finally(() => {
        this.#isUnanswered = false;
      });
  }

  #drop(channel: string, own: Hear): void {
    const listeners = this.#listeners.get(channel);
    if (listeners === undefined || !listeners.delete(own) || listeners.size > 0) return;
    this.#listeners.delete(channel);
    this.#client?.unsubscribe(channel).catch(() => {});
  }
}

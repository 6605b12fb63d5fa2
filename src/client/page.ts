/** The page around the client: whether it is seen, when it comes back to life, and what a person does to it. Without a page
 *  (Node, workers) nothing happens. */

import type { Visibility } from '../protocol/messages.ts';
import { later } from './timers.ts';

export interface PageOptions {
  readonly parkAfterHiddenMs: number | false;
  visibility(state: Visibility): void;
  /** It may have slept, or its network went or came: transports may be dead without anybody having said so. */
  woke(): void;
  /** A person did something here, or looked at it again. */
  personActed(): void;
  /** Hidden for long. Returns false if that must not count yet. */
  mayPark(): boolean;
  park(): void;
}

/** How long to wait before asking again whether a page that is still in use may be parked. */
const ASK_AGAIN_MS = 15_000;

export class Page {
  readonly #options: PageOptions;
  #stopParking = (): void => {};
  #stopListening = (): void => {};
  #isFrozen = false;

  constructor(options: PageOptions) {
    this.#options = options;
  }

  get visibility(): Visibility {
    if (this.#isFrozen) return 'frozen';
    return globalThis.document?.visibilityState === 'hidden' ? 'hidden' : 'visible';
  }

  /** Listens until `leave`. */
  enter(): void {
    if (!globalThis.document) return;
    this.leave();
    const ending = new AbortController();
    const listen = (target: EventTarget, names: readonly string[], action: (event: Event) => unknown): void => {
      for (const name of names) target.addEventListener(name, action, { signal: ending.signal, passive: true, capture: true });
    };
    listen(document, ['visibilitychange', 'freeze', 'resume'], ({ type }) => {
      this.#isFrozen = type === 'freeze';
      this.#changed();
    });
    // Offline too: the network goes without closing a socket, and asking shows it in seconds instead of the dead-man timer's time.
    listen(window, ['pageshow', 'online', 'offline'], () => this.#options.woke());
    listen(window, ['pointerdown', 'keydown'], () => this.#options.personActed());
    // Captured focus events come from every field of the page; only the window's own says that somebody came back.
    listen(window, ['focus'], ({ target }) => target === window && this.#options.personActed());
    this.#stopListening = () => ending.abort();
    this.#watchHidden();
  }

  leave(): void {
    this.#stopListening();
    this.#stopParking();
  }

  #changed(): void {
    const { visibility } = this;
    this.#options.visibility(visibility);
    if (visibility === 'visible') {
      this.#options.personActed();
      this.#options.woke();
    }
    this.#watchHidden();
  }

  #watchHidden(): void {
    this.#stopParking();
    const { parkAfterHiddenMs } = this.#options;
    if (parkAfterHiddenMs === false || this.visibility === 'visible') return;
    const ask = (): void => {
      if (this.#options.mayPark()) this.#options.park();
      else this.#stopParking = later(ASK_AGAIN_MS, ask);
    };
    this.#stopParking = later(parkAfterHiddenMs, ask);
  }
}

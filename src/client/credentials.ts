/** Who connects, and where to: asked anew for every attempt. */

import { webSocketUrl } from './http.ts';
import type { ClientOptions } from './types.ts';

type Reason = 'connect' | 'expiring' | 'rejected';
type Options = Pick<ClientOptions, 'url' | 'getToken'>;

export class Credentials {
  readonly #options: Options;
  #reason: Reason = 'connect';
  #latest: string | null = null;
  #wasAccepted = false;
  #address: URL | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  async url(): Promise<URL> {
    const { url } = this.#options;
    this.#address = webSocketUrl(typeof url === 'function' ? await url() : url);
    // A ticket admits once; from then on the resume token says who comes back.
    if (this.#wasAccepted && typeof url !== 'function') this.#address.searchParams.delete('ticket');
    return this.#address;
  }

  /** Where the last attempt went: asking an application again may cost it a ticket. */
  async currentUrl(): Promise<URL> {
    return this.#address ?? this.url();
  }

  /** A token for the next attempt, or null where the application gives none. */
  async token(reason: Reason = this.#reason): Promise<string | null> {
    this.#latest = (await this.#options.getToken?.({ reason })) ?? null;
    return this.#latest;
  }

  /** The token that was good enough last time, else a new one: a list of sessions needs no log-in of its own. */
  async current(): Promise<string | null> {
    return this.#latest ?? this.token('connect');
  }

  /** The gateway knows us. */
  accepted(): void {
    this.#reason = 'connect';
    this.#wasAccepted = true;
  }

  /** The gateway says that the credential has expired. Returns whether another one can be had. */
  rejected(): boolean {
    this.#latest = null;
    this.#reason = 'rejected';
    return this.#options.getToken !== undefined || typeof this.#options.url === 'function';
  }

  /** Whether `error`, thrown while dialling, means that no fresh credential can be had. `fetch` without a network throws a TypeError. */
  isOver(error: unknown): boolean {
    return this.#reason === 'rejected' && !(error instanceof TypeError);
  }
}

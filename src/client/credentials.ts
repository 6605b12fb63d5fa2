/** Who connects, and where to: asked anew for every attempt. */

import { webSocketUrl } from './http.ts';
import type { ClientOptions } from './types.ts';

type Options = Pick<ClientOptions, 'url' | 'getToken'>;

export class Credentials {
  readonly #options: Options;
  #reason: 'connect' | 'rejected' = 'connect';
  #latest: string | null = null;
  #wasAccepted = false;

  constructor(options: Options) {
    this.#options = options;
  }

  async url(): Promise<URL> {
    const { url } = this.#options;
    if (typeof url === 'function') return webSocketUrl(await url());
    const address = webSocketUrl(url);
    // A ticket admits once; from then on the resume token says who comes back.
    if (this.#wasAccepted) address.searchParams.delete('ticket');
    return address;
  }

  /** A token for the next attempt, or null where the application gives none. */
  async token(reason = this.#reason): Promise<string | null> {
    const { getToken } = this.#options;
    if (getToken === undefined) return null;
    const token = await getToken({ reason });
    this.#latest = token;
    return token;
  }

  /** The token that was good enough last time, else a new one: a list of sessions needs no log-in of its own. */
  async current(): Promise<string | null> {
    return this.#latest ?? (await this.token('connect'));
  }

  async renew(): Promise<string | null> {
    const { getToken } = this.#options;
    if (getToken === undefined) return null;
    this.#latest = await getToken({ reason: 'expiring' });
    return this.#latest;
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

/** Who is signed in. The credentials are shared by all tabs of this browser: tokens rotate, so one tab at a time renews
 *  them (Web Locks) and the others read what it got. */

import { recall, remember } from '../ui/stored.ts';
import { call, HttpProblem } from './http.ts';
import { Vault } from './vault.ts';

export interface User {
  readonly id: string;
  readonly name: string;
  readonly tier: string;
}

export interface Credentials {
  readonly accessToken: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  readonly refreshToken: string;
  readonly refreshExpiresAt: number;
  readonly user: User;
}

export type AccountState =
  | { readonly name: 'in'; readonly user: User }
  /** `expired`: no fresh credential can be had; `user` is who it was. */
  | { readonly name: 'out'; readonly because: 'nobody' | 'signed-out' | 'expired'; readonly user: User | null };

/** No fresh credential can be had: the person has to sign in again. */
export class SignInNeeded extends Error {
  override readonly name = 'SignInNeeded';
  constructor() {
    super('Please sign in again.');
  }
}

const KEY = 'spillway.account';
/** Stands in place of the credentials after they could not be renewed, so that every tab says so, also after a reload. */
const EXPIRED = JSON.stringify({ ended: 'expired' });
const LOCK = 'spillway.account.refresh';
/** A token that would end during the request it is for is renewed first. */
const MARGIN_MS = 20_000;

export class Account {
  #credentials: Credentials | null = read();
  #state: AccountState =
    this.#credentials === null
      ? { name: 'out', because: recall(KEY) === EXPIRED ? 'expired' : 'nobody', user: null }
      : { name: 'in', user: this.#credentials.user };
  #renewal: Promise<string> | null = null;
  /** What counts when a token is renewed; the copy in `localStorage` is for a quick start and tells the other tabs. */
  readonly #vault = new Vault<Credentials>();
  readonly #listeners = new Set<() => void>();

  constructor() {
    addEventListener('storage', (event) => {
      if (event.key === KEY || event.key === null) this.#take(read(), recall(KEY) === EXPIRED ? 'expired' : 'signed-out');
    });
  }

  get state(): AccountState {
    return this.#state;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  async signIn(username: string, password: string): Promise<void> {
    await this.#write(await call<Credentials>('v1/auth/login', { method: 'POST', body: { username, password } }));
  }

  /** Ends the sign-in in every tab of this browser. If the server cannot be told, its tokens end by themselves. */
  async signOut(): Promise<void> {
    const refreshToken = this.#credentials?.refreshToken;
    remember(KEY, null);
    this.#take(null, 'signed-out');
    await this.#vault.write(null);
    if (refreshToken !== undefined) await endSignIn(refreshToken);
  }

  /** Drops credentials that the gateway does not take any more; what is on the screen stays. */
  async expire(): Promise<void> {
    await this.#vault.write(null);
    remember(KEY, EXPIRED);
    this.#take(null, 'expired');
  }

  /** A token that holds now and is not `refused`, the last one that the gateway did not take or that is about to expire.
   *  Rejects with `SignInNeeded`, or with what `fetch` throws when nothing answers. */
  async token(refused?: string): Promise<string> {
    const current = this.#credentials;
    if (current === null) throw new SignInNeeded();
    if (current.accessToken !== refused && current.expiresAt - MARGIN_MS > Date.now()) return current.accessToken;
    this.#renewal ??= this.#renew(current.accessToken).finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  /** A request in the person's name. A refused token is renewed once. */
  async call<T>(path: string, options: Parameters<typeof call>[1] = {}): Promise<T> {
    const token = await this.token();
    try {
      return await call<T>(path, { ...options, token });
    } catch (error) {
      if (!(error instanceof HttpProblem) || error.status !== 401) throw error;
      return call<T>(path, { ...options, token: await this.token(token) });
    }
  }

  async #renew(used: string): Promise<string> {
    return exclusively(async () => {
      const kept = await this.#vault.read();
      const stored = kept ?? read() ?? this.#credentials;
      if (stored !== null && stored.accessToken !== used) {
        // Another tab was quicker.
        this.#take(stored, 'expired');
        return stored.accessToken;
      }
      if (stored === null) throw new SignInNeeded();
      try {
        const fresh = await call<Credentials>('v1/auth/refresh', { method: 'POST', body: { refreshToken: stored.refreshToken } });
        const isOut = this.#credentials === null || (kept !== null && (await this.#vault.read())?.refreshToken !== kept.refreshToken);
        if (isOut) {
          // Somebody signed out meanwhile, here or in another tab: what has just come must not undo that.
          await endSignIn(fresh.refreshToken).catch(ignoreUnheard);
          throw new SignInNeeded();
        }
        await this.#write(fresh);
        return fresh.accessToken;
      } catch (error) {
        if (!(error instanceof HttpProblem) || error.status !== 401) throw error;
        if (this.#credentials === null) throw new SignInNeeded();
        const since = await this.#vault.read();
        if (since !== null && since.refreshToken !== stored.refreshToken) {
          // Somebody signed in meanwhile in another tab.
          this.#take(since, 'expired');
          return since.accessToken;
        }
        await this.expire();
        throw new SignInNeeded();
      }
    });
  }

  async #write(credentials: Credentials): Promise<void> {
    await this.#vault.write(credentials);
    remember(KEY, JSON.stringify(credentials));
    this.#take(credentials, 'expired');
  }

  #take(credentials: Credentials | null, ifGone: 'signed-out' | 'expired'): void {
    const before = this.#state;
    this.#credentials = credentials;
    if (credentials === null) {
      if (before.name === 'in') this.#state = { name: 'out', because: ifGone, user: before.user };
    } else if (before.name !== 'in' || before.user.id !== credentials.user.id) this.#state = { name: 'in', user: credentials.user };
    if (this.#state !== before) for (const listener of this.#listeners) listener();
  }
}

const endSignIn = (refreshToken: string): Promise<void> => call('v1/auth/logout', { method: 'POST', body: { refreshToken } });
/** The server did not hear it: the tokens end by themselves. */
const ignoreUnheard = (): void => {};

function read(): Credentials | null {
  try {
    const stored = JSON.parse(recall(KEY) ?? 'null') as Credentials | null;
    return typeof stored?.accessToken === 'string' && typeof stored.user?.id === 'string' ? stored : null;
  } catch {
    // Somebody else wrote there.
    return null;
  }
}

/** Runs `work` while no other tab does. Without Web Locks (pages that are not on HTTPS or loopback) only this tab is kept in order. */
function exclusively<T>(work: () => Promise<T>): Promise<T> {
  return 'locks' in navigator ? (navigator.locks.request(LOCK, work) as Promise<T>) : work();
}

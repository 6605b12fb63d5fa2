import { type Clock, systemClock } from '../ports/clock.ts';
import { type Random, systemRandom } from '../ports/random.ts';
import type { CredentialStore } from '../ports/store.ts';
import type { UserId } from '../protocol/ids.ts';
import type { UserInfo } from '../protocol/messages.ts';
import { createAccessTokens } from './access-tokens.ts';
import { bearerOf } from './bearer.ts';
import { digestOf, isCredential, spellCredential } from './digest.ts';
import { createEndedFamilies, newFamily } from './families.ts';
import type { Authenticator } from './identity.ts';
import { createPasswords } from './passwords.ts';
import { createRateLimit } from './rate-limit.ts';
import { type Account, readUsersFile } from './users-file.ts';

export interface LoginSession {
  readonly accessToken: string;
  /** End of the access token, milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  readonly refreshToken: string;
  /** End of the refresh token, milliseconds since the Unix epoch. */
  readonly refreshExpiresAt: number;
  readonly user: UserInfo;
}
export type LoginAnswer =
  | { readonly is: 'ok'; readonly session: LoginSession }
  /** Wrong password or unknown name: the answer and the time it takes do not tell which. */
  | { readonly is: 'invalid' }
  | { readonly is: 'too-many'; readonly retryAfterMs: number };
export type RefreshAnswer =
  | { readonly is: 'ok'; readonly session: LoginSession }
  | { readonly is: 'invalid' }
  /** The token had been rotated: somebody else has it too, so its log-in has been ended. */
  | { readonly is: 'reused'; readonly user: UserId; readonly family: string };

/** Accounts with passwords, and the tokens that a log-in gives. */
export interface Accounts {
  /** Recognises this module's own access tokens (mode `dev`). */
  readonly authenticator: Authenticator;
  /** Whether the log-in that a token grew from was ended since. For tokens that outlive it by themselves, such as resume tokens. */
  isLoggedOut(token: { readonly user: UserId; readonly family: string | null }): boolean;
  /** `address` is where the attempt came from: attempts are counted by name and address. */
  login(attempt: { readonly username: string; readonly password: string; readonly address: string }): Promise<LoginAnswer>;
  /** A new pair for a refresh token, which is then used up. */
  refresh(refreshToken: string): Promise<RefreshAnswer>;
  /** Ends a log-in, or all of its user. Answers whose managers end: those of `family`, or all of the user's for null. Null for an
   *  unknown token, which ends nothing. */
  logout(refreshToken: string, everywhere: boolean): Promise<{ readonly user: UserId; readonly family: string | null } | null>;
  /** Another node has ended a log-in, or all of a user's up to now (`family` null): its access tokens are void here too. */
  loggedOutElsewhere(user: UserId, family: string | null): void;
}

export interface AccountsOptions {
  /** Where the accounts are: a file that `readUsersFile` reads, or the accounts themselves. Exactly one is given. */
  readonly usersFile?: string;
  readonly users?: readonly Account[];
  readonly signingKey: Uint8Array;
  readonly store: CredentialStore;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly tokenTtlMs: number;
  readonly refreshTtlMs: number;
  readonly loginsPerMinute: number;
}

/** How long a caller waits when too many passwords are being checked. */
const BUSY_RETRY_MS = 1_000;

/** Accounts of `auth.mode: dev`. Throws a `SpillwayError` for an unusable users file. */
export function createAccounts(options: AccountsOptions): Accounts {
  const { signingKey, store, clock = systemClock, random = systemRandom, tokenTtlMs, refreshTtlMs } = options;
  const accounts = options.users ?? readUsersFile(options.usersFile ?? '');
  const byUsername = new Map(accounts.map((account) => [account.username, account]));
  const byId = new Map(accounts.map((account) => [account.id, account]));
  const tokens = createAccessTokens(signingKey, clock);
  const passwords = createPasswords();
  const attempts = createRateLimit({ limit: options.loginsPerMinute, windowMs: 60_000, clock });
  const ended = createEndedFamilies(clock, tokenTtlMs);
  const isLoggedOut: Accounts['isLoggedOut'] = ({ user, family }) => family !== null && ended.has(user, family);

  async function openSession(account: Account, family: string, refreshToken: string): Promise<LoginSession> {
    const { id, name, tier } = account;
    const now = clock.wall();
    const expiresAt = now + tokenTtlMs;
    const accessToken = await tokens.mint({ user: id, name, tier, expiresAt, family });
    return { accessToken, expiresAt, refreshToken, refreshExpiresAt: now + refreshTtlMs, user: { id, name, tier } };
  }

  return {
    authenticator: {
      mode: 'dev',
      async recognise(request) {
        const token = bearerOf(request);
        const answer = token === null ? ({ is: 'invalid' } as const) : await tokens.verify(token);
        if (answer.is !== 'ok') return answer;
        return isLoggedOut(answer.identity) ? { is: 'invalid' } : answer;
      },
    },

    isLoggedOut,

    async login({ username, password, address }) {
      const retryAfterMs = attempts.take(`${address}\n${username}`);
      if (retryAfterMs > 0) return { is: 'too-many', retryAfterMs };
      const account = byUsername.get(username);
      const fits = await passwords.check(password, account?.passwordHash ?? null);
      if (fits === 'busy') return { is: 'too-many', retryAfterMs: BUSY_RETRY_MS };
      if (!fits || account === undefined) return { is: 'invalid' };
      const family = newFamily(clock, random);
      const refreshToken = spellCredential(random.bytes(32));
      await store.putRefresh(digestOf(refreshToken), { user: account.id, family }, refreshTtlMs);
      return { is: 'ok', session: await openSession(account, family, refreshToken) };
    },

    async refresh(refreshToken) {
      if (!isCredential(refreshToken)) return { is: 'invalid' };
      const next = spellCredential(random.bytes(32));
      const answer = await store.rotateRefresh(digestOf(refreshToken), digestOf(next), refreshTtlMs);
      if (answer.is === 'unknown') return { is: 'invalid' };
      const { user, family } = answer.refresh;
      if (answer.is === 'reused') {
        ended.end(family);
        return { is: 'reused', user, family };
      }
      const account = byId.get(user);
      if (account !== undefined) return { is: 'ok', session: await openSession(account, family, next) };
      // The account was taken out of the file since the log-in.
      await store.revokeRefresh(digestOf(next), true);
      return { is: 'invalid' };
    },

    async logout(refreshToken, everywhere) {
      if (!isCredential(refreshToken)) return null;
      const refresh = await store.revokeRefresh(digestOf(refreshToken), everywhere);
      if (refresh === null) return null;
      if (everywhere) ended.endAll(refresh.user);
      else ended.end(refresh.family);
      return { user: refresh.user, family: everywhere ? null : refresh.family };
    },

    loggedOutElsewhere(user, family) {
      if (family === null) ended.endAll(user);
      else ended.end(family);
    },
  };
}

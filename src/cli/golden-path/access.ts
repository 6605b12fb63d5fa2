import { randomBytes } from 'node:crypto';
import { hash } from '@node-rs/argon2';
import { decodeJwt } from 'jose';
import type { Account } from '../../auth/users-file.ts';
import type { ServerOptions } from '../../core/options.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { isUserId, type UserId } from '../../protocol/ids.ts';

/** Who asks on the golden path. Nobody's own name looks like it; drills call themselves `drill:…`. */
export const GOLDEN_USER = 'spillway:golden-path' as UserId;

/** How the client of the golden path gets in, or why there is none. */
export type GoldenAccess =
  | {
      readonly is: 'on';
      readonly user: UserId;
      /** To be known to the gateway beside the accounts of people; null where another issuer makes the tokens. */
      readonly account: Account | null;
      /** Signs in at a gateway, as a person would. Rejects if it is not let in. */
      logIn(url: string, signal: AbortSignal): Promise<LogIn>;
    }
  | { readonly is: 'off'; readonly why: string };

/** A log-in that is under way until it is ended. */
export interface LogIn {
  readonly token: string;
  logOut(): Promise<void>;
}

/** With `auth.mode: dev`: an account of its own, whose password only this process ever knows. Else the token it was given.
 *  @throws SpillwayError for a token that is none. */
export async function goldenAccess({ auth, goldenPath }: Pick<ServerOptions, 'auth' | 'goldenPath'>): Promise<GoldenAccess> {
  if (goldenPath.everyMs === 0) return { is: 'off', why: 'The golden path is off: goldenPath.everyMs is 0.' };
  if (auth.mode === 'dev') return withPassword();
  const { token } = goldenPath;
  if (token === null) return { is: 'off', why: 'The golden path is off: another issuer makes the tokens, and goldenPath.token gives none.' };
  return { is: 'on', user: userOf(token), account: null, logIn: async () => ({ token, logOut: async () => {} }) };
}

async function withPassword(): Promise<GoldenAccess> {
  const password = randomBytes(24).toString('base64url');
  const account = { username: GOLDEN_USER, id: GOLDEN_USER, name: 'Golden path', tier: 'free', passwordHash: await hash(password) };
  return {
    is: 'on',
    user: GOLDEN_USER,
    account,
    async logIn(url, signal) {
      const post = (path: string, body: object, until: AbortSignal): Promise<Response> =>
        fetch(`${url}/v1/auth/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal: until });
      const response = await post('login', { username: account.username, password }, signal);
      if (!response.ok) {
        await response.body?.cancel();
        throw new Error(`log-in: answered ${response.status}`);
      }
      const { accessToken, refreshToken } = (await response.json()) as { accessToken: string; refreshToken: string };
      return {
        token: accessToken,
        async logOut() {
          const answer = await post('logout', { refreshToken }, AbortSignal.timeout(LOG_OUT_MS));
          await answer.body?.cancel();
        },
      };
    },
  };
}

const LOG_OUT_MS = 5_000;

/** Whom the token names: the gateway will read the same. */
function userOf(token: string): UserId {
  try {
    const { sub } = decodeJwt(token);
    if (isUserId(sub)) return sub;
  } catch {
    // Said below; the token itself never is.
  }
  throw new SpillwayError('SPILLWAY_BAD_OPTION', 'Expected `goldenPath.token` to be a JWT with a `sub` that names a user.');
}

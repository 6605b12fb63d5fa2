import { type Clock, systemClock } from '../ports/clock.ts';
import { SpillwayError } from '../protocol/errors.ts';
import { isUserId } from '../protocol/ids.ts';
import type { Authenticator } from './identity.ts';
import { nameOf } from './jwt.ts';
import { isTier } from './tier.ts';

/** An application's own check of a request: the user, or null for a credential that is no good. */
export type Authenticate = (request: Request) => AuthenticatedUser | null | Promise<AuthenticatedUser | null>;
export interface AuthenticatedUser {
  /** 1 to 256 characters without control characters; compared exactly. */
  readonly userId: string;
  readonly name?: string;
  /** Default `free`. */
  readonly tier?: string;
  /** Milliseconds since the Unix epoch. Default: in an hour. */
  readonly expiresAt?: number;
}

const DEFAULT_LIFE_MS = 3_600_000;

/** Makes an authenticator (mode `custom`) of a plain function. What the function throws passes through; an answer that names no
 *  possible user is a mistake of the application and rejects with a `SpillwayError`. */
export function customAuthenticator(authenticate: Authenticate, clock: Clock = systemClock): Authenticator {
  return {
    mode: 'custom',
    async recognise(request) {
      const answer = await authenticate(request);
      if (answer === null) return { is: 'invalid' };
      const { userId, name, tier = 'free', expiresAt = clock.wall() + DEFAULT_LIFE_MS } = answer;
      if (!isUserId(userId)) throw wrong('userId', 'a text of 1 to 256 bytes without control characters', userId);
      if (!isTier(tier)) throw wrong('tier', 'a text of 1 to 32 letters, digits, dots or dashes', tier);
      if (!Number.isFinite(expiresAt)) throw wrong('expiresAt', 'milliseconds since the Unix epoch', expiresAt);
      if (expiresAt <= clock.wall()) return { is: 'expired' };
      return { is: 'ok', identity: { user: userId, name: nameOf(name, userId), tier, expiresAt: Math.floor(expiresAt), family: null } };
    },
  };
}

// The value itself stays out of the message: a user id is nobody's business in a log.
const wrong = (field: string, expected: string, got: unknown): SpillwayError =>
  new SpillwayError(
    'SPILLWAY_BAD_ARGUMENT',
    `Expected \`authenticate\` to answer with \`${field}\` as ${expected}, got ${typeof got}${typeof got === 'string' ? ` of ${got.length} characters` : ''}.`,
  );

import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import { type Clock, systemClock } from '../ports/clock.ts';
import { SpillwayError } from '../protocol/errors.ts';
import { isUserId } from '../protocol/ids.ts';
import { startOf } from '../protocol/utf8.ts';
import { bearerOf } from './bearer.ts';
import { digestOf } from './digest.ts';
import type { Authenticator, Identity, Recognition } from './identity.ts';
import { isTier } from './tier.ts';

export interface JwtOptions {
  /** Shared secret, for `HS…` algorithms. Exactly one of `secret` and `jwksUrl` is given. */
  readonly secret?: string | Uint8Array;
  /** Where the issuer publishes its public keys. */
  readonly jwksUrl?: string;
  /** The `iss` that tokens must carry, if given. */
  readonly issuer?: string;
  /** The `aud` that tokens must carry, if given. */
  readonly audience?: string;
  /** The only algorithms accepted. Default: HS256 for a secret; RS256, PS256, ES256 and EdDSA for a key set. */
  readonly algorithms?: readonly string[];
  /** How far the issuer's clock may be off. Default 5,000. */
  readonly clockToleranceMs?: number;
  readonly clock?: Clock;
}

const ASYMMETRIC = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
const ALLOWED = /^(HS(256|384|512)|[RP]S(256|384|512)|ES(256|384|512)|EdDSA|Ed25519)$/;
/** Verified tokens remembered; at about 500 bytes each this is 5 MB. */
const CACHE_SIZE = 10_000;

/** Recognises the JWTs of an issuer: claims `sub` and `exp` are required, `tier` and `name` optional. A token that ended is
 *  `expired`, everything else that does not verify `invalid`. Throws a `SpillwayError` for options that cannot be meant, and
 *  rejects with one (`retry: 'later'`) while the issuer's keys cannot be had: an outage there is no fault of the token. */
export function jwtAuthenticator(options: JwtOptions): Authenticator {
  const clock = options.clock ?? systemClock;
  const verify = createVerifier(options, clock);
  const recognise = rememberingRecogniser(verify, clock);
  return {
    mode: 'jwt',
    async recognise(request) {
      const token = bearerOf(request);
      return token === null ? { is: 'invalid' } : recognise(token);
    },
  };
}

/** Answers a token from memory while it is good, else by `verify`. Only good tokens are remembered, by their digest: a flood of
 *  forged ones pushes nobody out. */
export function rememberingRecogniser(verify: (token: string) => Promise<Recognition>, clock: Clock): (token: string) => Promise<Recognition> {
  const known = new Map<string, Identity>();
  return async (token) => {
    const digest = digestOf(token);
    const identity = known.get(digest);
    if (identity !== undefined) {
      if (identity.expiresAt > clock.wall()) return { is: 'ok', identity };
      known.delete(digest);
      return { is: 'expired' };
    }
    const answer = await verify(token);
    if (answer.is === 'ok') {
      known.set(digest, answer.identity);
      if (known.size > CACHE_SIZE) known.delete(known.keys().next().value as string);
    }
    return answer;
  };
}

function createVerifier(options: JwtOptions, clock: Clock): (token: string) => Promise<Recognition> {
  const { secret, jwksUrl, issuer, audience } = options;
  const toleranceMs = options.clockToleranceMs ?? 5_000;
  if ((secret === undefined) === (jwksUrl === undefined) || secret?.length === 0) {
    throw new SpillwayError('SPILLWAY_BAD_OPTION', 'Expected exactly one of `secret` (not empty) and `jwksUrl` to check tokens with.');
  }
  const algorithms = options.algorithms ?? (secret === undefined ? ASYMMETRIC : ['HS256']);
  checkAlgorithms(algorithms, secret !== undefined);
  const key = secret === undefined ? remoteKeys(jwksUrl as string) : typeof secret === 'string' ? new TextEncoder().encode(secret) : secret;
  const fixed: JWTVerifyOptions = {
    algorithms: [...algorithms],
    requiredClaims: ['sub', 'exp'],
    clockTolerance: toleranceMs / 1_000,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  };

  return async (token) => {
    try {
      const rules = { ...fixed, currentDate: new Date(clock.wall()) };
      const { payload } = key instanceof Uint8Array ? await jwtVerify(token, key, rules) : await jwtVerify(token, key, rules);
      return identityOf(payload, clock.wall(), toleranceMs);
    } catch (error) {
      if (error instanceof errors.JWTExpired) return { is: 'expired' };
      // Everything that jose finds wrong with the token itself is an error of its own class; what is left is our ground.
      if (error instanceof errors.JOSEError && !isOutage(error)) return { is: 'invalid' };
      throw new SpillwayError(
        'SPILLWAY_ISSUER_UNAVAILABLE',
        `Expected the issuer's keys at ${jwksUrl ?? 'the configured secret'}, got none: ${(error as Error).message}`,
        {
          retry: 'later',
          cause: error,
        },
      );
    }
  };
}

/** jose reports a key set that is slow, missing or garbled with these; `JOSEError` itself is "Expected 200 OK". */
const isOutage = (error: errors.JOSEError): boolean =>
  error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || error.constructor === errors.JOSEError;

function remoteKeys(url: string): JWTVerifyGetKey {
  if (!URL.canParse(url)) throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`jwksUrl\` to be a URL, got "${url}".`);
  return createRemoteJWKSet(new URL(url));
}

function checkAlgorithms(algorithms: readonly string[], withSecret: boolean): void {
  for (const algorithm of algorithms) {
    // A public key used as an HMAC secret is the classic confusion; `none` is no algorithm at all.
    if (ALLOWED.test(algorithm) && algorithm.startsWith('HS') === withSecret) continue;
    const expected = withSecret ? 'HS256, HS384 or HS512 with `secret`' : 'asymmetric ones such as RS256, ES256 or EdDSA with `jwksUrl`';
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`algorithms\` to hold ${expected}, got "${algorithm}".`);
  }
  if (algorithms.length === 0) throw new SpillwayError('SPILLWAY_BAD_OPTION', 'Expected `algorithms` to name at least one algorithm, got none.');
}

/** Latest instant that a `Date` can hold. */
const LATEST_MS = 8_640_000_000_000_000;

/** The identity in verified claims; `invalid` if they are none of ours. `family` is read from nobody else's tokens. */
export function identityOf(payload: JWTPayload, nowMs: number, toleranceMs = 0): Recognition {
  const { sub, exp, tier, name } = payload;
  if (!isUserId(sub) || exp === undefined || (tier !== undefined && !isTier(tier)) || (name !== undefined && typeof name !== 'string'))
    return { is: 'invalid' };
  const expiresAt = Math.min(Math.round(exp * 1_000) + toleranceMs, LATEST_MS);
  // jose compares whole seconds.
  if (expiresAt <= nowMs) return { is: 'expired' };
  return { is: 'ok', identity: { user: sub, name: nameOf(name, sub), tier: tier ?? 'free', expiresAt, family: null } };
}

/** What a person is called; their id where nobody says. Cut to 128 characters, for it travels in every `welcome`. */
export const nameOf = (name: string | undefined, user: string): string => startOf(name?.trim() ?? '', 128) || startOf(user, 128);

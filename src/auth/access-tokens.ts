import { errors, jwtVerify, SignJWT } from 'jose';
import { type Clock, systemClock } from '../ports/clock.ts';
import { deriveKey } from './digest.ts';
import type { Identity, Recognition } from './identity.ts';
import { identityOf } from './jwt.ts';

const ALGORITHM = 'HS256';
const ISSUER = 'spillway';

/** Makes and checks our own access tokens: HS256 JWTs with `sub`, `name`, `tier`, `iat`, `exp` and, for log-ins, `fam`. */
export interface AccessTokens {
  /** A token that ends at `identity.expiresAt`. */
  mint(identity: Identity): Promise<string>;
  verify(token: string): Promise<Recognition>;
}

/** `signingKey` is the node's signing key; the tokens' own key is derived from it. */
export function createAccessTokens(signingKey: Uint8Array, clock: Clock = systemClock): AccessTokens {
  const key = deriveKey(signingKey, 'access token');
  return {
    mint({ user, name, tier, expiresAt, family }) {
      const claims = { name, tier, ...(family === null ? {} : { fam: family }) };
      // Fractions of a second are legal in a NumericDate (RFC 7519), so that the token ends exactly when its answer says.
      const token = new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM }).setIssuer(ISSUER).setSubject(user);
      return token
        .setIssuedAt(Math.floor(clock.wall() / 1_000))
        .setExpirationTime(expiresAt / 1_000)
        .sign(key);
    },

    async verify(token) {
      try {
        const rules = { algorithms: [ALGORITHM], issuer: ISSUER, requiredClaims: ['sub', 'exp'], currentDate: new Date(clock.wall()) };
        const { payload } = await jwtVerify(token, key, rules);
        const answer = identityOf(payload, clock.wall());
        if (answer.is !== 'ok') return answer;
        const family = typeof payload.fam === 'string' ? payload.fam : null;
        return { is: 'ok', identity: { ...answer.identity, family } };
      } catch (error) {
        if (error instanceof errors.JWTExpired) return { is: 'expired' };
        if (error instanceof errors.JOSEError) return { is: 'invalid' };
        throw error;
      }
    },
  };
}

import { SignJWT } from 'jose';
import type { ServerOptions } from '../core/options.ts';
import type { Tier } from '../protocol/ids.ts';

/** A token as the issuer of `auth.jwtSecret` would sign it. `expiresAt`: milliseconds since the Unix epoch. */
export function issuerToken(auth: ServerOptions['auth'], secret: string, user: string, tier: Tier | undefined, expiresAt: number): Promise<string> {
  const claims = new SignJWT(tier === undefined ? {} : { tier }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).setSubject(user);
  claims.setIssuedAt().setExpirationTime(Math.floor(expiresAt / 1_000));
  if (auth.issuer !== null) claims.setIssuer(auth.issuer);
  if (auth.audience !== null) claims.setAudience(auth.audience);
  return claims.sign(new TextEncoder().encode(secret));
}

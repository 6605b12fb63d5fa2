import { errors, jwtVerify, SignJWT } from 'jose';
import { type Clock, systemClock } from '../ports/clock.ts';
import type { OperatorRole } from '../ports/events.ts';
import { deriveKey } from './digest.ts';

const ALGORITHM = 'HS256';
const ISSUER = 'spillway';
const AUDIENCE = 'spillway-admin';

/** What operators may do, least first: a viewer looks, an operator frees seats and starts drills, an admin drains nodes and sets tiers
 *  too. */
export const ROLES = ['viewer', 'operator', 'admin'] as const satisfies readonly OperatorRole[];

export const isRole = (value: unknown): value is OperatorRole => ROLES.some((role) => role === value);

/** Whether somebody in `role` may do what needs `needed`. */
export const mayAct = (role: OperatorRole, needed: OperatorRole): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed);

/** Whose token it is. `expired`: it was good once. `invalid`: forged, malformed, or made for something else. */
export type RoleRecognition =
  | { readonly is: 'ok'; readonly role: OperatorRole; readonly expiresAt: number }
  | { readonly is: 'expired' }
  | { readonly is: 'invalid' };

/** A token for the admin API: an HS256 JWT with `aud: spillway-admin`, `role`, `iat`, `exp`. `signingKey` is the gateway's signing key,
 *  from which the tokens' own key is derived; `expiresAt` is in milliseconds since the Unix epoch. */
export function mintRoleToken(
  signingKey: Uint8Array,
  o: { readonly role: OperatorRole; readonly expiresAt: number },
  clock: Clock = systemClock,
): Promise<string> {
  return new SignJWT({ role: o.role })
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt(Math.floor(clock.wall() / 1_000))
    .setExpirationTime(o.expiresAt / 1_000)
    .sign(deriveKey(signingKey, 'role token'));
}

/** Recognises a token of `mintRoleToken` under the same signing key. */
export async function verifyRoleToken(signingKey: Uint8Array, token: string, clock: Clock = systemClock): Promise<RoleRecognition> {
  const now = clock.wall();
  const rules = { algorithms: [ALGORITHM], issuer: ISSUER, audience: AUDIENCE, requiredClaims: ['exp', 'role'], currentDate: new Date(now) };
  try {
    const { payload } = await jwtVerify(token, deriveKey(signingKey, 'role token'), rules);
    if (!isRole(payload.role)) return { is: 'invalid' };
    const expiresAt = Math.round((payload.exp ?? 0) * 1_000);
    // jose compares whole seconds.
    return expiresAt <= now ? { is: 'expired' } : { is: 'ok', role: payload.role, expiresAt };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return { is: 'expired' };
    if (error instanceof errors.JOSEError) return { is: 'invalid' };
    throw error;
  }
}

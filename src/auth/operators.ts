import { type Clock, systemClock } from '../ports/clock.ts';
import type { OperatorRole } from '../ports/events.ts';
import { adminKeyCheck } from './admin-key.ts';
import { verifyRoleToken } from './role-tokens.ts';

/** Somebody who may use the admin API. */
export interface Operator {
  readonly role: OperatorRole;
  /** Milliseconds since the Unix epoch; null for the admin key, which does not end. */
  readonly expiresAt: number | null;
}

/** `expired`: it was good once. `invalid`: neither the key nor a token of ours. */
export type OperatorRecognition = { readonly is: 'ok'; readonly operator: Operator } | { readonly is: 'expired' } | { readonly is: 'invalid' };

/** Says who presents a credential: the admin key makes an admin, a role token whoever it says. */
export interface Operators {
  recognise(presented: string): Promise<OperatorRecognition>;
}

/** `signingKey`: the gateway's, under which role tokens are signed.
 *  @throws SpillwayError `SPILLWAY_BAD_OPTION` for an admin key that is too short. */
export function createOperators(adminKey: string, signingKey: Uint8Array, clock: Clock = systemClock): Operators {
  const isKey = adminKeyCheck(adminKey);
  return {
    async recognise(presented) {
      if (isKey(presented)) return { is: 'ok', operator: { role: 'admin', expiresAt: null } };
      const found = await verifyRoleToken(signingKey, presented, clock);
      return found.is === 'ok' ? { is: 'ok', operator: { role: found.role, expiresAt: found.expiresAt } } : found;
    },
  };
}

import type { Tier, UserId } from '../protocol/ids.ts';

/** Who somebody is, as an authenticator found it. */
export interface Identity {
  readonly user: UserId;
  readonly name: string;
  readonly tier: Tier;
  /** When the credential ends, milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  /** The log-in it grew from, where we made it ourselves: logging out ends all of a family. */
  readonly family: string | null;
}

export type Recognition =
  | { readonly is: 'ok'; readonly identity: Identity }
  /** It was good once. */
  | { readonly is: 'expired' }
  /** Forged, malformed, used, revoked or unknown. */
  | { readonly is: 'invalid' };

/** Turns a request that carries `Authorization: Bearer …` into an identity. A token inside a frame is put into such a request first. */
export interface Authenticator {
  /** Names for `GET /v1/config`: `dev`, `jwt`, `custom`. */
  readonly mode: string;
  recognise(request: Request): Promise<Recognition>;
}

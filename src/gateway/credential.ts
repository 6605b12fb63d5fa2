import type { Identity, Recognition } from '../auth/identity.ts';
import type { Clock } from '../ports/clock.ts';
import { CLOSE, type CloseCode } from '../protocol/close-codes.ts';
import { afterLong } from './after-long.ts';

/** Share of a credential's life after which the client is asked for a new one. */
const EXPIRING_AT = 0.8;
/** How long a connection outlives its credential. */
const GRACE_MS = 10_000;

export interface CredentialWatch {
  recognise(token: string): Promise<Recognition>;
  expiring(expiresAt: number): void;
  /** The connection ends: no new credential came, or one of another user. */
  over(close: CloseCode): void;
}

/** What a connection is allowed by: asks for renewal in time, and ends the connection when it is not renewed. */
export class Credential {
  readonly #clock: Clock;
  readonly #watch: CredentialWatch;
  #identity: Identity;
  #cancel: () => void = () => {};
  #ended = false;

  constructor(identity: Identity, clock: Clock, watch: CredentialWatch) {
    this.#identity = identity;
    this.#clock = clock;
    this.#watch = watch;
    this.#arm();
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** Takes the place of the present one, if it is the same user's. */
  renew(token: string, ok: (expiresAt: number) => void): void {
    this.#watch.recognise(token).then(
      (answer) => {
        if (this.#ended) return;
        if (answer.is !== 'ok') {
          this.#over(answer.is === 'expired' ? CLOSE.credentialExpired : CLOSE.unauthorized);
          return;
        }
        if (answer.identity.user !== this.#identity.user) {
          this.#over(CLOSE.unauthorized);
          return;
        }
        this.#identity = answer.identity;
        this.#arm();
        ok(answer.identity.expiresAt);
      },
      // An issuer that cannot be asked is no verdict on the token; the present one goes on until its own end.
      () => {},
    );
  }

  #arm(): void {
    this.#cancel();
    const lifeMs = Math.max(0, this.#identity.expiresAt - this.#clock.wall());
    this.#cancel = afterLong(this.#clock, lifeMs * EXPIRING_AT, () => {
      this.#cancel = afterLong(this.#clock, lifeMs * (1 - EXPIRING_AT) + GRACE_MS, () => this.#over(CLOSE.credentialExpired));
      this.#watch.expiring(this.#identity.expiresAt);
    });
  }

  #over(close: CloseCode): void {
    if (this.#ended) return;
    this.end();
    this.#watch.over(close);
  }

  end(): void {
    this.#ended = true;
    this.#cancel();
  }
}

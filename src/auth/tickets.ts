import { type Clock, systemClock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { CredentialStore } from '../ports/store.ts';
import { digestOf, isCredential, spellCredential } from './digest.ts';
import type { Identity, Recognition } from './identity.ts';

/** One-use credentials for places where no header can be set, such as the URL of a WebSocket. */
export interface Tickets {
  /** Makes a ticket of 256 random bits. `expiresAt` is in milliseconds since the Unix epoch. The store keeps its digest only. */
  buy(identity: Identity, ttlMs: number): Promise<{ readonly ticket: string; readonly expiresAt: number }>;
  /** Recognises its buyer, once for all nodes that share the store. `expired` also when the credential that bought it has
   *  ended meanwhile; used, unknown and malformed ones are `invalid`. */
  redeem(ticket: string): Promise<Recognition>;
}

export function createTickets(store: CredentialStore, random: Random, clock: Clock = systemClock): Tickets {
  return {
    async buy(identity, ttlMs) {
      const ticket = spellCredential(random.bytes(32));
      const expiresAt = clock.wall() + ttlMs;
      const { user, name, tier, expiresAt: authExpiresAt, family } = identity;
      await store.putTicket(digestOf(ticket), { user, name, tier, authExpiresAt, family }, ttlMs);
      return { ticket, expiresAt };
    },

    async redeem(ticket) {
      if (!isCredential(ticket)) return { is: 'invalid' };
      const answer = await store.consumeTicket(digestOf(ticket));
      if (answer.is === 'unknown') return { is: 'invalid' };
      if (answer.is === 'expired' || answer.ticket.authExpiresAt <= clock.wall()) return { is: 'expired' };
      const { user, name, tier, authExpiresAt, family } = answer.ticket;
      return { is: 'ok', identity: { user, name, tier, expiresAt: authExpiresAt, family } };
    },
  };
}

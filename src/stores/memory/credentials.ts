import type { StoreMs } from '../../core/clocks.ts';
import type { CredentialStore, RefreshRecord, TicketRecord } from '../../ports/store.ts';
import { FORGET_AFTER_MS } from '../credential-rules.ts';

interface KeptTicket {
  readonly ticket: TicketRecord;
  readonly expiresAt: number;
}
interface KeptRefresh {
  readonly refresh: RefreshRecord;
  readonly expiresAt: number;
  readonly replacedBy: string | null;
}

/** Tickets and refresh tokens in memory, by digest. */
export class MemoryCredentials implements CredentialStore {
  readonly #tickets = new Map<string, KeptTicket>();
  readonly #refreshes = new Map<string, KeptRefresh>();
  readonly #now: () => StoreMs;

  constructor(now: () => StoreMs) {
    this.#now = now;
  }

  async putTicket(digest: string, ticket: TicketRecord, ttlMs: number): Promise<void> {
    this.#forget(this.#tickets);
    this.#tickets.set(digest, { ticket, expiresAt: this.#now() + ttlMs });
  }

  async consumeTicket(digest: string): ReturnType<CredentialStore['consumeTicket']> {
    const kept = this.#tickets.get(digest);
    if (kept === undefined) return { is: 'unknown' };
    if (kept.expiresAt <= this.#now()) return { is: 'expired' };
    this.#tickets.delete(digest);
    return { is: 'ok', ticket: kept.ticket };
  }

  async putRefresh(digest: string, refresh: RefreshRecord, ttlMs: number): Promise<void> {
    this.#forget(this.#refreshes);
    this.#refreshes.set(digest, { refresh, expiresAt: this.#now() + ttlMs, replacedBy: null });
  }

  async rotateRefresh(digest: string, next: string, ttlMs: number): ReturnType<CredentialStore['rotateRefresh']> {
    const now = this.#now();
    const kept = this.#refreshes.get(digest);
    if (kept === undefined || kept.expiresAt <= now) return { is: 'unknown' };
    const { refresh } = kept;
    if (kept.replacedBy !== null) {
      if (kept.replacedBy === next && this.#refreshes.get(next)?.replacedBy === null) return { is: 'ok', refresh };
      this.#revoke((record) => record.family === refresh.family && record.user === refresh.user);
      return { is: 'reused', refresh };
    }
    this.#refreshes.set(digest, { ...kept, replacedBy: next });
    this.#refreshes.set(next, { refresh, expiresAt: now + ttlMs, replacedBy: null });
    return { is: 'ok', refresh };
  }

  async revokeRefresh(digest: string, everywhere: boolean): Promise<RefreshRecord | null> {
    const refresh = this.#refreshes.get(digest)?.refresh;
    if (refresh === undefined) return null;
    this.#revoke((record) => record.user === refresh.user && (everywhere || record.family === refresh.family));
    return refresh;
  }

  /** Ends log-ins, with the tickets they bought. */
  #revoke(matches: (record: { readonly user: string; readonly family: string | null }) => boolean): void {
    for (const [digest, { refresh }] of this.#refreshes) if (matches(refresh)) this.#refreshes.delete(digest);
    for (const [digest, { ticket }] of this.#tickets) if (matches(ticket)) this.#tickets.delete(digest);
  }

  /** Looks at the oldest only, so that a call costs no more when many are known. */
  #forget(kept: Map<string, { readonly expiresAt: number }>): void {
    const limit = this.#now() - FORGET_AFTER_MS;
    for (const [digest, { expiresAt }] of kept) {
      if (expiresAt >= limit) break;
      kept.delete(digest);
    }
  }
}

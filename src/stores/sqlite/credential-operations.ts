import type { CredentialStore, RefreshRecord, TicketRecord } from '../../ports/store.ts';
import type { UserId } from '../../protocol/ids.ts';
import { FORGET_AFTER_MS } from '../credential-rules.ts';
import type { Connection } from './connection.ts';
import { readName, spellName } from './names.ts';

interface TicketRow {
  readonly user: string;
  readonly name: string;
  readonly tier: string;
  readonly auth_expires_at: number;
  readonly family: string | null;
  readonly expires_at: number;
}
interface RefreshRow {
  readonly user: string;
  readonly family: string;
  readonly replaced_by: string | null;
  readonly expires_at: number;
}

/** Tickets and refresh tokens, by digest. */
export function createCredentialOperations(connection: Connection) {
  const { database } = connection;
  const putTicket = database.prepare(
    'INSERT OR REPLACE INTO tickets (digest, user, name, tier, auth_expires_at, family, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const ticket = database.prepare<[string], TicketRow>('SELECT * FROM tickets WHERE digest = ?');
  const takeTicket = database.prepare('DELETE FROM tickets WHERE digest = ?');
  const forgetTickets = database.prepare('DELETE FROM tickets WHERE expires_at < ?');
  const putRefresh = database.prepare('INSERT OR REPLACE INTO refreshes (digest, user, family, replaced_by, expires_at) VALUES (?, ?, ?, NULL, ?)');
  const refresh = database.prepare<[string], RefreshRow>('SELECT * FROM refreshes WHERE digest = ?');
  const replace = database.prepare('UPDATE refreshes SET replaced_by = ? WHERE digest = ?');
  const forgetRefreshes = database.prepare('DELETE FROM refreshes WHERE expires_at < ?');
  const revokeRefreshes = database.prepare('DELETE FROM refreshes WHERE user = ? AND (? OR family = ?)');
  const revokeTickets = database.prepare('DELETE FROM tickets WHERE user = ? AND (? OR family = ?)');

  function revoke(row: RefreshRow, everywhere: boolean): void {
    for (const statement of [revokeRefreshes, revokeTickets]) statement.run(row.user, everywhere ? 1 : 0, row.family);
  }

  return {
    putTicket: (now: number, digest: string, t: TicketRecord, ttlMs: number): void =>
      connection.write(now, () => {
        forgetTickets.run(now - FORGET_AFTER_MS);
        putTicket.run(digest, spellName(t.user), t.name, t.tier, t.authExpiresAt, t.family, now + ttlMs);
      }),

    consumeTicket: (now: number, digest: string): Awaited<ReturnType<CredentialStore['consumeTicket']>> =>
      connection.write(now, () => {
        const row = ticket.get(digest);
        if (row === undefined) return { is: 'unknown' };
        if (row.expires_at <= now) return { is: 'expired' };
        takeTicket.run(digest);
        return {
          is: 'ok',
          ticket: { user: readName(row.user) as UserId, name: row.name, tier: row.tier, authExpiresAt: row.auth_expires_at, family: row.family },
        };
      }),

    putRefresh: (now: number, digest: string, r: RefreshRecord, ttlMs: number): void =>
      connection.write(now, () => {
        forgetRefreshes.run(now - FORGET_AFTER_MS);
        putRefresh.run(digest, spellName(r.user), r.family, now + ttlMs);
      }),

    rotateRefresh: (now: number, digest: string, next: string, ttlMs: number): Awaited<ReturnType<CredentialStore['rotateRefresh']>> =>
      connection.write(now, () => {
        const row = refresh.get(digest);
        if (row === undefined || row.expires_at <= now) return { is: 'unknown' };
        if (row.replaced_by === null) {
          replace.run(next, digest);
          putRefresh.run(next, row.user, row.family, now + ttlMs);
          return { is: 'ok', refresh: recordOf(row) };
        }
        // The same call again, after a lost answer.
        if (row.replaced_by === next && refresh.get(next)?.replaced_by === null) return { is: 'ok', refresh: recordOf(row) };
        revoke(row, false);
        return { is: 'reused', refresh: recordOf(row) };
      }),

    revokeRefresh: (now: number, digest: string, everywhere: boolean): RefreshRecord | null =>
      connection.write(now, () => {
        const row = refresh.get(digest);
        if (row === undefined) return null;
        revoke(row, everywhere);
        return recordOf(row);
      }),
  };
}

const recordOf = (row: RefreshRow): RefreshRecord => ({ user: readName(row.user) as UserId, family: row.family });

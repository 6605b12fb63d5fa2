import type { CredentialStore, RefreshRecord, TicketRecord } from '../../ports/store.ts';
import type { UserId } from '../../protocol/ids.ts';
import { FORGET_AFTER_MS } from '../credential-rules.ts';
import type { Argument, Connection } from './connection.ts';
import { readUser, spellUser } from './keys.ts';

/** Tickets and refresh tokens in Redis. What counts lies with the user, in one slot; whose a digest is, which nobody who shows one says,
 *  is kept beside it, first and for at least as long. */
export function createRedisCredentials(connection: Connection): CredentialStore {
  const { keys, logDeadlineMs } = connection;

  const run = (name: string, user: UserId, args: readonly Argument[]): Promise<unknown> =>
    connection.run(name, [keys.user(user, 'logins'), keys.user(user, 'ends')], args, logDeadlineMs);

  const pointer = (kind: 'ticket' | 'refresh', digest: string): string => keys.shared(kind, spell(digest));

  async function ownerOf(kind: 'ticket' | 'refresh', digest: string): Promise<UserId | null> {
    const owner = await connection.command('GET', [pointer(kind, digest)], logDeadlineMs);
    return typeof owner === 'string' ? readUser(owner) : null;
  }

  async function remember(kind: 'ticket' | 'refresh', digest: string, user: UserId, ttlMs: number): Promise<void> {
    await connection.command('SET', [pointer(kind, digest), spell(user), 'PX', Math.ceil(ttlMs) + FORGET_AFTER_MS], logDeadlineMs);
  }

  return {
    async putTicket(digest, { user, family, ...rest }, ttlMs) {
      await remember('ticket', digest, user, ttlMs);
      await run('login-put', user, [`t${spell(digest)}`, `${writeFamily(family)} ${JSON.stringify(rest)}`, ttlMs, FORGET_AFTER_MS]);
    },

    async consumeTicket(digest) {
      const user = await ownerOf('ticket', digest);
      if (user === null) return { is: 'unknown' };
      const [is, value = ''] = (await run('login-consume', user, [`t${spell(digest)}`])) as readonly string[];
      if (is === 'expired') return { is };
      if (is !== 'ok') return { is: 'unknown' };
      // It runs out by itself too.
      connection.command('DEL', [pointer('ticket', digest)], logDeadlineMs).catch(() => {});
      const end = value.indexOf(' ');
      const rest = JSON.parse(value.slice(end + 1)) as Pick<TicketRecord, 'name' | 'tier' | 'authExpiresAt'>;
      return { is: 'ok', ticket: { user, ...rest, family: readFamily(value.slice(0, end)) } };
    },

    async putRefresh(digest, { user, family }, ttlMs) {
      await remember('refresh', digest, user, ttlMs);
      await run('login-put', user, [`r${spell(digest)}`, `${writeFamily(family)} -`, ttlMs, FORGET_AFTER_MS]);
    },

    async rotateRefresh(digest, next, ttlMs) {
      const user = await ownerOf('refresh', digest);
      if (user === null) return { is: 'unknown' };
      await remember('refresh', next, user, ttlMs);
      const [is, family = ''] = (await run('login-rotate', user, [spell(digest), spell(next), ttlMs, FORGET_AFTER_MS])) as readonly string[];
      return is === 'ok' || is === 'reused' ? { is, refresh: refreshOf(user, family) } : { is: 'unknown' };
    },

    async revokeRefresh(digest, everywhere) {
      const user = await ownerOf('refresh', digest);
      if (user === null) return null;
      const family = (await run('login-revoke', user, [spell(digest), everywhere ? '1' : '0'])) as string;
      return family === '' ? null : refreshOf(user, family);
    },
  };
}

/** Without spaces and braces, unambiguously. */
const spell = (text: string): string => spellUser(text as UserId);

const writeFamily = (family: string | null): string => (family === null ? '-' : `f${spell(family)}`);
const readFamily = (written: string): string | null => (written === '-' ? null : readUser(written.slice(1)));
const refreshOf = (user: UserId, written: string): RefreshRecord => ({ user, family: readFamily(written) ?? '' });

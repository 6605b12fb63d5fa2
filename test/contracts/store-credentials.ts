import { describe, expect, it } from 'vitest';
import type { RefreshRecord, TicketRecord } from '../../src/ports/store.ts';
import type { StoreBench } from './store.ts';
import { key, unique } from './store-builders.ts';

const ticketOf = (user: string, family: string | null = null): TicketRecord => ({
  user: key(user).user,
  name: 'Ada',
  tier: 'free',
  authExpiresAt: 1_800_000_000_000,
  family,
});
const refreshOf = (user: string, family: string): RefreshRecord => ({ user: key(user).user, family });

export function credentialContract(open: () => () => StoreBench): void {
  describe('credentials', () => {
    const bench = open();

    it('hands a ticket out once, to one of many who ask at once', async () => {
      const { credentials } = bench().store;
      const digest = unique('ticket');
      await credentials.putTicket(digest, ticketOf('u'), 30_000);
      const answers = await Promise.all(Array.from({ length: 20 }, () => credentials.consumeTicket(digest)));
      expect(answers.filter((a) => a.is === 'ok')).toEqual([{ is: 'ok', ticket: ticketOf('u') }]);
      expect(answers.filter((a) => a.is === 'unknown')).toHaveLength(19);
    });

    it('tells an expired ticket from an unknown one, and never hands it out', async () => {
      const { store, clock } = bench();
      const digest = unique('ticket');
      await store.credentials.putTicket(digest, ticketOf('u'), 30_000);
      clock.pass(30_000);
      expect(await store.credentials.consumeTicket(digest)).toEqual({ is: 'expired' });
      clock.pass(8 * 3_600_000);
      await store.credentials.putTicket(unique('ticket'), ticketOf('u'), 30_000);
      expect(await store.credentials.consumeTicket(digest)).toEqual({ is: 'expired' });
      clock.pass(24 * 3_600_000);
      await store.credentials.putTicket(unique('ticket'), ticketOf('u'), 30_000);
      expect(await store.credentials.consumeTicket(digest)).toEqual({ is: 'unknown' });
      expect(await store.credentials.consumeTicket('never')).toEqual({ is: 'unknown' });
    });

    it('a jump of the wall clock expires no ticket and revives none', async () => {
      const { store, clock } = bench();
      const [a, b] = [unique('ticket'), unique('ticket')];
      await store.credentials.putTicket(a, ticketOf('u'), 30_000);
      await store.credentials.putTicket(b, ticketOf('u'), 30_000);
      clock.jump(3_600_000);
      expect(await store.credentials.consumeTicket(a)).toMatchObject({ is: 'ok' });
      clock.jump(-7_200_000);
      clock.pass(30_000);
      expect(await store.credentials.consumeTicket(b)).toEqual({ is: 'expired' });
    });

    it('rotates a refresh token; using a replaced one ends its family and no other', async () => {
      const { credentials } = bench().store;
      const [user, a, b, c, other] = ['u', 'a', 'b', 'c', 'other'].map((name) => unique(name)) as [string, string, string, string, string];
      const family = refreshOf(user, unique('family'));
      await credentials.putRefresh(a, family, 60_000);
      await credentials.putRefresh(other, refreshOf(user, unique('family')), 60_000);
      expect(await credentials.rotateRefresh(a, b, 60_000)).toEqual({ is: 'ok', refresh: family });
      expect(await credentials.rotateRefresh(b, c, 60_000)).toEqual({ is: 'ok', refresh: family });
      expect(await credentials.rotateRefresh(a, unique('d'), 60_000)).toEqual({ is: 'reused', refresh: family });
      expect(await credentials.rotateRefresh(c, unique('e'), 60_000)).toEqual({ is: 'unknown' });
      expect(await credentials.rotateRefresh(other, unique('f'), 60_000)).toMatchObject({ is: 'ok' });
    });

    it('a rotation whose answer was lost may be repeated until its token is used', async () => {
      const { credentials } = bench().store;
      const [a, b, c] = [unique('a'), unique('b'), unique('c')];
      const family = refreshOf(unique('u'), unique('family'));
      await credentials.putRefresh(a, family, 60_000);
      expect(await credentials.rotateRefresh(a, b, 60_000)).toMatchObject({ is: 'ok' });
      expect(await credentials.rotateRefresh(a, b, 60_000)).toEqual({ is: 'ok', refresh: family });
      expect(await credentials.rotateRefresh(b, c, 60_000)).toMatchObject({ is: 'ok' });
      expect(await credentials.rotateRefresh(a, b, 60_000)).toMatchObject({ is: 'reused' });
    });

    it('of two thieves with one token exactly one gets a successor, and then neither has one', async () => {
      const { credentials } = bench().store;
      const digest = unique('a');
      const successors = Array.from({ length: 10 }, () => unique('b'));
      await credentials.putRefresh(digest, refreshOf(unique('u'), unique('family')), 60_000);
      const answers = await Promise.all(successors.map((next) => credentials.rotateRefresh(digest, next, 60_000)));
      expect(answers.filter((a) => a.is === 'ok')).toHaveLength(1);
      for (const next of successors) expect(await credentials.rotateRefresh(next, unique('c'), 60_000)).toEqual({ is: 'unknown' });
    });

    it('an expired refresh token is unknown', async () => {
      const { store, clock } = bench();
      const digest = unique('a');
      await store.credentials.putRefresh(digest, refreshOf(unique('u'), unique('family')), 60_000);
      clock.pass(60_000);
      expect(await store.credentials.rotateRefresh(digest, unique('b'), 60_000)).toEqual({ is: 'unknown' });
    });

    it('logging out ends one family with its tickets, or all of a user, and never another user’s', async () => {
      const { credentials } = bench().store;
      const user = unique('u');
      const log = async (name: string, family: string) => {
        const [refresh, ticket] = [unique('refresh'), unique('ticket')];
        await credentials.putRefresh(refresh, refreshOf(name, family), 60_000);
        await credentials.putTicket(ticket, ticketOf(name, family), 60_000);
        return { refresh, ticket };
      };
      const here = await log(user, 'laptop');
      const there = await log(user, 'phone');
      const third = await log(user, 'tablet');
      const namesake = await log(`${user}0`, 'laptop');
      expect(await credentials.revokeRefresh(here.refresh, false)).toEqual(refreshOf(user, 'laptop'));
      expect(await credentials.revokeRefresh(here.refresh, false)).toBeNull();
      expect(await credentials.consumeTicket(here.ticket)).toEqual({ is: 'unknown' });
      expect(await credentials.consumeTicket(there.ticket)).toMatchObject({ is: 'ok' });
      expect(await credentials.revokeRefresh(there.refresh, true)).toEqual(refreshOf(user, 'phone'));
      expect(await credentials.rotateRefresh(third.refresh, unique('x'), 60_000)).toEqual({ is: 'unknown' });
      expect(await credentials.consumeTicket(third.ticket)).toEqual({ is: 'unknown' });
      expect(await credentials.rotateRefresh(namesake.refresh, unique('x'), 60_000)).toMatchObject({ is: 'ok' });
      expect(await credentials.consumeTicket(namesake.ticket)).toMatchObject({ is: 'ok' });
      expect(await credentials.revokeRefresh('never', true)).toBeNull();
    });
  });
}

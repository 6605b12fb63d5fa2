import { describe, expect, test } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import { systemRandom } from '../ports/random.ts';
import type { CredentialStore, TicketRecord } from '../ports/store.ts';
import type { UserId } from '../protocol/ids.ts';
import type { Identity } from './identity.ts';
import { createTickets } from './tickets.ts';

const START = 1_800_000_000_000;

class SetClock implements Clock {
  now = START;
  mono = () => this.now;
  wall = () => this.now;
  after = () => () => {};
  soon(callback: () => void): void {
    callback();
  }
}

/** The tickets of a credential store, as plain as the port asks for. */
class TicketShelf implements Pick<CredentialStore, 'putTicket' | 'consumeTicket'> {
  readonly held = new Map<string, { ticket: TicketRecord; until: number }>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async putTicket(digest: string, ticket: TicketRecord, ttlMs: number): Promise<void> {
    this.held.set(digest, { ticket, until: this.#clock.wall() + ttlMs });
  }

  async consumeTicket(digest: string) {
    const found = this.held.get(digest);
    if (!found) return { is: 'unknown' } as const;
    this.held.delete(digest);
    return found.until <= this.#clock.wall() ? ({ is: 'expired' } as const) : ({ is: 'ok', ticket: found.ticket } as const);
  }
}

function setUp() {
  const clock = new SetClock();
  const shelf = new TicketShelf(clock);
  return { clock, shelf, tickets: createTickets(shelf as unknown as CredentialStore, systemRandom, clock) };
}
const ada: Identity = { user: 'ada' as UserId, name: 'Ada', tier: 'mid', expiresAt: START + 60_000, family: 'f1' };

describe('a ticket', () => {
  test('names its buyer once, with the life of the credential that bought it', async () => {
    const { tickets } = setUp();
    const { ticket, expiresAt } = await tickets.buy(ada, 30_000);
    expect(ticket).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(expiresAt).toBe(START + 30_000);
    expect(await tickets.redeem(ticket)).toEqual({ is: 'ok', identity: ada });
    expect(await tickets.redeem(ticket)).toEqual({ is: 'invalid' });
  });

  test('is stored as a digest only', async () => {
    const { tickets, shelf } = setUp();
    const { ticket } = await tickets.buy(ada, 30_000);
    expect(JSON.stringify([...shelf.held])).not.toContain(ticket);
  });

  test('is over when its time or that of its buyer’s credential is over', async () => {
    const { tickets, clock } = setUp();
    const short = await tickets.buy(ada, 1_000);
    const long = await tickets.buy(ada, 300_000);
    clock.now += 1_000;
    expect(await tickets.redeem(short.ticket)).toEqual({ is: 'expired' });
    clock.now = ada.expiresAt;
    expect(await tickets.redeem(long.ticket)).toEqual({ is: 'expired' });
  });

  test.each(['', 'x', 'a'.repeat(44), `${'a'.repeat(42)}=`, 'é'.repeat(43)])('%s is none, and no store is asked', async (text) => {
    const tickets = createTickets({} as CredentialStore, systemRandom);
    expect(await tickets.redeem(text)).toEqual({ is: 'invalid' });
  });
});

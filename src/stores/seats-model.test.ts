/** Any history of one user's calls on the seat book, checked against what the calls were told. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import type { SeatFacts, SeatLimits } from '../ports/store.ts';
import type { ManagerId, NodeId, UserId } from '../protocol/ids.ts';
import { createSeatBook } from './seats.ts';

const LIMITS: SeatLimits = {
  soft: 4,
  hard: 6,
  burstForMs: 6_000,
  coolDownMs: 20_000,
  debtMaxMs: 15_000,
  places: 3,
  waitMs: 1_000,
  promiseMs: 500,
  ttlMs: 1e9,
  tombstoneMs: 60_000,
};
const ADA = 'ada' as UserId;
const LIFE = { node: 'gw-1' as NodeId, incarnation: 'first' } as const;
const PEOPLE = 12;

type Act =
  | { readonly do: 'admit'; readonly who: number; readonly attach: number; readonly wanted: 'user' | 'auto'; readonly mayBurst: boolean }
  | { readonly do: 'replace'; readonly who: number; readonly attach: number; readonly victims: readonly number[] }
  | { readonly do: 'evict' | 'release'; readonly who: number; readonly isStale: boolean }
  | { readonly do: 'enqueue'; readonly who: number; readonly wanted: 'user' | 'auto' }
  | { readonly do: 'cancel'; readonly who: number }
  | { readonly do: 'wait'; readonly ms: number };

const who = fc.nat(PEOPLE - 1);
const wanted = fc.constantFrom('user' as const, 'user' as const, 'auto' as const);
const attach = fc.nat(2);
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('admit' as const), who, attach, wanted, mayBurst: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('replace' as const), who, attach, victims: fc.uniqueArray(who, { minLength: 1, maxLength: 4 }) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('evict' as const, 'release' as const), who, isStale: fc.constantFrom(false, false, true) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('enqueue' as const), who, wanted }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), who }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.oneof(fc.nat(300), fc.nat(2_000), fc.nat(25_000)) }) },
  ),
  { minLength: 10, maxLength: 120 },
);

class Book {
  now = 0;
  readonly clock: Clock = { mono: () => this.now, wall: () => 1_700_000_000_000 + this.now, after: () => () => {}, soon: () => {} };
  #draws = 0;
  readonly seats = createSeatBook(this.clock, {
    share: () => 0,
    bytes: (n) => new Uint8Array(n).map((_, i) => Math.floor(this.#draws++ / 36 ** i) % 36),
  });
  /** Tokens of seats that their holders were told. */
  readonly held = new Map<ManagerId, { token: number; attach: string }>();
  readonly promises = new Map<ManagerId, { at: number; name: string; wanted: 'user' | 'auto' }>();
  /** Persons whose promise had served somebody else, or was an automatic return's: it is kept all the same, above the places. */
  readonly above = new Set<ManagerId>();
  highest = 0;
  leaseStartedAt = Number.NEGATIVE_INFINITY;
  before: SeatFacts | null = null;
}
const nameOf = (n: number) => `mgr_${n}` as ManagerId;

async function perform(b: Book, act: Act): Promise<SeatFacts> {
  if (act.do === 'wait') {
    b.now += act.ms;
    return b.seats.facts(ADA, LIMITS);
  }
  const id = nameOf(act.who);
  const request = (n: number) => ({ user: ADA, manager: id, attach: `${id}/${n}`, ...LIFE, limits: LIMITS });
  const seated = (token: number, n: number) => {
    const mine = b.held.get(id);
    if (mine !== undefined && mine.attach === `${id}/${n}`) expect(token).toBe(mine.token);
    else {
      // I20: tokens rise.
      expect(token).toBeGreaterThan(b.highest);
      b.highest = token;
    }
    b.held.set(id, { token, attach: `${id}/${n}` });
  };
  switch (act.do) {
    case 'admit': {
      const answer = await b.seats.admit({ ...request(act.attach), class: act.wanted, mayBurst: act.mayBurst });
      if (answer.is === 'ok') seated(answer.token, act.attach);
      else expect(b.held.has(id)).toBe(false);
      return answer.facts;
    }
    case 'replace': {
      const victims = act.victims.map((v) => ({ manager: nameOf(v), token: b.held.get(nameOf(v))?.token ?? 1 }));
      const count = b.held.size;
      const answer = await b.seats.replace({ ...request(act.attach), class: 'user', mayBurst: false, victims, reason: 'lowest-value' });
      if (answer.is === 'stale') return answer.facts;
      const wasSeated = b.held.has(id);
      if (answer.victim !== null && !wasSeated) {
        // The first victim that was seated, and nobody else.
        expect(answer.victim).toBe(victims.find((v) => b.held.has(v.manager))?.manager);
        b.held.delete(answer.victim);
      }
      seated(answer.token, act.attach);
      expect(b.held.size).toBe(count);
      return answer.facts;
    }
    case 'evict':
    case 'release': {
      const token = (b.held.get(id)?.token ?? 0) - (act.isStale ? 1 : 0);
      const answer = act.do === 'evict' ? await b.seats.evict(ADA, id, token, 'user-freed', LIMITS) : await b.seats.release(ADA, id, token, LIMITS);
      // I12: a seat is freed by its own token only.
      if (b.held.has(id)) expect(answer.is).toBe(act.isStale ? 'stale' : 'ok');
      if (!act.isStale) b.held.delete(id);
      return answer.facts;
    }
    case 'enqueue': {
      const promise = b.promises.get(id) ?? null;
      const answer = await b.seats.enqueue({ user: ADA, ticket: { id, class: act.wanted, waitMs: null, promise: promise?.name ?? null }, limits: LIMITS });
      const isKept = promise !== null && b.now >= promise.at && b.now <= promise.at + LIMITS.promiseMs;
      if (answer.is === 'queued') {
        b.promises.delete(id);
        if (b.before?.promises.some((p) => p.name === promise?.name && (p.lent || p.class === 'auto'))) b.above.add(id);
        expect(answer.etaMs).toBeLessThanOrEqual(LIMITS.waitMs);
        expect(answer.facts.tickets[answer.position - 1]?.id).toBe(id);
        return answer.facts;
      }
      // I16: a promise is kept; only another arrival of the same user without one can have used it up.
      if (isKept) expect(b.before?.promises.map((p) => p.name)).not.toContain(promise.name);
      // A refused attempt never lengthens the wait of who holds a promise.
      if (promise !== null && b.now < promise.at) expect(answer.promiseAt).toBe(promise.at);
      b.promises.set(id, { at: answer.promiseAt, name: answer.promise, wanted: act.wanted });
      return answer.facts;
    }
    case 'cancel':
      return b.seats.cancel(ADA, id, LIMITS);
  }
}

function check(b: Book, facts: SeatFacts, act: Act): void {
  const count = facts.seats.length;
  // I12: what the store counts is what the holders were told.
  expect(facts.seats.map((s) => [s.manager, s.token]).sort()).toEqual([...b.held].map(([id, h]) => [id, h.token]).sort());
  // I2
  expect(count).toBeLessThanOrEqual(LIMITS.hard);
  if (count > LIMITS.soft) expect(['active', 'debt']).toContain(facts.burst.in);
  const before = b.before;
  // I3
  if (facts.burst.in === 'active' && before?.burst.in !== 'active') {
    expect(b.now - b.leaseStartedAt).toBeGreaterThanOrEqual(LIMITS.burstForMs + LIMITS.coolDownMs);
    b.leaseStartedAt = b.now;
  }
  if (facts.burst.in === 'debt' && before?.burst.in === 'debt') expect(count).toBeLessThanOrEqual(before.seats.length);
  // I16: persons first, nobody seated has a ticket, a person's position never gets worse.
  const classes = facts.tickets.map((t) => t.class);
  expect(classes.lastIndexOf('user')).toBeLessThan(classes.includes('auto') ? classes.indexOf('auto') : classes.length);
  for (const id of b.above) if (!facts.tickets.some((t) => t.id === id)) b.above.delete(id);
  const placed = facts.tickets.filter((t) => t.deadline > b.now && t.class === 'user' && !b.above.has(t.id));
  expect(placed.length).toBeLessThanOrEqual(LIMITS.places);
  for (const [i, t] of (before?.tickets ?? []).entries()) {
    const now = facts.tickets.findIndex((n) => n.id === t.id);
    if (t.class === 'user' && now >= 0 && !(act.do === 'enqueue' && nameOf(act.who) === t.id)) expect(now).toBeLessThanOrEqual(i);
  }
  b.before = facts;
}

it('I2, I3, I12, I16, I20 hold over any history of a user', async () => {
  await fc.assert(
    fc.asyncProperty(acts, async (history) => {
      const book = new Book();
      for (const act of history) check(book, await perform(book, act), act);
    }),
    { numRuns: 300 },
  );
});

it('a seat that became free goes to the first person in line, whoever asks first', async () => {
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([0, 1, 2], { minLength: 1 }), fc.integer({ min: 1, max: 3 }), async (asking, waiting) => {
      const book = new Book();
      const request = (n: number) => ({
        user: ADA,
        manager: nameOf(n),
        attach: 'x',
        ...LIFE,
        class: 'user' as const,
        mayBurst: false,
        limits: { ...LIMITS, soft: 1, hard: 1 },
      });
      const first = await book.seats.admit(request(9));
      for (let i = 0; i < waiting; i++) {
        await book.seats.enqueue({ user: ADA, ticket: { id: nameOf(i), class: 'user', waitMs: null, promise: null }, limits: request(0).limits });
      }
      if (first.is === 'ok') await book.seats.release(ADA, nameOf(9), first.token, request(0).limits);
      for (const n of asking) {
        const answer = await book.seats.admit(request(n));
        if (answer.facts.seats.length === 0) expect(n).not.toBe(0);
        else expect(answer.facts.seats.map((s) => s.manager)).toEqual([nameOf(0)]);
      }
    }),
  );
});

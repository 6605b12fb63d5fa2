import { type Mono, mono } from '../core/clocks.ts';
import { nextToken } from '../core/lease.ts';
import { enqueue } from '../core/queue.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { AdmitRequest, RenewAnswer, SeatDigest, SeatLimits, SeatStore } from '../ports/store.ts';
import { spellRandom, type UserId } from '../protocol/ids.ts';
import { rulesOf, UserSeats } from './user-seats.ts';

const PROMISE_NAME_LENGTH = 16;

/** Who holds a seat, in memory: the store of one process, empty after a restart, and what every other `SeatStore` is compared with.
 *  Its clock is `clock.mono()`. Tokens come from the wall clock's microseconds, so that those of a later process are higher, and
 *  rise even when that clock steps back. Each call is one step: nothing is awaited inside. */
export function createSeatBook(clock: Clock, random: Random): SeatStore {
  const users = new Map<UserId, UserSeats>();
  let lastToken = 0;
  let sweep = users.entries();

  const token = (): number => {
    lastToken = nextToken(lastToken, clock.wall() * 1_000);
    return lastToken;
  };

  /** Runs one step on a user's seats. Whoever is left with nothing is forgotten, also users who never call again: each step visits one. */
  function step<T>(user: UserId, limits: SeatLimits | null, action: (seats: UserSeats, now: Mono) => T): T {
    const now = mono(clock.mono());
    visitNext(now);
    const seats = seatsOf(user, limits, now);
    const answer = action(seats, now);
    if (seats.isEmpty) users.delete(user);
    else users.set(user, seats);
    return answer;
  }

  /** A user's seats as they are at `now`. Whoever was left with nothing begins anew, whether or not the sweep came by. */
  function seatsOf(user: UserId, limits: SeatLimits | null, now: Mono): UserSeats {
    const settled = (seats: UserSeats): UserSeats => {
      if (limits !== null) seats.limits = limits;
      seats.settle(now);
      return seats;
    };
    const seats = settled(users.get(user) ?? new UserSeats());
    return seats.isEmpty ? settled(new UserSeats()) : seats;
  }

  function visitNext(now: Mono): void {
    let next = sweep.next();
    if (next.done === true) {
      sweep = users.entries();
      next = sweep.next();
    }
    if (next.done === true) return;
    const [user, seats] = next.value;
    seats.settle(now);
    if (seats.isEmpty) users.delete(user);
  }

  /** The answer for a manager that holds a seat already: a repeated attempt gets the same one, another attempt takes it over. */
  function again(seats: UserSeats, r: AdmitRequest, now: Mono) {
    const seat = seats.seat(r.manager);
    if (seat === undefined) return null;
    if (seat.attach === r.attach) return seat;
    const { node, incarnation, token: old } = seat.digest;
    return seats.take(r, token(), { burstStarted: false, replaced: null, from: { node, incarnation, token: old } }, now);
  }

  return {
    facts: async (user, limits) => step(user, limits, (seats, now) => seats.facts(now)),

    admit: async (r) =>
      step(r.user, r.limits, (seats, now) => {
        let seat = again(seats, r, now);
        if (seat === null) {
          const burstStarted = !seats.hasRoom(r, now) && seats.stepBurst(r.mayBurst, now);
          if (!seats.hasRoom(r, now)) return { is: 'full', facts: seats.facts(now) };
          seat = seats.take(r, token(), { burstStarted, replaced: null, from: null }, now);
        }
        return { is: 'ok', token: seat.digest.token, seat: seat.kind, burstStarted: seat.burstStarted, from: seat.from, facts: seats.facts(now) };
      }),

    replace: async (r) =>
      step(r.user, r.limits, (seats, now) => {
        let seat = again(seats, r, now);
        if (seat === null) {
          const victim = r.victims.find((v) => seats.seat(v.manager)?.digest.token === v.token);
          if (victim === undefined) return { is: 'stale', facts: seats.facts(now) };
          seats.seize(victim.manager, r.reason, now);
          seat = seats.take(r, token(), { burstStarted: false, replaced: victim.manager, from: null }, now);
        }
        return { is: 'ok', token: seat.digest.token, victim: seat.replaced, seat: seat.kind, from: seat.from, facts: seats.facts(now) };
      }),

    evict: async (user, manager, held, reason, limits) =>
      step(user, limits, (seats, now) => {
        const isHeld = seats.seat(manager)?.digest.token === held;
        if (isHeld) seats.free(manager, reason, now);
        // A repeated call finds its own tombstone.
        const isDone = isHeld || (seats.seat(manager) === undefined && seats.tombstone(manager)?.token === held);
        return { is: isDone ? 'ok' : 'stale', facts: seats.facts(now) };
      }),

    release: async (user, manager, held, limits) =>
      step(user, limits, (seats, now) => {
        const isHeld = seats.seat(manager)?.digest.token === held;
        if (isHeld) seats.free(manager, null, now);
        return { is: isHeld ? 'ok' : 'stale', facts: seats.facts(now) };
      }),

    renew: async (_node, batch, ttlMs) =>
      batch.map(({ user, digest }) =>
        step(user, null, (seats, now) => {
          const known = standing(seats, digest);
          if (known.is === 'OK') seats.put(digest, ttlMs, now);
          return known;
        }),
      ),

    adopt: async (user, digest, ttlMs) => {
      lastToken = Math.max(lastToken, digest.token);
      return step(user, null, (seats, now) => {
        const known = standing(seats, digest);
        if (known.is === 'EVICTED' || known.is === 'FENCED') return known as Exclude<RenewAnswer, { is: 'UNKNOWN' }>;
        seats.put(digest, ttlMs, now);
        return { is: 'OK' };
      });
    },

    enqueue: async (r) =>
      step(r.user, r.limits, (seats, now) => {
        const fresh = spellRandom(random.bytes(PROMISE_NAME_LENGTH), PROMISE_NAME_LENGTH);
        const answer = enqueue(seats.queue, { ...r.ticket, fresh }, rulesOf(r.limits), now);
        seats.queue = answer.queue;
        const facts = seats.facts(now);
        if (answer.is === 'full')
          return { is: 'full', promiseAt: answer.promiseAt, afterMs: Math.max(0, answer.promiseAt - now), promise: answer.promise, facts };
        return { is: 'queued', ticket: answer.ticket, position: answer.position, etaMs: answer.etaMs, pushedOut: answer.pushedOut, facts };
      }),

    cancel: async (user, manager, limits) =>
      step(user, limits, (seats, now) => {
        seats.cancel(manager);
        return seats.facts(now);
      }),
  };
}

/** What is known of a seat that its node believes to hold. */
function standing(seats: UserSeats, digest: SeatDigest): RenewAnswer {
  const stone = seats.tombstone(digest.manager);
  if (stone !== undefined && stone.token >= digest.token) return { is: 'EVICTED', reason: stone.reason };
  const seat = seats.seat(digest.manager);
  if (seat === undefined || seat.digest.token < digest.token) return { is: 'UNKNOWN' };
  return { is: seat.digest.token === digest.token ? 'OK' : 'FENCED' };
}

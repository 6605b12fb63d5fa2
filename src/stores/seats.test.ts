import { describe, expect, it } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { AdmitRequest, SeatDigest, SeatLimits, SeatStore } from '../ports/store.ts';
import type { ManagerId, NodeId, UserId } from '../protocol/ids.ts';
import { createSeatBook } from './seats.ts';

const LIMITS: SeatLimits = {
  soft: 3,
  hard: 5,
  burstForMs: 60_000,
  coolDownMs: 900_000,
  debtMaxMs: 600_000,
  places: 2,
  waitMs: 10_000,
  promiseMs: 5_000,
  ttlMs: 3_600_000,
  tombstoneMs: 600_000,
};
const ADA = 'ada' as UserId;
const NODE = 'gw-1' as NodeId;
const id = (name: string) => `mgr_${name}` as ManagerId;

class HandClock implements Clock {
  now = 1_000;
  wallMs = 1_700_000_000_000;
  mono = () => this.now;
  wall = () => this.wallMs + this.now;
  after = () => () => {};
  soon = () => {};
}
class CountingRandom implements Random {
  #count = 0;
  share = () => 0.5;
  bytes = (count: number) => {
    this.#count += 1;
    return new Uint8Array(count).map((_, i) => (i === 0 ? this.#count % 36 : Math.floor(this.#count / 36)));
  };
}

function open(limits: Partial<SeatLimits> = {}) {
  const clock = new HandClock();
  const seats: SeatStore = createSeatBook(clock, new CountingRandom());
  const all = { ...LIMITS, ...limits };
  const request = (name: string, change: Partial<AdmitRequest> = {}): AdmitRequest => ({
    user: ADA,
    manager: id(name),
    attach: `${name}-1`,
    node: NODE,
    class: 'user',
    mayBurst: false,
    limits: all,
    ...change,
  });
  const admit = (name: string, change: Partial<AdmitRequest> = {}) => seats.admit(request(name, change));
  const token = async (name: string, change: Partial<AdmitRequest> = {}): Promise<number> => {
    const answer = await admit(name, change);
    if (answer.is !== 'ok') throw new Error(`Expected ${name} to be seated, but the limit is ${answer.facts.cap}`);
    return answer.token;
  };
  const enqueue = (name: string, wanted: 'user' | 'auto' = 'user', promise: string | null = null) =>
    seats.enqueue({ user: ADA, ticket: { id: id(name), class: wanted, waitMs: null, promise }, limits: all });
  const replace = (name: string, victims: readonly [string, number][], change: Partial<AdmitRequest> = {}) =>
    seats.replace({ ...request(name, change), victims: victims.map(([v, t]) => ({ manager: id(v), token: t })), reason: 'lowest-value' });
  return { clock, seats, limits: all, admit, token, enqueue, replace, facts: () => seats.facts(ADA, all) };
}
const digest = (name: string, token: number): SeatDigest => ({ manager: id(name), token, node: NODE, verdict: 'idle', quietMs: 7, run: false });

describe('taking a seat', () => {
  it('gives seats up to the soft limit, and says who holds them when it is reached', async () => {
    const book = open();
    for (const name of ['a', 'b', 'c']) expect(await book.admit(name)).toMatchObject({ is: 'ok', seat: 'soft' });
    const full = await book.admit('d');
    expect(full.is).toBe('full');
    expect(full.facts.seats.map((s) => s.manager)).toEqual(['a', 'b', 'c'].map(id));
  });

  it('repeats its answer to a repeated attempt, and gives another attempt a newer token for the same seat', async () => {
    const book = open({ soft: 1, hard: 1 });
    const first = await book.token('a');
    expect(await book.token('a')).toBe(first);
    const next = await book.token('a', { attach: 'a-2' });
    expect(next).toBeGreaterThan(first);
    expect((await book.facts()).seats).toHaveLength(1);
    expect((await book.seats.release(ADA, id('a'), first, book.limits)).is).toBe('stale');
  });

  it('keeps users apart', async () => {
    const book = open({ soft: 1, hard: 1 });
    await book.token('a');
    expect(
      (await book.seats.admit({ user: 'ADA' as UserId, manager: id('x'), attach: 'x', node: NODE, class: 'user', mayBurst: false, limits: book.limits })).is,
    ).toBe('ok');
  });

  it('is a burst seat above the soft limit, and only for whoever may start one', async () => {
    const book = open({ soft: 1, hard: 2 });
    await book.token('a');
    expect((await book.admit('b')).is).toBe('full');
    expect(await book.admit('b', { mayBurst: true })).toMatchObject({
      is: 'ok',
      seat: 'burst',
      burstStarted: true,
      facts: { cap: 2, burst: { in: 'active' } },
    });
    expect(await book.admit('b', { mayBurst: true })).toMatchObject({ is: 'ok', burstStarted: true });
    expect((await book.admit('c', { mayBurst: true })).is).toBe('full');
  });

  it('gives tokens that rise, in a later process too, and when the wall clock steps back', async () => {
    const book = open();
    const first = await book.token('a');
    book.clock.wallMs -= 86_400_000;
    expect(await book.token('b')).toBe(first + 1);
    const later = open();
    later.clock.wallMs += 1_000;
    expect(await later.token('a')).toBeGreaterThan(first + 1);
  });
});

describe('giving a seat up', () => {
  it('is done once, by its own token', async () => {
    const book = open({ soft: 1, hard: 1 });
    const token = await book.token('a');
    expect((await book.seats.release(ADA, id('a'), token + 1, book.limits)).is).toBe('stale');
    expect((await book.seats.release(ADA, id('a'), token, book.limits)).facts.seats).toEqual([]);
    await book.token('b');
    expect((await book.seats.release(ADA, id('a'), token, book.limits)).is).toBe('stale');
    expect((await book.facts()).seats).toHaveLength(1);
  });

  it('by eviction may be repeated, and its holder learns of it', async () => {
    const book = open();
    const token = await book.token('a');
    expect((await book.seats.evict(ADA, id('a'), token, 'idle-over-limit', book.limits)).is).toBe('ok');
    expect((await book.seats.evict(ADA, id('a'), token, 'idle-over-limit', book.limits)).is).toBe('ok');
    expect(await book.seats.renew(NODE, [{ user: ADA, digest: digest('a', token) }], 1_000)).toEqual(['EVICTED']);
    expect(await book.seats.adopt(ADA, digest('a', token), 1_000)).toBe('EVICTED');
    expect(await book.token('a', { attach: 'a-2' })).toBeGreaterThan(token);
    expect(await book.seats.renew(NODE, [{ user: ADA, digest: digest('a', token) }], 1_000)).toEqual(['FENCED']);
  });

  it('happens by itself when nobody renews it', async () => {
    const book = open({ ttlMs: 30_000 });
    const a = await book.token('a');
    await book.token('b');
    book.clock.now += 20_000;
    expect(await book.seats.renew(NODE, [{ user: ADA, digest: digest('a', a) }], 30_000)).toEqual(['OK']);
    book.clock.now += 10_000;
    expect((await book.facts()).seats).toEqual([digest('a', a)]);
  });
});

describe('one for one', () => {
  it('takes the first victim that still holds what the plan saw, and the count cannot rise', async () => {
    const book = open({ soft: 2, hard: 2 });
    const a = await book.token('a');
    const b = await book.token('b', { attach: 'b-1' });
    await book.token('b', { attach: 'b-2' });
    const answer = await book.replace('c', [
      ['b', b],
      ['a', a],
    ]);
    expect(answer).toMatchObject({ is: 'ok', victim: id('a') });
    expect(answer.facts.seats.map((s) => s.manager).sort()).toEqual([id('b'), id('c')]);
    expect(
      await book.replace('c', [
        ['b', b],
        ['a', a],
      ]),
    ).toMatchObject({ is: 'ok', victim: id('a') });
    expect(await book.seats.renew(NODE, [{ user: ADA, digest: digest('a', a) }], 1_000)).toEqual(['EVICTED']);
  });

  it('is stale, and tells who is there now, if all victims are gone or others', async () => {
    const book = open({ soft: 1, hard: 1 });
    const a = await book.token('a');
    expect(
      await book.replace('c', [
        ['a', a - 1],
        ['x', 3],
      ]),
    ).toMatchObject({ is: 'stale', facts: { seats: [{ manager: id('a') }] } });
  });

  it('costs nobody a seat if the newcomer has one already', async () => {
    const book = open({ soft: 2, hard: 2 });
    const a = await book.token('a');
    await book.token('b');
    expect(await book.replace('b', [['a', a]], { attach: 'b-2' })).toMatchObject({ is: 'ok', victim: null });
    expect((await book.facts()).seats).toHaveLength(2);
  });
});

describe('the store forgot', () => {
  it('and gets live managers back, unless a newer token or a tombstone speaks against it', async () => {
    const book = open({ soft: 1, hard: 1 });
    expect(await book.seats.renew(NODE, [{ user: ADA, digest: digest('a', 9e15) }], 1_000)).toEqual(['UNKNOWN']);
    expect(await book.seats.adopt(ADA, digest('a', 9e15), 10_000)).toBe('OK');
    expect(await book.seats.adopt(ADA, digest('b', 8e15), 10_000)).toBe('OK');
    expect(await book.seats.adopt(ADA, digest('a', 7e15), 10_000)).toBe('FENCED');
    expect((await book.facts()).seats).toHaveLength(2);
    book.clock.now += 10_000;
    expect(await book.token('c')).toBeGreaterThan(9e15);
  });
});

describe('waiting', () => {
  it('keeps the order of arrival: nobody takes the seat of who waits', async () => {
    const book = open({ soft: 1, hard: 1 });
    const a = await book.token('a');
    expect(await book.enqueue('b')).toMatchObject({ is: 'queued', position: 1, etaMs: 10_000 });
    expect(await book.enqueue('c')).toMatchObject({ is: 'queued', position: 2 });
    await book.seats.release(ADA, id('a'), a, book.limits);
    expect((await book.admit('x')).is).toBe('full');
    expect((await book.admit('c')).is).toBe('full');
    expect(await book.admit('b')).toMatchObject({ is: 'ok', facts: { tickets: [{ id: id('c') }] } });
  });

  it('of automatic reconnects does not hold a person up', async () => {
    const book = open({ soft: 1, hard: 1 });
    const a = await book.token('a');
    await book.enqueue('r', 'auto');
    await book.seats.release(ADA, id('a'), a, book.limits);
    expect((await book.admit('s', { class: 'auto' })).is).toBe('full');
    expect((await book.admit('b')).is).toBe('ok');
  });

  it('gives the seat to the next one when a ticket is given back', async () => {
    const book = open({ soft: 1, hard: 1 });
    const a = await book.token('a');
    await book.enqueue('b');
    await book.enqueue('c');
    await book.seats.release(ADA, id('a'), a, book.limits);
    expect((await book.seats.cancel(ADA, id('b'), book.limits)).tickets.map((t) => t.id)).toEqual([id('c')]);
    expect((await book.admit('c')).is).toBe('ok');
  });

  it('pushes an automatic reconnect out for a person, and says so', async () => {
    const book = open();
    await book.enqueue('r', 'auto');
    await book.enqueue('s', 'auto');
    expect(await book.enqueue('b')).toMatchObject({ is: 'queued', position: 1, pushedOut: { id: id('s') } });
  });

  it('a full queue names a time and keeps a place then, for that attempt', async () => {
    const book = open();
    await book.enqueue('b');
    book.clock.now += 1_000;
    await book.enqueue('c');
    const refused = await book.enqueue('d');
    if (refused.is !== 'full') throw new Error('Expected the queue to be full');
    expect(refused.afterMs).toBe(9_000);
    expect((await book.enqueue('d', 'user', refused.promise)).is).toBe('full');
    book.clock.now += 9_000;
    expect(await book.enqueue('e')).toMatchObject({ is: 'queued' });
    expect(await book.enqueue('f')).toMatchObject({ is: 'full' });
  });

  it('expired tickets hold no place, and are forgotten soon after', async () => {
    const book = open({ places: 1 });
    await book.enqueue('b');
    book.clock.now += 10_500;
    expect((await book.facts()).tickets).toHaveLength(1);
    expect((await book.enqueue('c')).is).toBe('queued');
    book.clock.now += 4_500;
    expect((await book.facts()).tickets.map((t) => t.id)).toEqual([id('c')]);
  });
});

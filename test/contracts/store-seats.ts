/** What every store of seats promises, whatever keeps them and however many nodes ask. */

import { expect, it } from 'vitest';
import type { ClusterStore } from '../../src/ports/cluster.ts';
import type { AdmitRequest, RenewAnswer, SeatDigest, SeatLimits, SeatStore } from '../../src/ports/store.ts';
import type { ManagerId, NodeId, UserId } from '../../src/protocol/ids.ts';

/** One store and the clock it reads. Real time may pass as well. */
export interface SeatBench {
  readonly seats: SeatStore;
  readonly cluster: ClusterStore;
  pass(ms: number): Promise<void>;
}

export const SEAT_LIMITS: SeatLimits = {
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
const NODE = 'gw-1' as NodeId;
const LIFE = { node: NODE, incarnation: 'first' } as const;
const OTHER = { node: 'gw-2' as NodeId, incarnation: 'second' } as const;
const id = (name: string) => `mgr_${name}` as ManagerId;
/** Between two calls of a test less real time than this passes. */
const SLACK_MS = 2_000;
let users = 0;

const digest = (name: string, token: number, change: Partial<SeatDigest> = {}): SeatDigest => ({
  manager: id(name),
  token,
  ...LIFE,
  verdict: 'idle',
  reason: 'quiet',
  sinceMs: 12.5,
  quietMs: 7.25,
  run: false,
  pinned: true,
  critical: true,
  hidden: true,
  toldAt: 0,
  seatedAt: 0,
  ...change,
});

export function seatContract(bench: () => SeatBench): void {
  /** The seats of a user whom no other test knows. */
  function open(change: Partial<SeatLimits> = {}) {
    const { seats, pass } = bench();
    const user = `ada/{${++users}} ü` as UserId;
    const limits = { ...SEAT_LIMITS, ...change };
    const request = (name: string, r: Partial<AdmitRequest> = {}): AdmitRequest => ({
      ...{ user, manager: id(name), attach: `${name}-1`, ...LIFE, class: 'user', mayBurst: false, limits },
      ...r,
    });
    const admit = (name: string, r: Partial<AdmitRequest> = {}) => seats.admit(request(name, r));
    const token = async (name: string, r: Partial<AdmitRequest> = {}): Promise<number> => {
      const answer = await admit(name, r);
      if (answer.is !== 'ok') throw new Error(`Expected ${name} to be seated, but the limit is ${answer.facts.cap}`);
      return answer.token;
    };
    const enqueue = (name: string, wanted: 'user' | 'auto' = 'user', promise: string | null = null) =>
      seats.enqueue({ user, ticket: { id: id(name), class: wanted, waitMs: null, promise }, limits });
    const replace = (name: string, victims: readonly [string, number][], r: Partial<AdmitRequest> = {}) =>
      seats.replace({ ...request(name, r), victims: victims.map(([v, t]) => ({ manager: id(v), token: t })), reason: 'lowest-value' });
    const renew = async (d: SeatDigest, ttlMs = 1_000): Promise<RenewAnswer | undefined> => (await seats.renew(NODE, [{ user, digest: d }], ttlMs))[0];
    const release = (name: string, held: number) => seats.release(user, id(name), held, limits);
    const evict = (name: string, held: number) => seats.evict(user, id(name), held, 'idle-over-limit', limits);
    const adopt = (d: SeatDigest, ttlMs = 60_000) => seats.adopt(user, d, ttlMs);
    const names = async () => (await seats.facts(user, limits)).seats.map((s) => s.manager.slice('mgr_'.length)).sort();
    return { seats, pass, user, limits, admit, token, enqueue, replace, renew, release, evict, adopt, names, facts: () => seats.facts(user, limits) };
  }

  it('gives seats up to the soft limit, and says who holds them when it is reached', async () => {
    const book = open();
    for (const name of ['a', 'b', 'c']) expect(await book.admit(name)).toMatchObject({ is: 'ok', seat: 'soft', from: null });
    const full = await book.admit('d');
    expect(full.is).toBe('full');
    expect(full.facts.seats.map((s) => s.manager).sort()).toEqual(['a', 'b', 'c'].map(id));
    expect(full.facts).toMatchObject({ cap: 3, burst: { in: 'none' }, tickets: [], promises: [], lastReleases: [] });
  });

  it('repeats its answer to a repeated attempt, and gives another attempt a newer token for the same seat', async () => {
    const book = open({ soft: 1, hard: 1 });
    const first = await book.token('a');
    expect(await book.token('a')).toBe(first);
    const next = await book.token('a', { attach: 'a-2' });
    expect(next).toBeGreaterThan(first);
    expect(await book.names()).toEqual(['a']);
    expect((await book.release('a', first)).is).toBe('stale');
  });

  it('tells who comes from another node where the seat was, each time it is asked', async () => {
    const book = open({ soft: 1, hard: 1 });
    const first = await book.token('a');
    const taken = { is: 'ok', from: { ...LIFE, token: first } };
    expect(await book.admit('a', { attach: 'a-2', ...OTHER })).toMatchObject(taken);
    expect(await book.admit('a', { attach: 'a-2', ...OTHER })).toMatchObject(taken);
    expect((await book.facts()).seats).toMatchObject([OTHER]);
    expect(await book.renew(digest('a', first))).toEqual({ is: 'FENCED' });
  });

  it('keeps users apart', async () => {
    const book = open({ soft: 1, hard: 1 });
    await book.token('a');
    expect((await book.admit('x', { user: `${book.user}2` as UserId })).is).toBe('ok');
    expect((await book.admit('x', { user: book.user.toUpperCase() as UserId })).is).toBe('ok');
    expect(await book.names()).toEqual(['a']);
  });

  it('gives burst seats above the soft limit, only to whoever may start them, until the lease ends', async () => {
    const book = open({ soft: 1, hard: 2 });
    const a = await book.token('a');
    expect((await book.admit('b')).is).toBe('full');
    const started = { is: 'ok', seat: 'burst', burstStarted: true, facts: { cap: 2, burst: { in: 'active' } } };
    expect(await book.admit('b', { mayBurst: true })).toMatchObject(started);
    expect(await book.admit('b', { mayBurst: true })).toMatchObject({ is: 'ok', burstStarted: true });
    expect((await book.admit('c', { mayBurst: true })).is).toBe('full');
    await book.pass(60_000);
    expect(await book.facts()).toMatchObject({ cap: 2, burst: { in: 'debt', cap: 2 } });
    await book.release('a', a);
    expect(await book.facts()).toMatchObject({ cap: 1, burst: { in: 'cooldown' } });
    expect((await book.admit('c', { mayBurst: true })).is).toBe('full');
    await book.pass(900_000);
    expect((await book.facts()).burst).toEqual({ in: 'none' });
    expect(await book.admit('c', { mayBurst: true })).toMatchObject({ is: 'ok', burstStarted: true });
  });

  it('never refills a debt: what was given back is gone', async () => {
    const book = open({ soft: 1, hard: 4 });
    await book.token('a');
    const [b, c] = [await book.token('b', { mayBurst: true }), await book.token('c')];
    await book.token('d');
    await book.pass(60_000);
    expect(await book.facts()).toMatchObject({ cap: 4, burst: { in: 'debt', cap: 4 } });
    await book.release('b', b);
    expect((await book.admit('b', { mayBurst: true })).is).toBe('full');
    expect((await book.release('c', c)).facts).toMatchObject({ cap: 2, burst: { in: 'debt', cap: 2 } });
    expect((await book.admit('c', { mayBurst: true })).is).toBe('full');
  });

  it('dates the repayment of a debt by the lease that ended, not by who looked', async () => {
    const book = open({ soft: 1, hard: 2, ttlMs: 100_000 });
    await book.token('a');
    await book.token('b', { mayBurst: true });
    await book.pass(500_000);
    const { burst, seats, now } = await book.facts();
    expect(seats).toEqual([]);
    if (burst.in !== 'cooldown') throw new Error(`Expected the debt to be repaid, got ${burst.in}`);
    expect(Math.abs(burst.until - (now - 400_000 + 900_000))).toBeLessThan(SLACK_MS);
  });

  it('frees a seat once, by its own token', async () => {
    const book = open({ soft: 1, hard: 1 });
    const token = await book.token('a');
    expect((await book.release('a', token + 1)).is).toBe('stale');
    expect((await book.release('a', token)).facts.seats).toEqual([]);
    await book.token('b');
    expect((await book.release('a', token)).is).toBe('stale');
    expect(await book.names()).toEqual(['b']);
  });

  it('may be told of an eviction again, and its holder learns of it until the tombstone is gone', async () => {
    const book = open();
    const token = await book.token('a');
    expect((await book.evict('a', token - 1)).is).toBe('stale');
    expect((await book.evict('a', token)).is).toBe('ok');
    expect((await book.evict('a', token)).is).toBe('ok');
    expect(await book.renew(digest('a', token))).toEqual({ is: 'EVICTED', reason: 'idle-over-limit' });
    expect(await book.adopt(digest('a', token))).toEqual({ is: 'EVICTED', reason: 'idle-over-limit' });
    await book.pass(600_000);
    expect(await book.renew(digest('a', token))).toEqual({ is: 'UNKNOWN' });
  });

  it('forgets a tombstone when its manager is seated again', async () => {
    const book = open();
    const token = await book.token('a');
    await book.evict('a', token);
    expect(await book.token('a', { attach: 'a-2' })).toBeGreaterThan(token);
    expect(await book.renew(digest('a', token))).toEqual({ is: 'FENCED' });
  });

  it('frees a seat that nobody renews, and keeps what was told of the others', async () => {
    const book = open({ ttlMs: 30_000 });
    const a = await book.token('a');
    await book.token('b');
    const { now: seatedAt } = await book.facts();
    await book.pass(20_000);
    expect(await book.renew(digest('a', a), 30_000)).toEqual({ is: 'OK' });
    await book.pass(10_000);
    const [seat, ...others] = (await book.facts()).seats;
    expect(others).toEqual([]);
    expect({ ...seat, toldAt: 0, seatedAt: 0 }).toEqual(digest('a', a));
    expect(Math.abs((seat?.seatedAt ?? 0) - seatedAt)).toBeLessThan(SLACK_MS);
    expect(Math.abs((seat?.toldAt ?? 0) - seatedAt - 20_000)).toBeLessThan(SLACK_MS);
  });

  it('renews many seats of many users in one call, answered in order', async () => {
    const [one, two] = [open(), open()];
    const [a, b, c] = [await one.token('a'), await two.token('b'), await one.token('c')];
    await one.evict('a', a);
    const batch = [
      { user: one.user, digest: digest('c', c) },
      { user: two.user, digest: digest('b', b) },
      { user: one.user, digest: digest('a', a) },
      { user: two.user, digest: digest('x', 1) },
    ];
    expect(await one.seats.renew(NODE, batch, 60_000)).toEqual([{ is: 'OK' }, { is: 'OK' }, { is: 'EVICTED', reason: 'idle-over-limit' }, { is: 'UNKNOWN' }]);
  });

  it('takes the first victim that still holds what the plan saw, and the count cannot rise', async () => {
    const book = open({ soft: 2, hard: 2 });
    const a = await book.token('a');
    const b = await book.token('b', { attach: 'b-1' });
    await book.token('b', { attach: 'b-2' });
    const victims: readonly [string, number][] = [
      ['b', b],
      ['a', a],
    ];
    expect(await book.replace('c', victims)).toMatchObject({ is: 'ok', victim: id('a'), seat: 'soft' });
    expect(await book.names()).toEqual(['b', 'c']);
    expect(await book.replace('c', victims)).toMatchObject({ is: 'ok', victim: id('a') });
    expect(await book.renew(digest('a', a))).toEqual({ is: 'EVICTED', reason: 'lowest-value' });
    // It changed hands in one step: it never was free.
    expect((await book.facts()).lastReleases).toEqual([]);
  });

  it('is stale, and tells who is there now, if all victims are gone or others', async () => {
    const book = open({ soft: 1, hard: 1 });
    const a = await book.token('a');
    const victims: readonly [string, number][] = [
      ['a', a - 1],
      ['x', 3],
    ];
    expect(await book.replace('c', victims)).toMatchObject({ is: 'stale', facts: { seats: [{ manager: id('a') }] } });
  });

  it('costs nobody a seat if the newcomer has one already', async () => {
    const book = open({ soft: 2, hard: 2 });
    const [a, b] = [await book.token('a'), await book.token('b')];
    expect(await book.replace('b', [['a', a]], { attach: 'b-2', ...OTHER })).toMatchObject({ is: 'ok', victim: null, from: { ...LIFE, token: b } });
    expect(await book.names()).toEqual(['a', 'b']);
  });

  it('that forgot gets live managers back, unless a newer token or a tombstone speaks against it', async () => {
    const book = open({ soft: 1, hard: 1 });
    expect(await book.renew(digest('a', 8.5e15))).toEqual({ is: 'UNKNOWN' });
    expect(await book.adopt(digest('a', 8.5e15))).toEqual({ is: 'OK' });
    expect(await book.adopt(digest('b', 8e15, OTHER))).toEqual({ is: 'OK' });
    expect(await book.adopt(digest('a', 7e15))).toEqual({ is: 'FENCED' });
    expect((await book.facts()).seats).toHaveLength(2);
    expect(await book.adopt(digest('a', 8.6e15, OTHER))).toEqual({ is: 'OK' });
    expect((await book.facts()).seats.find((s) => s.manager === id('a'))).toMatchObject({ token: 8.6e15, ...OTHER });
    await book.pass(60_000);
    expect(await book.token('c')).toBeGreaterThan(8.6e15);
  });

  it('takes an adopted manager out of the queue', async () => {
    const book = open();
    await book.enqueue('a');
    await book.adopt(digest('a', 5));
    expect((await book.facts()).tickets).toEqual([]);
  });

  it('keeps the order of arrival: nobody takes the seat of who waits', async () => {
    const book = open({ soft: 1, hard: 1 });
    const a = await book.token('a');
    expect(await book.enqueue('b')).toMatchObject({ is: 'queued', position: 1, etaMs: 10_000, pushedOut: null });
    expect(await book.enqueue('c')).toMatchObject({ is: 'queued', position: 2 });
    expect(await book.enqueue('b')).toMatchObject({ is: 'queued', position: 1 });
    await book.release('a', a);
    expect((await book.admit('x')).is).toBe('full');
    expect((await book.admit('c')).is).toBe('full');
    expect(await book.admit('b')).toMatchObject({ is: 'ok', facts: { tickets: [{ id: id('c') }] } });
  });

  it('does not let automatic reconnects that wait hold a person up', async () => {
    const book = open({ soft: 1, hard: 1 });
    const a = await book.token('a');
    await book.enqueue('r', 'auto');
    await book.release('a', a);
    expect((await book.admit('s', { class: 'auto' })).is).toBe('full');
    expect((await book.admit('b')).is).toBe('ok');
  });

  it('serves automatic reconnects newest first while nobody is served', async () => {
    const book = open();
    await book.enqueue('r', 'auto');
    await book.enqueue('s', 'auto');
    expect((await book.facts()).tickets.map((t) => t.id)).toEqual([id('r'), id('s')]);
    await book.pass(1_000);
    expect((await book.facts()).tickets.map((t) => t.id)).toEqual([id('s'), id('r')]);
  });

  it('seats the newest automatic reconnect first while the queue stands, and pushes out the oldest', async () => {
    const book = open({ soft: 1, hard: 1 });
    const a = await book.token('a');
    await book.enqueue('r', 'auto');
    await book.enqueue('s', 'auto');
    await book.pass(1_000);
    await book.release('a', a);
    expect((await book.admit('r', { class: 'auto' })).is).toBe('full');
    expect((await book.admit('s', { class: 'auto' })).is).toBe('ok');
    await book.enqueue('t', 'auto');
    expect(await book.enqueue('b')).toMatchObject({ is: 'queued', pushedOut: { id: id('r') } });
  });

  it('gives the seat to the next one when a ticket is given back', async () => {
    const book = open({ soft: 1, hard: 1 });
    const a = await book.token('a');
    await book.enqueue('b');
    await book.enqueue('c');
    await book.release('a', a);
    expect((await book.seats.cancel(book.user, id('b'), book.limits)).tickets.map((t) => t.id)).toEqual([id('c')]);
    expect((await book.admit('c')).is).toBe('ok');
  });

  it('pushes an automatic reconnect out for a person, and says so', async () => {
    const book = open();
    await book.enqueue('r', 'auto');
    await book.enqueue('s', 'auto');
    expect(await book.enqueue('b')).toMatchObject({ is: 'queued', position: 1, pushedOut: { id: id('s') } });
  });

  it('names a time when its queue is full, and keeps a place then, for that attempt', async () => {
    const book = open();
    await book.enqueue('b');
    await book.pass(3_000);
    await book.enqueue('c');
    const refused = await book.enqueue('d');
    if (refused.is !== 'full') throw new Error('Expected the queue to be full');
    expect(refused.afterMs).toBe(refused.promiseAt - refused.facts.now);
    expect(Math.abs(refused.afterMs - 7_000)).toBeLessThan(SLACK_MS);
    expect((await book.enqueue('d', 'user', refused.promise)).is).toBe('full');
    await book.pass(refused.afterMs + 500);
    expect(await book.enqueue('e')).toMatchObject({ is: 'queued' });
    expect(await book.enqueue('f')).toMatchObject({ is: 'full' });
    // It has waited since the promised instant.
    expect(await book.enqueue('d', 'auto', refused.promise)).toMatchObject({ is: 'queued', ticket: { class: 'user', issuedAt: refused.promiseAt } });
  });

  it('counts the place of a promise that has served another arrival once', async () => {
    const book = open();
    await book.enqueue('b');
    await book.enqueue('c');
    expect((await book.enqueue('d')).is).toBe('full');
    await book.pass(10_500);
    expect((await book.enqueue('e')).is).toBe('queued');
    // Perhaps it is d, who has lost its promise.
    expect(await book.enqueue('f')).toMatchObject({ is: 'queued', facts: { promises: [{ lent: true }] } });
    await book.seats.cancel(book.user, id('e'), book.limits);
    expect((await book.enqueue('g')).is).toBe('queued');
  });

  it('expects a wait by the pace at which seats became free', async () => {
    const book = open({ soft: 2, hard: 2 });
    const [a, b] = [await book.token('a'), await book.token('b')];
    await book.token('k', { user: `${book.user}-other` as UserId });
    await book.release('a', a);
    await book.token('c');
    await book.pass(2_000);
    await book.release('b', b);
    await book.token('d');
    const { lastReleases } = await book.facts();
    expect(lastReleases).toHaveLength(2);
    const queued = await book.enqueue('e');
    if (queued.is !== 'queued') throw new Error('Expected a place');
    expect(Math.abs(queued.etaMs - 2_000)).toBeLessThan(SLACK_MS);
  });

  it('forgets tickets soon after their waiting is over, and does not let them hold a place', async () => {
    const book = open({ places: 1 });
    await book.enqueue('b');
    await book.pass(10_500);
    expect((await book.facts()).tickets).toHaveLength(1);
    expect((await book.enqueue('c')).is).toBe('queued');
    await book.pass(4_500);
    expect((await book.facts()).tickets.map((t) => t.id)).toEqual([id('c')]);
  });

  it('seats no more than the limit of those who come at once', async () => {
    const book = open({ soft: 7, hard: 7 });
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => book.admit(`${i}`, i % 2 === 0 ? {} : OTHER)));
    expect(answers.filter((answer) => answer.is === 'ok')).toHaveLength(7);
    expect((await book.facts()).seats).toHaveLength(7);
    const tokens = answers.flatMap((answer) => (answer.is === 'ok' ? [answer.token] : []));
    expect(new Set(tokens).size).toBe(7);
  });
}

/** The clock of a Redis server is set back or forward while people hold seats and wait. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AdmitRequest, SeatDigest } from '../../src/ports/store.ts';
import type { ManagerId, NodeId, UserId } from '../../src/protocol/ids.ts';
import { SEAT_KINDS } from './seat-benches.ts';
import { SEAT_LIMITS, type SeatBench } from './store-seats.ts';

const HOUR_MS = 3_600_000;
const LIMITS = { ...SEAT_LIMITS, soft: 2, hard: 3, ttlMs: 30_000 };
const LIFE = { node: 'gw-1' as NodeId, incarnation: 'one' } as const;
const SLACK_MS = 61_000;

describe('a Redis whose clock is set', () => {
  const kind = SEAT_KINDS.find(({ name }) => name === 'redis');
  const missing = kind?.missing() ?? null;
  let bench: (SeatBench & AsyncDisposable) | undefined;
  let users = 0;
  beforeAll(async () => {
    if (missing === null) bench = await kind?.open();
  });
  afterAll(() => bench?.[Symbol.asyncDispose]());
  beforeEach((context) => {
    if (missing !== null) context.skip(missing);
  });

  function open() {
    if (bench === undefined) throw new Error('Expected the seats to be open; ask for them inside a test.');
    const { seats, pass } = bench;
    const user = `clock-${++users}` as UserId;
    const request = (name: string, mayBurst = false): AdmitRequest => ({
      ...{ user, manager: name as ManagerId, attach: name, ...LIFE, class: 'user', mayBurst, limits: LIMITS },
    });
    const admit = async (name: string, mayBurst = false): Promise<SeatDigest> => {
      const answer = await seats.admit(request(name, mayBurst));
      const seat = answer.facts.seats.find(({ manager }) => manager === name);
      if (answer.is !== 'ok' || seat === undefined) throw new Error(`Expected ${name} to be seated.`);
      return seat;
    };
    const enqueue = (name: string) => seats.enqueue({ user, ticket: { id: name as ManagerId, class: 'user', waitMs: null, promise: null }, limits: LIMITS });
    return { seats, user, pass, admit, enqueue, facts: () => seats.facts(user, LIMITS) };
  }

  it('back by an hour: nobody is dropped, tokens rise, and nothing of who has gone stands for an hour', async () => {
    const { seats, user, pass, admit, enqueue, facts } = open();
    const [a] = [await admit('a'), await admit('b'), await admit('c', true)];
    await enqueue('gone');
    await pass(-HOUR_MS);
    const after = await facts();
    expect(after.seats.map(({ manager }) => manager).sort()).toEqual(['a', 'b', 'c']);
    expect(after.burst).toMatchObject({ in: 'active' });
    expect(await seats.renew(LIFE.node, [{ user, digest: a }], LIMITS.ttlMs)).toEqual([{ is: 'OK' }]);
    const taken = await seats.admit({ ...{ user, manager: 'a' as ManagerId, attach: 'again', ...LIFE }, class: 'user', mayBurst: false, limits: LIMITS });
    if (taken.is !== 'ok') throw new Error('Expected a seat.');
    expect(taken.token).toBeGreaterThan(a.token);
    // b, c and who waited are heard of no more.
    await pass(LIMITS.ttlMs + LIMITS.waitMs + SLACK_MS);
    const end = await facts();
    expect(end.seats).toEqual([]);
    expect(end.tickets).toEqual([]);
    expect(end.burst).not.toMatchObject({ in: 'active' });
    await pass(LIMITS.coolDownMs + SLACK_MS);
    expect((await facts()).burst).toEqual({ in: 'none' });
  });

  it('forward by an hour: leases have ended, and live managers are taken back under their tokens', async () => {
    const { seats, user, pass, admit, facts } = open();
    const [a, b] = [await admit('a'), await admit('b')];
    await pass(HOUR_MS);
    expect(
      await seats.renew(
        LIFE.node,
        [a, b].map((digest) => ({ user, digest })),
        LIMITS.ttlMs,
      ),
    ).toEqual([{ is: 'UNKNOWN' }, { is: 'UNKNOWN' }]);
    for (const digest of [a, b]) expect(await seats.adopt(user, digest, LIMITS.ttlMs)).toEqual({ is: 'OK' });
    expect((await facts()).seats.map(({ token }) => token).sort()).toEqual([a.token, b.token].sort());
  });
});

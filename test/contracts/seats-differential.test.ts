/** Any history of one user: Redis answers what the book in memory answers, whose clock is set to the instant that Redis told. */

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/ports/clock.ts';
import type { Random } from '../../src/ports/random.ts';
import type { AdmitRequest, SeatDigest, SeatFacts, SeatLimits, SeatStore } from '../../src/ports/store.ts';
import type { ManagerId, NodeId, UserId } from '../../src/protocol/ids.ts';
import { createSeatBook } from '../../src/stores/seats.ts';
import { SEAT_KINDS } from './seat-benches.ts';
import type { SeatBench } from './store-seats.ts';

const LIMITS: SeatLimits = {
  soft: 4,
  hard: 6,
  burstForMs: 6_000,
  coolDownMs: 20_000,
  debtMaxMs: 15_000,
  places: 2,
  waitMs: 3_000,
  promiseMs: 2_000,
  ttlMs: 30_000,
  tombstoneMs: 20_000,
};
const PEOPLE = 9;
const NODES = ['gw-1', 'gw-2'] as const;
const nameOf = (n: number) => `mgr_${n}` as ManagerId;

const who = fc.nat(PEOPLE - 1);
const base = { who, attach: fc.nat(1), node: fc.nat(1), wanted: fc.constantFrom('user' as const, 'auto' as const) };
const act = fc.oneof(
  { weight: 7, arbitrary: fc.record({ do: fc.constant('admit' as const), ...base, mayBurst: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('replace' as const), ...base, victims: fc.uniqueArray(who, { minLength: 1, maxLength: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('evict' as const, 'release' as const), who, isStale: fc.constantFrom(false, false, true) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('renew' as const), who: fc.uniqueArray(who, { minLength: 1, maxLength: 4 }), isStale: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('adopt' as const), who, by: fc.constantFrom(0, 0, 1, -1) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('enqueue' as const), who, wanted: base.wanted, waitMs: fc.constantFrom(null, 700), shows: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), who }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.oneof(fc.nat(400), fc.nat(4_000), fc.nat(40_000)) }) },
);
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;
const histories = fc.array(act, { minLength: 10, maxLength: 60 });

/** One store, with what it told: a history speaks of "the token of manager 3", and each store has tokens and promises of its own. */
class Side {
  readonly seats: SeatStore;
  readonly user: UserId;
  readonly tokens = new Map<ManagerId, number>();
  readonly promises = new Map<ManagerId, string>();
  /** In the order in which they were given: what two stores have in common. */
  readonly given: number[] = [];
  readonly named: string[] = [];

  constructor(seats: SeatStore, user: UserId) {
    this.seats = seats;
    this.user = user;
  }

  facts(): Promise<SeatFacts> {
    return this.seats.facts(this.user, LIMITS);
  }

  /** Facts null: the step tells none. */
  async perform(step: Act): Promise<{ readonly answer: object | null; readonly facts: SeatFacts | null }> {
    const { seats, user } = this;
    switch (step.do) {
      case 'pass':
        return { answer: null, facts: await this.facts() };
      case 'admit': {
        const { facts: seen, ...answer } = await seats.admit(this.#request(step, step.mayBurst));
        return { answer: this.#seated(step.who, answer), facts: seen };
      }
      case 'replace': {
        const victims = step.victims.map((v) => ({ manager: nameOf(v), token: this.#token(v) }));
        const { facts: seen, ...answer } = await seats.replace({ ...this.#request(step, false), victims, reason: 'lowest-value' });
        return { answer: this.#seated(step.who, answer), facts: seen };
      }
      case 'evict':
      case 'release': {
        const token = this.#token(step.who) - (step.isStale ? 1 : 0);
        const manager = nameOf(step.who);
        const asked = step.do === 'evict' ? seats.evict(user, manager, token, 'user-freed', LIMITS) : seats.release(user, manager, token, LIMITS);
        const { facts: seen, ...answer } = await asked;
        return { answer, facts: seen };
      }
      case 'renew': {
        const batch = step.who.map((n) => ({ user, digest: this.#digest(n, this.#token(n) - (step.isStale ? 1 : 0)) }));
        return { answer: await seats.renew('gw-1' as NodeId, batch, LIMITS.ttlMs), facts: null };
      }
      case 'adopt':
        return { answer: await seats.adopt(user, this.#digest(step.who, this.#token(step.who) + step.by), LIMITS.ttlMs), facts: null };
      case 'enqueue': {
        const promise = step.shows ? (this.promises.get(nameOf(step.who)) ?? null) : null;
        const ticket = { id: nameOf(step.who), class: step.wanted, waitMs: step.waitMs, promise };
        const { facts: seen, ...answer } = await seats.enqueue({ user, ticket, limits: LIMITS });
        if (answer.is === 'queued') return { answer, facts: seen };
        this.promises.set(nameOf(step.who), answer.promise);
        if (!this.named.includes(answer.promise)) this.named.push(answer.promise);
        return { answer: { ...answer, promise: this.named.indexOf(answer.promise) }, facts: seen };
      }
      case 'cancel':
        return { answer: null, facts: await seats.cancel(user, nameOf(step.who), LIMITS) };
    }
  }

  /** Facts without what each store names for itself. */
  comparable(facts: SeatFacts): object {
    const seats = facts.seats.map((seat) => ({ ...seat, token: this.#order(seat.token) })).sort((a, b) => (a.manager < b.manager ? -1 : 1));
    return { ...facts, seats, promises: facts.promises.map((promise) => ({ ...promise, name: this.named.indexOf(promise.name) })) };
  }

  #token(n: number): number {
    return this.tokens.get(nameOf(n)) ?? 1_000;
  }
  #order(token: number): number {
    // A step may tell one that is off by one, to be refused.
    const index = this.given.findIndex((one) => Math.abs(one - token) <= 1);
    return index < 0 ? token : index + (token - (this.given[index] as number)) / 10;
  }
  #digest(n: number, token: number): SeatDigest {
    const told = { verdict: 'idle', reason: 'quiet', quietMs: n, run: n % 2 === 0, pinned: n === 1, critical: n === 2, hidden: n === 3 } as const;
    return { manager: nameOf(n), token, node: 'gw-1' as NodeId, incarnation: 'life', ...told, toldAt: 0, seatedAt: 0 };
  }
  #request(step: { readonly who: number; readonly attach: number; readonly node: number; readonly wanted: 'user' | 'auto' }, mayBurst: boolean): AdmitRequest {
    const node = NODES[step.node] as NodeId;
    const attach = `${step.who}/${step.attach}`;
    return { user: this.user, manager: nameOf(step.who), attach, node, incarnation: `life of ${node}`, class: step.wanted, mayBurst, limits: LIMITS };
  }
  #seated(n: number, answer: { readonly is: string; readonly token?: number; readonly from?: { readonly token: number } | null }): object {
    if (answer.token === undefined) return answer;
    this.tokens.set(nameOf(n), answer.token);
    if (!this.given.includes(answer.token)) this.given.push(answer.token);
    const from = answer.from === undefined || answer.from === null ? null : { ...answer.from, token: this.#order(answer.from.token) };
    return { ...answer, token: this.#order(answer.token), from };
  }
}

class Follower implements Clock {
  at = 0;
  #tokens = 1_000;
  mono = () => this.at;
  /** Read for tokens only, which so lie apart from each other. */
  wall = () => ++this.#tokens;
  after = () => () => {};
  soon = () => {};
}

let users = 0;
let draws = 0;
/** Written in the 36 characters that names are made of: two draws never make one name. */
const counted: Random = {
  share: () => 0,
  bytes: (n) => {
    const draw = ++draws;
    return new Uint8Array(n).map((_, i) => Math.floor(draw / 36 ** i) % 36);
  },
};

/** When the store did a step that does not tell: what it took, it was told then. */
function instantOf(answer: object | null, facts: SeatFacts): number {
  const isTaken = [answer].flat().some((one) => (one as { readonly is: string }).is === 'OK');
  return isTaken ? Math.max(...facts.seats.map((seat) => seat.toldAt)) : facts.now;
}

describe.each(SEAT_KINDS.filter((kind) => kind.name !== 'memory'))('$name', (kind) => {
  let bench: (SeatBench & AsyncDisposable) | undefined;
  const missing = kind.missing();
  beforeAll(async () => {
    if (missing === null) bench = await kind.open();
  });
  afterAll(() => bench?.[Symbol.asyncDispose]());

  it('answers what the book in memory answers, over any history of a user', async (context) => {
    if (missing !== null || bench === undefined) return context.skip(missing ?? 'not open');
    const { seats, pass } = bench;
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const user = `any-${++users}` as UserId;
        const clock = new Follower();
        const redis = new Side(seats, user);
        const memory = new Side(createSeatBook(clock, counted), user);
        for (const step of history) {
          if (step.do === 'pass') await pass(step.ms);
          const told = await redis.perform(step);
          const facts = told.facts ?? (await redis.facts());
          clock.at = told.facts?.now ?? instantOf(told.answer, facts);
          const expected = await memory.perform(step);
          expect(told.answer).toEqual(expected.answer);
          clock.at = facts.now;
          expect(redis.comparable(facts)).toEqual(memory.comparable(expected.facts ?? (await memory.facts())));
        }
      }),
      {
        numRuns: Number(process.env.SPILLWAY_TEST_RUNS ?? 40),
        ...(process.env.SPILLWAY_TEST_SEED === undefined ? {} : { seed: Number(process.env.SPILLWAY_TEST_SEED) }),
      },
    );
  }, 120_000);
});

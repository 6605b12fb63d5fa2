/** Histories of one user's seats: random calls of the seat store, and the model that they must agree with. */

import type { SeatDigest, SeatFacts, SeatLimits, SeatStore } from '../../src/ports/store.ts';
import type { ManagerId, NodeId, UserId } from '../../src/protocol/ids.ts';
import { between, pick, type Seeded, weighted } from '../support/lab/seeded.ts';
import { nowMs } from '../support/lab/time.ts';
import type { Call, Model } from './linearizable.ts';

/** Who sat where after the call, as its answer tells it: manager and token. */
type Seats = readonly (readonly [manager: string, token: number])[];

export type SeatOp =
  | {
      readonly do: 'admit';
      readonly manager: string;
      readonly attach: string;
      readonly answer: { readonly is: string; readonly token: number | null; readonly seats: Seats } | null;
    }
  | {
      readonly do: 'evict' | 'release';
      readonly manager: string;
      readonly token: number;
      readonly answer: { readonly is: string; readonly seats: Seats } | null;
    }
  | {
      readonly do: 'replace';
      readonly manager: string;
      readonly attach: string;
      readonly victims: Seats;
      readonly answer: { readonly is: string; readonly token: number | null; readonly victim: string | null; readonly seats: Seats } | null;
    }
  | { readonly do: 'look'; readonly answer: { readonly seats: Seats } | null };

/** The limit in these histories: small, so that it is always near. */
export const SOFT = 4;
const MANAGERS = 9;
const LONG_MS = 600_000;

export const HISTORY_LIMITS: SeatLimits = {
  soft: SOFT,
  hard: SOFT + 2,
  burstForMs: LONG_MS,
  coolDownMs: LONG_MS,
  debtMaxMs: LONG_MS,
  places: 10,
  waitMs: LONG_MS,
  promiseMs: LONG_MS,
  ttlMs: LONG_MS,
  tombstoneMs: LONG_MS,
};

const seatsIn = ({ seats }: SeatFacts): Seats =>
  seats.map(({ manager, token }: SeatDigest) => [manager, token] as const).toSorted(([a], [b]) => (a < b ? -1 : 1));

/** A process that takes, frees and takes over seats of a user, one call after the other. */
export async function playSeats(
  store: SeatStore,
  o: { readonly user: string; readonly process: number; readonly calls: number; readonly random: Seeded },
): Promise<Call<SeatOp>[]> {
  const { random, process } = o;
  const user = o.user as UserId;
  const history: Call<SeatOp>[] = [];
  let known: Seats = [];
  let attaches = 0;
  for (let i = 0; i < o.calls; i++) {
    const manager = `m_${between(random, 1, MANAGERS)}`;
    const request = {
      user,
      manager: manager as ManagerId,
      // Now and then an answer was lost, and the same attempt is made again.
      attach: `a-${process}-${random() < 0.8 ? ++attaches : attaches}`,
      node: `gw-${process}` as NodeId,
      incarnation: `life-${process}`,
      class: 'user' as const,
      mayBurst: false,
      limits: HISTORY_LIMITS,
    };
    const what = weighted(random, { admit: 4, free: 4, replace: 2, look: 1 });
    const calledAt = nowMs();
    const called = await call(what).catch((error: unknown) => {
      if ((error as { readonly code?: string }).code !== 'SPILLWAY_STORE_UNAVAILABLE') throw error;
      return null;
    });
    if (called !== null) history.push({ process, calledAt, returnedAt: called.answer === null ? null : nowMs(), op: called });

    async function call(kind: typeof what): Promise<SeatOp | null> {
      if (kind === 'admit') {
        const answer = await orNothing(store.admit(request));
        if (answer !== null) known = seatsIn(answer.facts);
        return {
          do: 'admit',
          manager,
          attach: request.attach,
          answer: answer && { is: answer.is, token: answer.is === 'ok' ? answer.token : null, seats: known },
        };
      }
      if (kind === 'look' || known.length === 0) {
        const facts = await orNothing(store.facts(user, HISTORY_LIMITS));
        if (facts !== null) known = seatsIn(facts);
        return { do: 'look', answer: facts && { seats: known } };
      }
      if (kind === 'free') {
        const [held, token] = pick(random, known);
        const how = random() < 0.5 ? 'release' : 'evict';
        const freed =
          how === 'release'
            ? store.release(user, held as ManagerId, token, HISTORY_LIMITS)
            : store.evict(user, held as ManagerId, token, 'lowest-value', HISTORY_LIMITS);
        const answer = await orNothing(freed);
        if (answer !== null) known = seatsIn(answer.facts);
        return { do: how, manager: held, token, answer: answer && { is: answer.is, seats: known } };
      }
      const victims = known.filter(([held]) => held !== manager).slice(0, 3);
      const answer = await orNothing(
        store.replace({ ...request, victims: victims.map(([held, token]) => ({ manager: held as ManagerId, token })), reason: 'lowest-value' }),
      );
      if (answer !== null) known = seatsIn(answer.facts);
      return {
        do: 'replace',
        manager,
        attach: request.attach,
        victims,
        answer: answer && { is: answer.is, token: answer.is === 'ok' ? answer.token : null, victim: answer.is === 'ok' ? answer.victim : null, seats: known },
      };
    }
  }
  return history;
}

async function orNothing<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if ((error as { readonly code?: string }).code === 'SPILLWAY_STORE_UNAVAILABLE') return null;
    throw error;
  }
}

interface Seat {
  readonly token: number;
  readonly attach: string;
  /** Whose seat it was, if it was taken from somebody. */
  readonly victim: string | null;
}

interface SeatState {
  readonly seats: ReadonlyMap<string, Seat>;
  /** Who was evicted, under which token, and has not come back. */
  readonly stones: ReadonlyMap<string, number>;
  /** The newest token there ever was. */
  readonly last: number;
}

const agrees = (state: SeatState, seats: Seats): boolean =>
  seats.length === state.seats.size && seats.every(([manager, token]) => state.seats.get(manager)?.token === token);

/** A set of at most `SOFT` managers, and tokens that only rise. Calls without an answer are none of it: a healthy store leaves none. */
export const seatModel: Model<SeatState, SeatOp> = {
  first: { seats: new Map(), stones: new Map(), last: 0 },
  step(state, op) {
    if (op.answer === null) return null;
    const after = apply(state, op);
    return after !== null && agrees(after, op.answer.seats) ? after : null;
  },
  key: ({ seats, stones, last }) =>
    `${[...seats].map(([manager, { token, attach }]) => `${manager}=${token}/${attach}`).toSorted()} ${[...stones].map(String).toSorted()} ${last}`,
};

function apply(state: SeatState, op: SeatOp): SeatState | null {
  if (op.answer === null || op.do === 'look') return state;
  const { is } = op.answer;
  if ('token' in op) {
    const held = state.seats.get(op.manager);
    const isIts = held?.token === op.token;
    const wasIts = op.do === 'evict' && held === undefined && state.stones.get(op.manager) === op.token;
    if ((is === 'ok') !== (isIts || wasIts)) return null;
    if (!isIts) return state;
    return { ...state, seats: without(state.seats, op.manager), stones: op.do === 'evict' ? new Map(state.stones).set(op.manager, op.token) : state.stones };
  }
  const token = 'token' in op.answer ? op.answer.token : null;
  const held = state.seats.get(op.manager);
  const told = op.do === 'replace' && op.answer !== null ? op.answer.victim : null;
  // A repeated attempt is answered as before.
  if (held?.attach === op.attach) return is === 'ok' && token === held.token && (op.do === 'admit' || told === held.victim) ? state : null;
  const victim = op.do === 'replace' && held === undefined ? op.victims.find(([manager, under]) => state.seats.get(manager)?.token === under)?.[0] : undefined;
  const isSeated = held !== undefined || (op.do === 'admit' ? state.seats.size < SOFT : victim !== undefined);
  if ((is === 'ok') !== isSeated) return null;
  if (!isSeated) return state;
  // A token is never issued again, nor one below it.
  if (token === null || token <= state.last || told !== (victim ?? null)) return null;
  const seats = new Map(victim === undefined ? state.seats : without(state.seats, victim));
  const stones = new Map(without(state.stones, op.manager));
  if (victim !== undefined) stones.set(victim, state.seats.get(victim)?.token ?? 0);
  seats.set(op.manager, { token, attach: op.attach, victim: victim ?? null });
  return { seats, stones, last: token };
}

function without<T>(map: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> {
  const fewer = new Map(map);
  fewer.delete(key);
  return fewer;
}

/** Faults that a store could have, planted in a sound one: the checker of histories must find each. */

import { setTimeout as delay } from 'node:timers/promises';
import type { LogStore, SeatStore } from '../../src/ports/store.ts';
import { between, type Seeded } from '../support/lab/seeded.ts';

const LATE_MS = 3;

/** The same store over a road that takes a while in both directions, so that calls overlap. */
export function faraway<T extends SeatStore | LogStore>(store: T, random: Seeded): T {
  const away = (): Promise<void> => delay(between(random, 0, LATE_MS));
  return new Proxy(store, {
    get(target, name) {
      const method = target[name as keyof T];
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]): Promise<unknown> => {
        await away();
        const answer: unknown = await method.apply(target, args);
        await away();
        return answer;
      };
    },
  });
}

const pause = (): Promise<void> => delay(1);
const MANY = 1_000;

export const SEAT_FAULTS: Readonly<Record<string, (store: SeatStore) => SeatStore>> = {
  'check-then-act': (store) => ({
    ...store,
    async admit(r) {
      const { seats, cap } = await store.facts(r.user, r.limits);
      if (seats.length >= cap && seats.every(({ manager }) => manager !== r.manager)) return await store.admit(r);
      await pause();
      return await store.admit({ ...r, limits: { ...r.limits, soft: MANY, hard: MANY } });
    },
  }),
  'two-step-replace': (store) => ({
    ...store,
    async replace(r) {
      const [victim] = r.victims;
      const facts = await store.facts(r.user, r.limits);
      if (victim === undefined || facts.seats.every(({ token }) => token !== victim.token)) return await store.replace(r);
      await store.evict(r.user, victim.manager, victim.token, r.reason, r.limits);
      await pause();
      const taken = await store.admit(r);
      return taken.is === 'ok' ? { ...taken, victim: victim.manager } : { is: 'stale', facts: taken.facts };
    },
  }),
  'stale-look': (store) => {
    let old: Awaited<ReturnType<SeatStore['facts']>> | null = null;
    return {
      ...store,
      async facts(user, limits) {
        const seen = old;
        old = await store.facts(user, limits);
        return seen ?? old;
      },
    };
  },
  'forgotten-release': (store) => {
    let calls = 0;
    return {
      ...store,
      async release(user, manager, token, limits) {
        return ++calls % 5 === 0 ? { is: 'ok', facts: await store.facts(user, limits) } : await store.release(user, manager, token, limits);
      },
    };
  },
  'any-token-evicts': (store) => ({
    ...store,
    async evict(user, manager, token, reason, limits) {
      const { seats } = await store.facts(user, limits);
      const held = seats.find((seat) => seat.manager === manager)?.token ?? token;
      return await store.evict(user, manager, held, reason, limits);
    },
  }),
  'token-issued-again': (store) => {
    const first = new Map<string, number>();
    return {
      ...store,
      async admit(r) {
        const answer = await store.admit(r);
        if (answer.is !== 'ok') return answer;
        const token = first.get(r.manager) ?? answer.token;
        first.set(r.manager, token);
        const seats = answer.facts.seats.map((seat) => (seat.manager === r.manager ? { ...seat, token } : seat));
        return { ...answer, token, facts: { ...answer.facts, seats } };
      },
    };
  },
};

const over = (log: LogStore, changed: Partial<LogStore>): LogStore =>
  new Proxy(log, {
    get(target, name) {
      const method = changed[name as keyof LogStore] ?? target[name as keyof LogStore];
      return (method as (...args: unknown[]) => unknown).bind(target);
    },
  });

export const LOG_FAULTS: Readonly<Record<string, (log: LogStore) => LogStore>> = {
  'token-not-compared': (log) =>
    over(log, {
      async append(requests) {
        const fresh = await Promise.all(requests.map(async (request) => ({ ...request, token: (await log.claim(request.key)).token })));
        return await log.append(fresh);
      },
    }),
  'place-not-compared': (log) =>
    over(log, {
      async append(requests) {
        const placed = await Promise.all(
          requests.map(async (request) => {
            const { head } = await log.state(request.key);
            return { ...request, entries: request.entries.map((entry, i) => ({ ...entry, offset: head + 1 + i })) };
          }),
        );
        return await log.append(placed);
      },
    }),
  'confirmed-and-not-kept': (log) => {
    let calls = 0;
    return over(log, {
      async append(requests) {
        return ++calls % 7 === 0 ? requests.map(() => ({ is: 'ok' })) : await log.append(requests);
      },
    });
  },
  'hole-in-a-read': (log) =>
    over(log, {
      async read(key, from, maxBytes) {
        const entries = await log.read(key, from, maxBytes);
        return entries.length > 3 ? entries.toSpliced(1, 1) : entries;
      },
    }),
  'read-behind': (log) =>
    over(log, {
      async read(key, from, maxBytes) {
        return (await log.read(key, from, maxBytes)).slice(0, -1);
      },
    }),
};

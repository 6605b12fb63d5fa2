import type { SeatFacts, SeatStore, Store } from '../ports/store.ts';
import type { UserId } from '../protocol/ids.ts';

/** The same store, whose answers about a user's seats are noted on their way: nobody who was answered decides from older ones.
 *  `freed`: the step gave a seat back. */
export function noteSeats(store: Store, note: (user: UserId, facts: SeatFacts, freed: boolean) => void): Store {
  const told = async <T>(user: UserId, asked: Promise<T>, factsOf: (answer: T) => SeatFacts, hasFreed: (answer: T) => boolean = () => false): Promise<T> => {
    const answer = await asked;
    note(user, factsOf(answer), hasFreed(answer));
    return answer;
  };
  const { seats } = store;
  const isDone = ({ is }: { readonly is: 'ok' | 'stale' }): boolean => is === 'ok';
  const noted: SeatStore = {
    facts: (user, limits) => told(user, seats.facts(user, limits), (facts) => facts),
    admit: (r) => told(r.user, seats.admit(r), ({ facts }) => facts),
    replace: (r) => told(r.user, seats.replace(r), ({ facts }) => facts),
    enqueue: (r) => told(r.user, seats.enqueue(r), ({ facts }) => facts),
    evict: (user, ...rest) => told(user, seats.evict(user, ...rest), ({ facts }) => facts, isDone),
    release: (user, ...rest) => told(user, seats.release(user, ...rest), ({ facts }) => facts, isDone),
    cancel: (user, ...rest) => told(user, seats.cancel(user, ...rest), (facts) => facts),
    renew: (...a) => seats.renew(...a),
    adopt: (...a) => seats.adopt(...a),
  };
  return {
    kind: store.kind,
    cluster: store.cluster,
    seats: noted,
    log: store.log,
    threads: store.threads,
    credentials: store.credentials,
    health: () => store.health(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

import { systemRandom } from '../../src/ports/random.ts';
import { MemoryCluster } from '../../src/stores/memory/cluster.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { createSeatBook } from '../../src/stores/seats.ts';
import { NO_FAKETIME, wallClock } from '../support/lab/faketime.ts';
import { redisTool, startRedis, startRedisCluster } from '../support/redis.ts';
import { HandClock } from './hand-clock.ts';
import type { SeatBench } from './store-seats.ts';

/** A store of seats whose clock a test moves. */
export interface SeatKind {
  readonly name: string;
  /** Why there is none here, or null. */
  readonly missing: () => string | null;
  open(): Promise<SeatBench & AsyncDisposable>;
}

/** Servers whose clock is moved forward by hours must not take each other for dead. */
const PATIENT = ['--cluster-node-timeout', '2000000000'];
/** Calls may wait for their turn on a busy machine: how long they may take is another test's matter. */
const DEADLINE_MS = 5_000;

const redisMissing = (): string | null => {
  using clock = wallClock();
  return redisTool().missing ?? (clock === null ? NO_FAKETIME : null);
};

export const SEAT_KINDS: readonly SeatKind[] = [
  {
    name: 'memory',
    missing: () => null,
    open: async () => {
      const clock = new HandClock();
      const cluster = new MemoryCluster(clock, systemRandom);
      return { seats: createSeatBook(clock, systemRandom), cluster, pass: async (ms) => clock.pass(ms), [Symbol.asyncDispose]: async () => {} };
    },
  },
  { name: 'redis', missing: redisMissing, open: () => openRedis(false) },
  { name: 'redis cluster', missing: redisMissing, open: () => openRedis(true) },
];

/** Real servers whose clock is libfaketime's. */
async function openRedis(isCluster: boolean): Promise<SeatBench & AsyncDisposable> {
  await using parts = new AsyncDisposableStack();
  const clock = wallClock();
  if (clock === null) throw new Error(NO_FAKETIME);
  parts.use(clock);
  let options: { url: string } | { nodes: readonly string[] };
  if (isCluster) options = { nodes: parts.use(await startRedisCluster({ env: clock.env, args: PATIENT })).nodes };
  else options = { url: parts.use(await startRedis({ env: clock.env })).url };
  const store = parts.use(await redisStore({ ...options, deadlineMs: DEADLINE_MS }));
  let offsetMs = 0;
  const pass = async (ms: number): Promise<void> => {
    offsetMs += ms;
    clock.jumpTo(offsetMs / 1_000);
  };
  const { seats, cluster } = store;
  if (cluster === null) throw new Error('Expected a store that processes share.');
  const owned = parts.move();
  return { seats, cluster, pass, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

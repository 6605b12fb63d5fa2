import { redisStore } from '../../src/stores/redis/store.ts';
import { NO_FAKETIME, type WallClock, wallClock } from '../support/lab/faketime.ts';
import { redisTool, startRedis, startRedisCluster } from '../support/redis.ts';
import type { StoreKind } from './store.ts';

/** Servers whose clock is moved forward by hours must not take each other for dead. */
const PATIENT = ['--cluster-node-timeout', '2000000000'];
/** Calls may wait for their turn on a busy machine: how long they may take is another test's matter. */
const DEADLINE_MS = 5_000;
const STARTS_AT = Date.UTC(2026, 0, 1);

interface Ground {
  readonly options: { readonly url: string } | { readonly nodes: readonly string[] };
  readonly clock: WallClock;
  /** What the clock shows. */
  at: number;
  stores: number;
}

/** Real servers on a clock that stands still until a test lets time pass: one for all stores of a file, each under a prefix of its own. */
export function redisKind(name: string, isCluster: boolean): StoreKind & AsyncDisposable {
  const parts = new AsyncDisposableStack();
  let ground: Promise<Ground> | null = null;

  async function start(): Promise<Ground> {
    const clock = wallClock();
    if (clock === null) throw new Error(NO_FAKETIME);
    parts.use(clock);
    const options = isCluster
      ? { nodes: parts.use(await startRedisCluster({ env: clock.env, args: PATIENT })).nodes }
      : { url: parts.use(await startRedis({ env: clock.env })).url };
    return { options, clock, at: STARTS_AT, stores: 0 };
  }

  return {
    name,
    missing() {
      using clock = wallClock();
      return redisTool().missing ?? (clock === null ? NO_FAKETIME : null);
    },
    async open({ clock }) {
      ground ??= start();
      const shared = await ground;
      const pass = (ms: number): void => {
        shared.at += ms;
        shared.clock.standAt(shared.at);
      };
      pass(0);
      clock.onPass(pass);
      await using opened = new AsyncDisposableStack();
      const options = { ...shared.options, prefix: `sp${++shared.stores}`, deadlineMs: DEADLINE_MS };
      const [store, another] = [opened.use(await redisStore(options)), opened.use(await redisStore(options))];
      const owned = opened.move();
      return { store, another, [Symbol.asyncDispose]: () => owned.disposeAsync() };
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

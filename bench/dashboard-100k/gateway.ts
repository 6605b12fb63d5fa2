/** The process that is measured: a gateway whose factory holds managers without sockets, of which some change every second. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createGateway } from '../../src/gateway/gateway.ts';
import type { WebSocketManager } from '../../src/managers/manager.ts';
import { InProcessPeer } from './peers.ts';
import { type Profile, profile } from './profile.ts';
import { type Slice, SlicingClock } from './slices.ts';

export interface Order {
  readonly managers: number;
  readonly key: string;
  /** Folder with the built dashboard; null: none. */
  readonly pages: string | null;
}

/** What one window cost. */
export interface Cost {
  readonly cpuShare: number;
  readonly wallMs: number;
  readonly changes: number;
  readonly loopMaxMs: number;
  readonly rssMiB: number;
}

/** What the process can be asked for, by name. */
export interface Answers {
  readonly start: { readonly port: number; readonly fillMs: number };
  readonly cost: Cost;
  readonly slices: readonly Slice[];
  readonly profile: Profile;
}
export type Question = { readonly ask: 'start'; readonly order: Order } | { readonly ask: Exclude<keyof Answers, 'start'>; readonly forMs: number };

const PER_USER = 10;
const TIERS = ['free', 'early', 'mid', 'enterprise'];
/** Long enough that keeping 100,000 managers alive is a small part of what is measured; the figures of a real node come on top. */
const CALM = {
  pingEveryMs: 120_000,
  transportDeadMs: 600_000,
  heartbeatMs: 300_000,
  clientTimeoutMs: 900_000,
  freshMs: 30_000,
  appDeadMs: 1_200_000,
  appDeadFullMs: 1_000_000,
};
/** A touched manager becomes healthy, and idle again when it was left alone: two changes for each touch. */
const CHANGES_PER_TOUCH = 2;
const TOUCH_EVERY_MS = 100;
const AFTER_GC_MS = 500;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function start({ managers: count, key, pages }: Order) {
  const clock = new SlicingClock();
  const gateway = createGateway({
    authenticate: () => null,
    agent: async function* () {},
    adminKey: key,
    node: 'gw-1',
    clock,
    health: CALM,
    limits: { perUser: 20, perNode: count * 2 },
    lease: { ttlMs: 3_600_000, renewMs: 600_000 },
    ...(pages === null ? {} : { dashboardPages: pages }),
  });
  const server = createServer(gateway.admin.handler);
  gateway.admin.attach(server, { ownUpgrades: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const began = performance.now();
  const managers: WebSocketManager[] = [];
  for (let n = 0; n < count; n++) {
    const user = Math.floor(n / PER_USER);
    const admission = await gateway.factory.createManager(
      { userId: `user-${user}` as never, tier: TIERS[user % TIERS.length] as never, requestId: `req-${n}`, websocketClientId: 'bench' },
      { transport: new InProcessPeer(), visibility: n % 3 === 0 ? 'visible' : 'hidden' },
    );
    if (admission.kind !== 'seated') throw new Error(`Expected every manager to be seated, number ${n} was not: ${admission.kind}.`);
    managers.push(admission.manager);
  }
  let changes = 0;
  gateway.factory.on('verdict-changed', () => changes++);
  let next = 0;
  const perTouch = (count * 0.01) / CHANGES_PER_TOUCH / (1_000 / TOUCH_EVERY_MS);
  let due = 0;
  setInterval(() => {
    for (due += perTouch; due >= 1; due--) {
      // Spread over all of them, each only when everybody else had its turn.
      next = (next + 7_919) % managers.length;
      managers[next]?.attachment?.requested();
    }
  }, TOUCH_EVERY_MS);
  return { clock, changes: () => changes, port: (server.address() as AddressInfo).port, fillMs: performance.now() - began };
}

let running: Awaited<ReturnType<typeof start>> | null = null;

async function answer(ask: Question): Promise<Answers[keyof Answers]> {
  if (ask.ask === 'start') {
    running = await start(ask.order);
    return { port: running.port, fillMs: running.fillMs };
  }
  if (running === null) throw new Error('Expected to be started first.');
  const { clock, changes } = running;
  if (ask.ask === 'profile') return await profile(() => sleep(ask.forMs));
  if (ask.ask === 'slices') {
    clock.begin();
    await sleep(ask.forMs);
    return clock.end();
  }
  // Old garbage is collected about twice a minute, for a second. Every window begins without any, so that it is nobody's share by chance.
  globalThis.gc?.();
  await sleep(AFTER_GC_MS);
  const loop = monitorEventLoopDelay({ resolution: 1 });
  const from = { at: performance.now(), cpu: process.cpuUsage(), changes: changes() };
  loop.enable();
  await sleep(ask.forMs);
  loop.disable();
  const wallMs = performance.now() - from.at;
  const { user, system } = process.cpuUsage(from.cpu);
  return {
    cpuShare: (user + system) / 1_000 / wallMs,
    wallMs,
    changes: changes() - from.changes,
    loopMaxMs: loop.max / 1e6,
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
  };
}

process.on('message', (ask: Question) => {
  answer(ask).then(
    (told) => process.send?.(told),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));

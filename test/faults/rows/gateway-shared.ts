/** Rows in which nodes share a Redis: one of them dies, or Redis itself is in trouble. */

import { setTimeout as delay } from 'node:timers/promises';
import { openDoor } from '../../support/door.ts';
import { NO_FAKETIME, wallClock } from '../../support/lab/faketime.ts';
import { asking } from '../../support/lossless/numbered-agent.ts';
import { until } from '../../support/peers/kernel.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { WireClient } from '../../support/wire-client.ts';
import { FaultGateway } from '../fault-gateway.ts';
import type { GatewayRow, Times } from '../row.ts';
import { scaled } from '../times.ts';
import { Watcher } from '../watcher.ts';
import { Crowd, losslessOf, type Served } from './gateway-crowd.ts';
import { endsOf, strangers } from './gateway-death.ts';
import { type Found, told } from './gateway-result.ts';

interface Where {
  readonly times: Times;
  readonly folder: string;
}

const STREAMING = 10;
const SENDERS = 5;
/** Clients of a user at the limit who die with their node. */
const GONE = 20;
const PER_SECOND = 20;
const WARM_MS = 3_000;
const SEATS_WITHIN_MS = 6_500;
const ENDED_WITHIN_MS = 15_000;
const BACK_WITHIN_MS = 35_000;
const LOOKED_AT_MS = 40_000;
const TRY_EVERY_MS = 200;

const timingOf = ({ divisor }: Times): 'fast' | 'default' => (divisor === 10 ? 'fast' : 'default');

/** As `strangers`, by people who try again at once where they are told to come back later. */
async function insisting(gateway: FaultGateway, user: string, count: number): Promise<readonly WireClient[]> {
  const token = await gateway.token(user);
  const until = performance.now() + BACK_WITHIN_MS;
  const dial = async (): Promise<WireClient> => {
    for (;;) {
      const wire = (await WireClient.open(gateway.wsUrl, { deadlineMs: 30_000 })).behave();
      wire.sendFrame({ type: 'hello', v: 1, token, client: { name: 'wire', version: '1.0' }, intent: 'user', visibility: 'visible' });
      const told = await wire.nextWhere('a seat or a time', ({ type }) => type === 'ready' || type === 'bye');
      if (told.type === 'ready') return wire;
      await wire[Symbol.asyncDispose]();
      if (performance.now() > until) throw new Error(`Expected a seat within ${BACK_WITHIN_MS} ms, got ${told.name}.`);
      await delay(TRY_EVERY_MS);
    }
  };
  return await Promise.all(Array.from({ length: count }, dial));
}

/** SIGKILL of a node in the middle of its runs; its clients go on at another. */
async function dies({ times, folder }: Where): Promise<Found> {
  await using redis = await startRedis({ appendonly: true });
  const start = (node: string): Promise<FaultGateway> => FaultGateway.start({ folder, node, timing: timingOf(times), store: { redis: redis.url } });
  await using first = await start('gw-1');
  await using second = await start('gw-2');
  await using door = await openDoor(first);
  let current = first;
  const served: Served = {
    wsUrl: door.wsUrl,
    url: second.url,
    attempted: first.attempted,
    token: (user) => first.token(user),
    ask: (...asked) => current.ask(...asked),
    cancel: (...asked) => current.cancel(...asked),
    request: (...asked) => current.request(...asked),
  };
  await using crowd = new Crowd(served);
  const streaming = await crowd.seat('streaming', STREAMING);
  const gone = await strangers(first, 'gone', GONE);
  await crowd.talk(streaming, PER_SECOND);
  await delay(scaled(times, WARM_MS));
  const killedAt = performance.now();
  await first.kill('SIGKILL');
  for (const wire of gone) wire.cut();
  current = second;
  door.to(second);
  const broken: string[] = [];
  const fresh = await insisting(second, 'gone', GONE);
  const seatsMs = performance.now() - killedAt;
  if (seatsMs > SEATS_WITHIN_MS + times.slackMs) broken.push(`the seats of the dead were free ${Math.round(seatsMs)} ms after the kill`);
  await until('an end of every run', () => streaming.every((member) => endsOf(member).length > 0), BACK_WITHIN_MS + ENDED_WITHIN_MS);
  const endedMs = performance.now() - killedAt;
  if (endedMs > ENDED_WITHIN_MS) broken.push(`the last run ended ${Math.round(endedMs)} ms after the kill`);
  await crowd.live(BACK_WITHIN_MS);
  for (const member of streaming)
    if (endsOf(member).join() !== 'producer_lost') broken.push(`the run of ${member.thread} ended with ${endsOf(member).join() || 'nothing'}`);
  for (const [user, seats] of [
    ['streaming', STREAMING],
    ['gone', GONE],
  ] as const) {
    const now = await second.admin(`users/${user}`);
    if (now.effective !== seats) broken.push(`${user} has ${seats} clients and ${now.effective} effective seats`);
  }
  const { findings, faults } = await crowd.conclude({ cut: true });
  await Promise.all(fresh.map((wire) => wire[Symbol.asyncDispose]()));
  return {
    clients: STREAMING + GONE,
    broken: [...broken, ...faults],
    lossless: losslessOf(findings),
    boundMs: SEATS_WITHIN_MS,
    seatReleasedMs: Math.round(seatsMs),
    notes: [
      `every reader had the run's one end ${Math.round(endedMs)} ms after the kill, from another node`,
      `${findings.unlogged.length} events were attempted and cut off with the process`,
    ],
  };
}

/** What is done to Redis. Resolves when it is over, to why it was not in force, or null. `isLogged`: whether events are logged now. */
type Trouble = (redis: RedisServer, isLogged: () => Promise<boolean>) => Promise<string | null>;

/** Whatever happens to Redis: who works is left alone and loses nothing, and what is sent meanwhile is answered once. */
async function troubled({ times, folder }: Where, trouble: Trouble, env: NodeJS.ProcessEnv = {}): Promise<Found> {
  await using redis = await startRedis({ appendonly: true, env });
  await using gateway = await FaultGateway.start({ folder, node: 'gw-1', timing: timingOf(times), store: { redis: redis.url } });
  await using other = await FaultGateway.start({ folder, node: 'gw-2', timing: timingOf(times), store: { redis: redis.url } });
  await using crowd = new Crowd(gateway);
  const streaming = await crowd.seat('streaming', STREAMING);
  const senders = await crowd.seat('senders', SENDERS);
  await crowd.talk(streaming, PER_SECOND);
  await delay(scaled(times, WARM_MS));
  const watcher = new Watcher(gateway);
  const injectedAt = performance.now();
  const mark = (): number => Math.max(...streaming.map(({ lines }) => lines.filter((line) => line.is === 'applied').length));
  const isLogged = async (): Promise<boolean> => {
    // What was logged before is on its way still.
    await delay(300);
    const before = mark();
    await delay(500);
    return mark() !== before;
  };
  const over = trouble(redis, isLogged);
  for (const { recorder } of senders) recorder.send(asking({ count: 5 }));
  const unproved = await over;
  await until('an answer to what was sent meanwhile', () => senders.every((member) => endsOf(member).length === 1), BACK_WITHIN_MS);
  await delay(scaled(times, LOOKED_AT_MS));
  await watcher[Symbol.asyncDispose]();
  const accused = [...watcher.accused].map(([manager, what]) => `${manager} works, and the gateway said ${what}`);
  const closes = crowd.closesSince(injectedAt).map((what) => `a client that works lost its transport: ${what}`);
  const deaf = (await other.admin('users/streaming')) === undefined ? ['the other node does not answer'] : [];
  const { findings, faults } = await crowd.conclude();
  return {
    clients: STREAMING + SENDERS,
    broken: [...accused, ...closes, ...deaf, ...faults],
    unproved,
    falselyClosed: accused.length,
    lossless: losslessOf(findings),
    notes: [`${SENDERS} messages sent meanwhile, each stored and answered once; two nodes`],
  };
}

const restarts: Trouble = async (redis, isLogged) => {
  await redis.stop();
  const wasLogged = await isLogged();
  await redis.start();
  return wasLogged ? 'events were logged while Redis was down' : null;
};

const FROZEN_MS = 30_000;

const freezes =
  (times: Times): Trouble =>
  async (redis, isLogged) => {
    const thawAt = performance.now() + scaled(times, FROZEN_MS);
    redis.freeze();
    try {
      const wasLogged = await isLogged();
      await delay(thawAt - performance.now());
      return wasLogged ? 'events were logged while Redis stood still' : null;
    } finally {
      redis.thaw();
    }
  };

const HOUR_S = 3_600;
const JUMP_LASTS_MS = 20_000;

async function jumps(where: Where): Promise<Found> {
  using clock = wallClock();
  if (clock === null) throw new Error(NO_FAKETIME);
  const secondsOf = (redis: RedisServer): number => Number(redis.cli('time').split('\n')[0]);
  return await troubled(
    where,
    async (redis) => {
      for (const offsetS of [HOUR_S, 0, -HOUR_S, 0]) {
        clock.jumpTo(offsetS);
        const isMoved = Math.abs(secondsOf(redis) - (Date.now() / 1_000 + offsetS)) < 5;
        if (!isMoved) return `the clock of Redis did not jump by ${offsetS} s`;
        // Over several renewals of leases and beats of nodes.
        await delay(scaled(where.times, JUMP_LASTS_MS));
      }
      return null;
    },
    clock.env,
  );
}

const f13dShared: GatewayRow = {
  phase: 'gateway',
  key: 'F13d-redis',
  field: 'a node of several dies in mid-run',
  by: 'SIGKILL; its clients go on at another node of the same Redis',
  expect: { is: 'own', promise: 'seats within 6.5 s; each run ends with exactly one terminal event within 15 s' },
  needs: ['redis'],
  fast: false,
  run: (o) => told(f13dShared, () => dies(o)),
};

const f13e: GatewayRow = {
  phase: 'gateway',
  key: 'F13e',
  field: 'the store restarts',
  by: 'Redis gets SIGTERM and starts on its data',
  expect: { is: 'left-alone' },
  needs: ['redis'],
  fast: false,
  run: (o) => told(f13e, () => troubled(o, restarts)),
};

const f13fShared: GatewayRow = {
  phase: 'gateway',
  key: 'F13f-redis',
  field: 'the store that nodes share hangs',
  by: 'Redis gets SIGSTOP for 30 s',
  expect: { is: 'left-alone' },
  needs: ['redis'],
  fast: false,
  run: (o) => told(f13fShared, () => troubled(o, freezes(o.times))),
};

const f15c: GatewayRow = {
  phase: 'gateway',
  key: 'F15c',
  field: "the clock of the store's machine jumps",
  by: 'libfaketime, + 1 h and back, − 1 h and back, under Redis',
  expect: { is: 'left-alone' },
  needs: ['redis', 'faketime'],
  fast: false,
  run: (o) => told(f15c, () => jumps(o)),
};

export const SHARED: readonly GatewayRow[] = [f13dShared, f13e, f13fShared, f15c];

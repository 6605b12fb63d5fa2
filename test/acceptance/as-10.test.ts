import { afterEach, expect, test } from 'vitest';
import { breakZombies, type Crew, seatCrew } from '../support/lab/crew.ts';
import { NO_FAKETIME, wallClock } from '../support/lab/faketime.ts';
import { concludeCrews } from '../support/lab/fates.ts';
import { Lab } from '../support/lab/lab.ts';
import { SeatSampler } from '../support/lab/seat-sampler.ts';
import { noRedis, startLabs } from '../support/lab/shared-labs.ts';
import { attentiveMs, nowMs, watchStalls } from '../support/lab/time.ts';
import { closeSwallowingRelay } from '../support/peers/close-swallowing-relay.ts';
import { Home } from '../support/peers/home.ts';
import { until } from '../support/peers/kernel.ts';
import { expectWithin, gated } from '../support/peers/load-gate.ts';
import type { ProvableClient } from '../support/peers/provable-client.ts';
import { need } from '../support/tools.ts';
import { WireClient, type WireFrame } from '../support/wire-client.ts';

const HEALTHY = 18;
const ZOMBIES = 2;
const NEW = 12;
/** Of twelve, two get the seats of the dead, five a burst lease; the others wait, and Force ends each wait. */
const BURST = 5;
const FORCED = NEW - ZOMBIES - BURST;
/** `SPILLWAY_LONG=1`: times as they are by default, and the pace of the scenario: one every 5 s, an event every 30 s. Else a tenth. */
const IS_LONG = process.env.SPILLWAY_LONG === '1';
const SCALE = IS_LONG ? 10 : 1;
const APART_MS = 500 * SCALE;
const EVENT_EVERY_MS = 3_000 * SCALE;
const WAIT_MS = IS_LONG ? 10_000 : 2_000;
const OUTAGE_MS = 6_000 * SCALE;
const STALL_MS = 5_000;
const TOLD_WITHIN_MS = 1_000;
const SEATED_SLACK_MS = 500;
const PROOF_WITHIN_MS = 10_000 * SCALE;
/** After the last answer, whoever was closed has been told so. */
const SETTLED_MS = 1_000;
const TIMEOUT_MS = IS_LONG ? 400_000 : 90_000;
/** Nodes and seats are told of anew when the store is back. */
const CONVERGED_WITHIN_MS = 15_000;

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

interface Scene {
  readonly lab: Lab;
  readonly u1: Crew;
  readonly u2: Crew;
  /** Where new clients of each user dial. */
  readonly urls: Readonly<Record<'u1' | 'u2', string>>;
}

/** `u1` and the uninvolved `u2`, each at 20/20 with two proved zombies. */
async function bothAtTheLimit(o: { readonly lab?: Lab; readonly u1Url?: (lab: Lab) => string | Promise<string> } = {}): Promise<Scene> {
  const lab = cleanUp.use(o.lab ?? (await startLab()));
  cleanUp.use(watchStalls((stall) => lab.stalls.push(stall)));
  const home = cleanUp.use(new Home('client-process.ts'));
  const u1Url = (await o.u1Url?.(lab)) ?? lab.wsUrl;
  const u1 = await seatCrew(cleanUp, lab, { user: 'u1', healthy: HEALTHY, zombies: ZOMBIES, url: u1Url, home });
  const u2 = await seatCrew(cleanUp, lab, { user: 'u2', healthy: HEALTHY, zombies: ZOMBIES, home });
  await offer(lab, [u1, u2], 0);
  await breakZombies(lab, home, [u1, u2], PROOF_WITHIN_MS);
  return { lab, u1, u2, urls: { u1: u1Url, u2: lab.wsUrl } };
}

const OPTIONS = { timing: IS_LONG ? 'default' : 'fast', cleanup: { proactive: false }, queue: { waitMs: WAIT_MS } } as const;
const startLab = (env: NodeJS.ProcessEnv = {}): Promise<Lab> => Lab.start({ options: OPTIONS }, env);

/** Everybody who works is spoken to now and then, the newcomers too. */
async function offer(lab: Lab, crews: readonly Crew[], newcomers: number): Promise<void> {
  const threads = crews.flatMap(({ user, healthy }) => [
    ...healthy.map((_, i) => ({ user, thread: `${user}-healthy-${i}` })),
    ...Array.from({ length: newcomers }, (_, i) => ({ user, thread: `${user}-new-${i}` })),
  ]);
  await lab.tell({ do: 'offer', to: threads, everyMs: EVENT_EVERY_MS });
}

/** One of the twelve: what it was told, and when. */
class Attempt {
  readonly dialledAt = nowMs();
  toldAt = Number.NaN;
  seatedAt = Number.NaN;
  queuedAt = Number.NaN;
  /** How it was closed before it had a seat. */
  refused: string | null = null;
  #wire: WireClient | null = null;

  constructor(url: string, token: string, thread: string) {
    this.#dial(url, token, thread).catch((error: unknown) => {
      this.refused = String(error);
    });
  }

  async #dial(url: string, token: string, thread: string): Promise<void> {
    const wire = (await WireClient.open(url, { deadlineMs: 60_000 })).behave();
    cleanUp.use(wire);
    this.#wire = wire;
    wire.sendFrame({ type: 'hello', v: 1, token, client: { name: 'new', version: '1.0', label: thread }, intent: 'user', visibility: 'visible' });
    wire.sendFrame({ type: 'subscribe', sub: 1, thread, from: 'start' });
    const first = await wire.nextWhere('an answer', (f) => f.type === 'ready' || f.type === 'queued' || f.type === 'bye');
    this.toldAt = nowMs();
    if (first.type === 'queued') this.queuedAt = this.toldAt;
    const end = first.type === 'queued' ? await wire.nextWhere('a seat', (f) => f.type === 'ready' || f.type === 'bye') : first;
    if (end.type === 'bye') this.refused = `${end.code} ${end.reason}`;
    else this.seatedAt = nowMs();
  }

  get #ready(): WireFrame | undefined {
    return this.#wire?.frames.find((f) => f.type === 'ready');
  }
  get isOver(): boolean {
    return this.refused !== null || !Number.isNaN(this.seatedAt);
  }
  get manager(): string {
    return this.#ready?.manager ?? '';
  }
  get seat(): string {
    return this.#ready?.seat ?? '';
  }
  get isClosed(): boolean {
    return this.#wire?.isOpen !== true || this.#wire.frames.some((f) => f.type === 'bye');
  }
}

/** Each user opens twelve clients, one every half second; `meanwhile` hears before each of them. */
async function openTwelve({ lab, u1, u2, urls }: Scene, meanwhile: (n: number) => Promise<void>): Promise<Record<'u1' | 'u2', Attempt[]>> {
  await offer(lab, [u1, u2], NEW);
  const attempts: Record<'u1' | 'u2', Attempt[]> = { u1: [], u2: [] };
  const startedAt = nowMs();
  for (let n = 0; n < NEW; n++) {
    const dueAt = startedAt + n * APART_MS;
    await until('the next client to be due', () => nowMs() >= dueAt, 2 * APART_MS, 5);
    await meanwhile(n);
    for (const crew of [u1, u2]) {
      const user = crew.user as 'u1' | 'u2';
      attempts[user].push(new Attempt(urls[user], crew.token, `${user}-new-${n}`));
    }
  }
  await until('an end of every attempt', () => [...attempts.u1, ...attempts.u2].every((attempt) => attempt.isOver), 30_000);
  return attempts;
}

const isGone = (client: ProvableClient): boolean => !client.wire.isOpen || client.bye !== null;

/** What a person must get, whatever failed: a seat or a place at once, and a seat when the waiting is over. */
function expectSeatedInTime({ lab }: Scene, attempts: readonly Attempt[]): void {
  expect(attempts.map((attempt) => attempt.refused)).toEqual(Array(NEW).fill(null));
  for (const attempt of attempts) {
    expectWithin('a seat or a place', attentiveMs(attempt.dialledAt, attempt.toldAt, lab.stalls), TOLD_WITHIN_MS);
    if (Number.isNaN(attempt.queuedAt)) continue;
    expectWithin('a seat after the queue', attentiveMs(attempt.dialledAt, attempt.seatedAt, lab.stalls), WAIT_MS + SEATED_SLACK_MS);
    // Nothing shortens a wait either: nobody left, so that only its end gives it a seat.
    expect(attempt.seatedAt - attempt.dialledAt).toBeGreaterThan(WAIT_MS);
  }
}

/** Those of a user that gave their seats away, zombies aside, each with its reason. */
const gaveWay = (lab: Lab, { user, zombies }: Crew): readonly (readonly [string, string])[] =>
  lab.ended
    .filter(({ record }) => record.user === user && !zombies.some((zombie) => zombie.manager === record.managerId))
    .map(({ record }) => [record.managerId, record.reason]);

/** Waits until exactly those are closed that the gateway says gave way, and no zombie holds a socket. */
async function closedAre(lab: Lab, crew: Crew, attempts: readonly Attempt[]): Promise<void> {
  const expected = gaveWay(lab, crew).map(([manager]) => manager);
  const closed = (): readonly string[] => [...crew.healthy.filter(isGone).map((c) => c.manager), ...attempts.filter((a) => a.isClosed).map((a) => a.manager)];
  const isSettled = (): boolean => crew.zombies.every(({ proxy }) => !proxy.isUpstreamOpen()) && expected.toSorted().join() === closed().toSorted().join();
  await until('exactly those who gave way to be closed', isSettled, SETTLED_MS).catch(() => {
    expect(closed().toSorted()).toEqual(expected.toSorted());
    expect(crew.zombies.filter(({ proxy }) => proxy.isUpstreamOpen())).toEqual([]);
  });
}

/** As if nothing had failed: the dead gave way to the first two, five got a burst lease, and one gave way for each of the rest. */
async function expectUndisturbed(scene: Scene, crew: Crew, attempts: readonly Attempt[]): Promise<void> {
  const { lab } = scene;
  const ended = lab.ended.filter(({ record }) => record.user === crew.user).map(({ record }) => record.managerId as string);
  expect(gaveWay(lab, crew).map(([, reason]) => reason)).toEqual(Array(FORCED).fill('lowest-value'));
  for (const zombie of crew.zombies) expect(ended).toContain(zombie.manager);
  expectSeatedInTime(scene, attempts);
  expect(attempts.filter((attempt) => !Number.isNaN(attempt.queuedAt))).toHaveLength(FORCED);
  expect(attempts.filter((attempt) => attempt.seat === 'burst' && Number.isNaN(attempt.queuedAt))).toHaveLength(BURST);
  await closedAre(lab, crew, attempts);
  expect((await lab.status(crew.user)).users[crew.user]).toMatchObject({ seats: 25, effective: 25 });
}

/** The scenario with one fault. `u2` never notices; `u1` does not either, unless its expectation is another one. */
const scenario = (
  fault: (scene: Scene, n: number) => Promise<unknown>,
  o: { readonly setUp?: () => Promise<Scene>; readonly expectU1?: (scene: Scene, attempts: readonly Attempt[]) => Promise<void> } = {},
) =>
  gated(async () => {
    const scene = await (o.setUp ?? bothAtTheLimit)();
    const { u1, u2 } = await openTwelve(scene, async (n) => {
      await fault(scene, n);
    });
    await (o.expectU1 ?? ((s, attempts) => expectUndisturbed(s, s.u1, attempts)))(scene, u1);
    await expectUndisturbed(scene, scene.u2, u2);
    expect(scene.lab.troubles.filter(({ severity }) => severity === 'CRITICAL')).toEqual([]);
    await concludeCrews(scene.lab, [scene.u1, scene.u2]);
  });

test(
  'AS-10 clients that never answer a close: everybody is seated, the zombies and one for each Force are gone, u2 is as if nothing were',
  { timeout: TIMEOUT_MS },
  scenario(async () => {}, {
    setUp: () =>
      bothAtTheLimit({
        async u1Url(lab) {
          const relay = cleanUp.use(await closeSwallowingRelay(Number(new URL(lab.url).port)));
          return `ws://127.0.0.1:${relay.port}/v1/ws`;
        },
      }),
  }),
);

/** Everybody is spoken to as the scenario begins and not again: if the stall counted as quiet time, they would all look unused. */
async function stallsAt({ lab }: Scene, n: number, stall: () => Promise<unknown>): Promise<void> {
  if (n === 1) await lab.tell({ do: 'offer', to: [], everyMs: EVENT_EVERY_MS });
  // The clients go on coming meanwhile.
  if (n === 3) void stall();
}

test(
  'AS-10 the gateway is stopped for 5 s: nobody who works is blamed',
  { timeout: TIMEOUT_MS },
  scenario((scene, n) => stallsAt(scene, n, () => scene.lab.stopFor(STALL_MS))),
);

test(
  'AS-10 the gateway computes for 5 s: nobody who works is blamed',
  { timeout: TIMEOUT_MS },
  scenario((scene, n) => stallsAt(scene, n, () => scene.lab.tell({ do: 'busy', ms: STALL_MS }))),
);

test(
  'AS-10 five writes of seats fail in a row: u1 is seated all the same, the failure is counted and told, u2 is as if nothing were',
  { timeout: TIMEOUT_MS },
  scenario(async ({ lab }, n) => (n === 0 ? await lab.tell({ do: 'fail-writes', user: 'u1', times: 5 }) : undefined), {
    async expectU1(scene, attempts) {
      const { lab, u1 } = scene;
      expect((await lab.status()).failedWrites).toHaveLength(5);
      expectSeatedInTime(scene, attempts);
      const forces = lab.admissions.filter(({ record }) => record.user === 'u1' && record.outcome === 'force').length;
      expect(gaveWay(lab, u1).map(([, reason]) => reason)).toEqual(Array(gaveWay(lab, u1).length).fill('lowest-value'));
      expect(gaveWay(lab, u1).length).toBeLessThanOrEqual(forces);
      await closedAre(lab, u1, attempts);
      expect((await lab.status()).factory.failedCleanups).toBeGreaterThan(0);
      expect(lab.cleanups.filter(({ report }) => report.result === 'failed').map(({ report }) => report.user)).toContain('u1');
      expect(lab.troubles.filter(({ event }) => event === 'cleanup-finished').map(({ severity }) => severity)).toContain('ERROR');
    },
  }),
);

test(
  'AS-10 probes throw: whoever could not be asked is unknown, not dead',
  { timeout: TIMEOUT_MS },
  scenario(async ({ lab }, n) => (n === 0 ? await lab.tell({ do: 'throw-probes', user: 'u1' }) : undefined), {
    setUp: () => bothAtTheLimit({ u1Url: (lab) => lab.bareUrl }),
    async expectU1(scene, attempts) {
      await expectUndisturbed(scene, scene.u1, attempts);
      const { users, thrownProbes } = await scene.lab.status('u1');
      expect(thrownProbes).toBeGreaterThan(0);
      expect(users.u1?.managers.filter(({ proof }) => proof)).toEqual([]);
      expect(users.u1?.managers.map(({ verdict }) => verdict)).toContain('unknown: probe-failed');
    },
  }),
);

test('AS-10 the Redis cannot be reached for a minute: the node decides alone, nobody who works is dropped, and then all books agree', {
  timeout: TIMEOUT_MS,
}, async (context) => {
  const missing = noRedis();
  if (missing !== null) return context.skip(missing);
  await gated(async () => {
    // What cannot be logged is not delivered, so that everybody looks unused meanwhile; here nobody is to go for that.
    const cleanup = { ...OPTIONS.cleanup, idleFullMs: 5 * OUTAGE_MS, idleMs: 5 * OUTAGE_MS };
    const { redis, labs } = await startLabs(cleanUp, { nodes: 1, options: { ...OPTIONS, cleanup } });
    const scene = await bothAtTheLimit({ lab: labs[0] as Lab });
    const { lab } = scene;
    let over: Promise<void> = Promise.resolve();
    const { u1, u2 } = await openTwelve(scene, async (n) => {
      if (n > 0) return;
      redis.freeze();
      over = new Promise((resolve) => {
        setTimeout(() => {
          redis.thaw();
          resolve();
        }, OUTAGE_MS);
      });
    });
    await over;
    for (const [crew, attempts] of [
      [scene.u1, u1],
      [scene.u2, u2],
    ] as const) {
      expectSeatedInTime(scene, attempts);
      // There is no burst without the store: all but those who got the seats of the dead waited, and Force ended each wait.
      expect(attempts.filter((attempt) => attempt.seat === 'burst')).toEqual([]);
      expect(gaveWay(lab, crew).map(([, reason]) => reason)).toEqual(Array(NEW - ZOMBIES).fill('lowest-value'));
      await closedAre(lab, crew, attempts);
      const sampler = cleanUp.use(new SeatSampler(redis.url, crew.user, 100));
      await until(`the store to know the seats of ${crew.user}`, async () => (await sampler.count()) === HEALTHY + ZOMBIES, CONVERGED_WITHIN_MS);
      expect((await lab.status(crew.user)).users[crew.user]).toMatchObject({ seats: HEALTHY + ZOMBIES, effective: HEALTHY + ZOMBIES });
    }
    expect(await lab.differences()).toEqual([]);
    expect(lab.troubles.filter(({ severity }) => severity === 'CRITICAL')).toEqual([]);
    await concludeCrews(lab, [scene.u1, scene.u2]);
  })(context);
});

for (const [says, offsetS] of [
  ['an hour ahead', 3_600],
  ['an hour back', -3_600],
] as const) {
  test(`AS-10 the wall clock jumps ${says}: bursts, queue and verdicts stay as they are`, { timeout: TIMEOUT_MS }, async (context) => {
    need('faketime');
    const clock = wallClock();
    if (clock === null) return context.skip(NO_FAKETIME);
    cleanUp.use(clock);
    const jump = async ({ lab }: Scene, n: number): Promise<void> => {
      // Once while the lease is given, and once while people wait.
      if (n !== 3 && n !== 9) return;
      clock.jumpTo(n === 3 ? offsetS : 0);
      const off = ((await lab.tell({ do: 'wall' })) as number) - Date.now();
      expect(Math.abs(off - (n === 3 ? offsetS * 1_000 : 0))).toBeLessThan(5_000);
    };
    await scenario(jump, { setUp: async () => bothAtTheLimit({ lab: await startLab(clock.env) }) })(context);
  });
}

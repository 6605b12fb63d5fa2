import { afterEach, expect, test } from 'vitest';
import { tokenFor } from '../support/gateway.ts';
import type { Lab } from '../support/lab/lab.ts';
import { Persistent } from '../support/lab/persistent.ts';
import { SeatSampler } from '../support/lab/seat-sampler.ts';
import { noRedis, type SharedLabs, startLabs } from '../support/lab/shared-labs.ts';
import { nowMs } from '../support/lab/time.ts';
import { until } from '../support/peers/kernel.ts';
import { expectWithin, gated } from '../support/peers/load-gate.ts';
import { ProvableClient } from '../support/peers/provable-client.ts';

const IS_LONG = process.env.SPILLWAY_LONG === '1';
const USER = 'u1';
const HARD = 25;
const HELD = 19;
const NEWCOMERS = 50;
const AT_ONCE_MS = 10;
const KILLED_WITHIN_MS = 200;
const SAMPLE_MS = 10;
const ANSWERED_WITHIN_MS = 1_000;
const SEATED_WITHIN_MS = 60_000;
const NODE_DEAD_WITHIN_MS = 6_500;
/** A look at the gateway, and its answer. */
const LOOK_MS = 500;
const LOOP_DELAY_MS = 100;
/** The queue's own times, or a tenth of them. */
const QUEUE = IS_LONG ? {} : { queue: { waitMs: 1_500, promiseMs: 1_000 } };

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

/** 19 managers over two nodes, and fifty persons who have dialled, half of them at each. */
async function raceOnTwoNodes(): Promise<
  SharedLabs & { readonly held: readonly ProvableClient[]; readonly newcomers: readonly Persistent[]; readonly sampler: SeatSampler }
> {
  const shared = await startLabs(cleanUp, { nodes: 2, options: { timing: 'fast', ...QUEUE } });
  const at = (i: number): Lab => shared.labs[i % 2] as Lab;
  const token = await tokenFor(USER, { livesMs: 48 * 3_600_000 });
  const held: ProvableClient[] = [];
  for (let i = 0; i < HELD; i++) {
    const client = await ProvableClient.open(at(i).wsUrl, { token, thread: `held-${i}`, deadlineMs: 60_000 });
    cleanUp.use(client.wire);
    held.push(client);
  }
  const newcomers = Array.from({ length: NEWCOMERS }, (_, i) => cleanUp.use(new Persistent(at(i).wsUrl, token)));
  await Promise.all(newcomers.map((newcomer) => newcomer.dial()));
  const sampler = cleanUp.use(new SeatSampler(shared.redis.url, USER, SAMPLE_MS));
  for (const lab of shared.labs) await lab.tell({ do: 'loop-delay' });
  return { ...shared, held, newcomers, sampler };
}

/** All ask within ten milliseconds, while those who are seated die one by one. Resolves when each of the fifty has an end. */
async function race({ held, newcomers }: Awaited<ReturnType<typeof raceOnTwoNodes>>): Promise<Promise<void>[]> {
  for (const [i, client] of held.entries()) setTimeout(() => client.wire.cut(), (((i * 7) % HELD) * KILLED_WITHIN_MS) / HELD);
  const startedAt = nowMs();
  const asked = newcomers.map((newcomer) => newcomer.ask());
  expectWithin('fifty hellos', nowMs() - startedAt, 5 * AT_ONCE_MS);
  await until('an answer for each', () => newcomers.every(({ firstAnswerMs, failure }) => !Number.isNaN(firstAnswerMs) || failure !== null), 10_000);
  return asked;
}

/** On each node one pass of the user ends before the next one begins. */
function expectNoOverlap(labs: readonly Lab[]): void {
  for (const lab of labs) {
    const passes = lab.cleanups
      .filter(({ report }) => report.user === USER && report.trigger === 'admission')
      .map(({ report, at }) => ({ from: at - report.durationMs, to: at }));
    passes.sort((a, b) => a.to - b.to);
    for (const [i, pass] of passes.entries()) if (i > 0) expect(pass.from).toBeGreaterThanOrEqual((passes[i - 1]?.to ?? 0) - 2);
  }
}

test('AS-06 fifty at once on two nodes while nineteen die: never more than 25 seats, an answer within a second, and each is seated in the end', {
  timeout: 120_000,
}, async (context) => {
  const missing = noRedis();
  if (missing !== null) return context.skip(missing);
  await gated(async () => {
    const scene = await raceOnTwoNodes();
    const { labs, newcomers, sampler } = scene;
    await Promise.all(await race(scene));
    const delays = await Promise.all(labs.map((lab) => lab.tell({ do: 'loop-delay' })));
    expect(newcomers.map(({ failure }) => failure)).toEqual(Array(NEWCOMERS).fill(null));
    for (const { firstAnswerMs, seatedAfterMs } of newcomers) {
      expectWithin('an answer', firstAnswerMs, ANSWERED_WITHIN_MS);
      expect(seatedAfterMs).toBeLessThanOrEqual(SEATED_WITHIN_MS);
    }
    const answers = new Set(newcomers.map(({ firstAnswer }) => firstAnswer));
    expect([...answers].sort()).toEqual(['bye', 'queued', 'ready']);
    // Whoever was the last to give way has been told so, and everybody tells the same.
    const isSettled = async (): Promise<boolean> => {
      const seated = newcomers.filter(({ isSeated }) => isSeated).length;
      const statuses = await Promise.all(labs.map((lab) => lab.status(USER)));
      const sockets = statuses.reduce((sum, { users }) => sum + (users[USER]?.sockets ?? 0), 0);
      return seated === (await sampler.count()) && seated === sockets && newcomers.filter(({ isOpen }) => isOpen).length === seated;
    };
    await until('seats, sockets and clients to agree', isSettled, 5_000, 50);
    expect(sampler.most).toBeLessThanOrEqual(HARD);
    expect(sampler.most).toBe(HARD);
    expect(sampler.samples).toBeGreaterThan(50);
    for (const lab of labs) {
      expect(await lab.differences()).toEqual([]);
      expect(lab.troubles.filter(({ severity }) => severity === 'CRITICAL')).toEqual([]);
    }
    expectNoOverlap(labs);
    for (const delay of delays) expectWithin('a turn of a gateway’s loop, 99 times of 100', delay as number, LOOP_DELAY_MS);
  })(context);
});

test('AS-06a one of the nodes is killed in the middle: its seats are free within 6.5 s, and its clients go on at the other under their names', {
  timeout: 120_000,
}, async (context) => {
  const missing = noRedis();
  if (missing !== null) return context.skip(missing);
  await gated(async () => {
    const scene = await raceOnTwoNodes();
    const [a, b] = scene.labs as [Lab, Lab];
    const { newcomers, sampler } = scene;
    const asked = await race(scene);
    const onB = newcomers.filter((_, i) => i % 2 === 1);
    const seatedOnB = onB.filter(({ isSeated }) => isSeated);
    expect(seatedOnB.length).toBeGreaterThan(0);
    const before = (await a.status(USER)).users[USER];
    const killedAt = nowMs();
    await b[Symbol.asyncDispose]();
    const isFree = async (): Promise<boolean> => {
      const now = (await a.status(USER)).users[USER];
      return now !== undefined && now.effective <= now.managers.filter(({ proof }) => !proof).length;
    };
    await until('the dead node’s seats to count no more', isFree, NODE_DEAD_WITHIN_MS + 5_000, 20);
    expectWithin('the dead node’s seats to count no more', nowMs() - killedAt, NODE_DEAD_WITHIN_MS + LOOK_MS);
    expect(before?.seats).toBeGreaterThan(0);
    // Its clients have a token that leads to their managers, which nobody needed so far.
    const token = await tokenFor(USER);
    for (const [i, { ready }] of seatedOnB.slice(0, 3).entries()) {
      const resume = { manager: ready?.manager as string, token: ready?.resumeToken as string, epoch: 'e', offset: 0 };
      const back = await ProvableClient.open(a.wsUrl, { token, thread: `back-${i}`, resume, deadlineMs: 30_000 });
      cleanUp.use(back.wire);
      expect(back.manager).toBe(resume.manager);
    }
    await Promise.all(asked.filter((_, i) => i % 2 === 0));
    expect(newcomers.filter((_, i) => i % 2 === 0).map(({ failure }) => failure)).toEqual(Array(NEWCOMERS / 2).fill(null));
    expect(sampler.most).toBeLessThanOrEqual(HARD);
    expect(await a.differences()).toEqual([]);
  })(context);
});

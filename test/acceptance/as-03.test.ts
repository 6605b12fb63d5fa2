import { afterEach, expect, test } from 'vitest';
import { returnOf } from '../../src/protocol/close-codes.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/peers/kernel.ts';
import { expectWithin, gated } from '../support/peers/load-gate.ts';
import { ProvableClient } from '../support/peers/provable-client.ts';
import { connect, numbers, numbersBecome, SEATED_WITHIN_MS, USER } from '../support/peers/scene.ts';
import { Truth } from '../support/peers/truth.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';

/** A twentieth of the lease, and of the quiet time after which an idle session may go at the limit. */
const LEASE_MS = 3_000;
/** Repayment looks once a second, and quiet time does not pass while we stall. */
const REPAID_WITHIN_MS = 2_000;
/** As long again as a lease would run, nothing more may happen. */
const CALM_MS = 2_500;
const EVENT_EVERY_MS = 250;
const ASKING = 3;
const SPOKEN_TO = 7;
const SILENT = 10;

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

/** An event in each of these conversations, again and again. */
function speakTo(gw: TestGateway, threads: readonly string[]): void {
  const timer = setInterval(() => {
    for (const thread of threads) void gw.gateway.publish(USER, thread as never, { type: 'text_delta', text: 'news ' });
  }, EVENT_EVERY_MS);
  cleanUp.defer(() => clearInterval(timer));
}

/** Everybody that a test knows of works. */
let truth: Truth;
async function startWatched(options: Parameters<typeof startGateway>[0]): Promise<TestGateway> {
  const gw = cleanUp.use(await startGateway(options));
  truth = cleanUp.use(new Truth(gw));
  return gw;
}

async function open(gw: TestGateway, thread: string): Promise<ProvableClient> {
  const client = await ProvableClient.open(gw.wsUrl, { token: await gw.token(USER), thread, label: thread });
  cleanUp.use(client.wire);
  truth.works(client.manager, USER);
  return client;
}

const names = (prefix: string, count: number): readonly string[] => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
const gone = (clients: readonly ProvableClient[]): readonly ProvableClient[] => clients.filter((client) => client.bye !== null || !client.wire.isOpen);

async function twentyThatWork(
  gw: TestGateway,
  agent: ScriptedAgent,
): Promise<{ readonly asking: readonly ProvableClient[]; readonly spoken: readonly ProvableClient[]; readonly silent: readonly ProvableClient[] }> {
  const asking = await Promise.all(names('asking', ASKING).map((thread) => open(gw, thread)));
  for (const [i, client] of asking.entries()) {
    client.wire.sendFrame({ type: 'send', id: 'q', thread: `asking-${i}`, data: { text: 'tell me a long story' } });
    const run = await agent.nextRun();
    run.start().text('once upon a time');
  }
  const spoken = await Promise.all(names('spoken', SPOKEN_TO).map((thread) => open(gw, thread)));
  const silent = await Promise.all(names('silent', SILENT).map((thread) => open(gw, thread)));
  // Each has applied its last event a little later than the one before it, so that everybody knows who has been quiet longest.
  for (const [i, client] of silent.entries()) {
    const { offset } = await gw.gateway.publish(USER, `silent-${i}` as never, { type: 'text_delta', text: 'the last word' });
    await until(
      'the last word to be acknowledged',
      () => (gw.gateway.factory.find(client.manager as never)?.acknowledged(`silent-${i}` as never)?.offset ?? 0) >= offset,
    );
    const acknowledgedAt = gw.gateway.factory.now();
    await until('the next instant', () => gw.gateway.factory.now() > acknowledgedAt);
  }
  return { asking, spoken, silent };
}

test(
  'AS-03 twenty healthy: five more are seated on a burst, five quiet ones give way when it ends, nobody comes back by itself',
  { timeout: 90_000 },
  gated(async () => {
    const agent = new ScriptedAgent();
    const gw = await startWatched({ timing: 'fast', agent, limits: { burst: { forMs: LEASE_MS, coolDownMs: 60_000 } }, cleanup: { idleFullMs: LEASE_MS } });
    const { asking, spoken, silent } = await twentyThatWork(gw, agent);
    speakTo(gw, [...names('spoken', SPOKEN_TO), ...names('new', 5)]);
    const before = [...asking, ...spoken, ...silent];

    const startedAt = performance.now();
    const fresh = await connect(cleanUp, { gw, truth }, 5, 50);
    const everybody = [...before, ...fresh];
    for (const client of fresh) expectWithin('a seat', client.seatedAfterMs, SEATED_WITHIN_MS);
    expect(fresh.map((client) => client.ready.seat)).toEqual(Array(5).fill('burst'));
    expect(gone(everybody)).toEqual([]);
    await until(
      'everybody to hear of the burst',
      () => everybody.every((client) => client.wire.frames.some((f) => f.type === 'notice' && f.kind === 'burst' && f.data.used === 25)),
      1_500,
    );
    const notice = silent[0]?.wire.frames.find((f) => f.type === 'notice' && f.kind === 'burst');
    expect(notice?.data).toMatchObject({ limit: 20 });
    expect(notice?.until).toBeGreaterThan(0);

    // The lease ends: exactly the five that have been quiet longest.
    await until('five to give way', () => gone(everybody).length >= 5, LEASE_MS + REPAID_WITHIN_MS);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(LEASE_MS);
    const repaid = silent.slice(0, 5);
    expect(gone(everybody).map((client) => everybody.indexOf(client))).toEqual(repaid.map((client) => everybody.indexOf(client)));
    for (const client of repaid) {
      await until('a farewell', () => client.bye !== null && !client.wire.isOpen, 1_000);
      expect(client.bye).toMatchObject({ reason: 'burst-repaid', return: 'user', resumable: true, positions: [{ sub: 1, epoch: client.epoch, offset: 1 }] });
      expect(returnOf((await client.wire.close()).code)).toBe('user');
    }
    const calmUntil = performance.now() + CALM_MS;
    await until('calm', () => performance.now() >= calmUntil, 2 * CALM_MS);
    expect(
      gone(everybody)
        .map((client) => client.bye?.manager)
        .sort(),
    ).toEqual(repaid.map((client) => client.manager).sort());
    await numbersBecome(gw, { seats: 20, effective: 20, sockets: 20, kernel: 20 });

    // Its person comes back to one of them: another quiet one gives way, and nothing is lost.
    const first = repaid[0] as ProvableClient;
    const { offset } = await gw.gateway.publish(USER, 'silent-0' as never, { type: 'text_delta', text: 'while you were away' });
    const back = await ProvableClient.open(gw.wsUrl, {
      token: await gw.token(USER),
      thread: 'silent-0',
      resume: { manager: first.manager, token: first.bye?.resumeToken ?? first.ready.resumeToken, epoch: first.epoch, offset: first.applied },
    });
    cleanUp.use(back.wire);
    expectWithin('a seat', back.seatedAfterMs, SEATED_WITHIN_MS);
    expect(back.applied).toBe(offset);
    await until('another quiet one to give way', () => (silent[5] as ProvableClient).bye !== null, 1_000);
    expect(gone(everybody)).toHaveLength(6);
    await numbersBecome(gw, { seats: 20, effective: 20 });
    truth.works(back.manager, USER);
    await truth.conclude();
    for (const run of agent.runs) run.complete();
  }),
);

test(
  'AS-03b while the lease cools down the twenty-first is queued, and seated in its time',
  { timeout: 90_000 },
  gated(async () => {
    const agent = new ScriptedAgent();
    const gw = await startWatched({
      timing: 'fast',
      agent,
      limits: { burst: { forMs: 300, coolDownMs: 60_000 } },
      queue: { waitMs: 1_000 },
      cleanup: { idleFullMs: 60_000, idleMs: 60_000 },
    });
    await twentyThatWork(gw, agent);
    // A lease that was taken and repaid at once, since its client left.
    const [guest] = (await connect(cleanUp, { gw, truth }, 1, 0)) as [ProvableClient];
    expect(guest.ready.seat).toBe('burst');
    guest.wire.sendFrame({ type: 'bye', reason: 'left' });
    await guest.wire.close();
    await until('the lease to be over', async () => (await gw.gateway.factory.limits(USER, 'free')).burstUntil === null, 2_000);

    const [client] = (await connect(cleanUp, { gw, truth }, 1, 0)) as [ProvableClient];
    const queued = client.wire.frames.find((f) => f.type === 'queued');
    expect(queued).toMatchObject({ position: 1, of: 1 });
    expect(client.ready.seat).toBe('soft');
    expectWithin('a seat', client.seatedAfterMs, 1_000 + SEATED_WITHIN_MS);
    expect(await numbers(gw)).toMatchObject({ seats: 20 });
    await truth.conclude();
  }),
);

test(
  'AS-03d with `force-first` the twenty-first takes the place of exactly one, without a burst',
  { timeout: 90_000 },
  gated(async () => {
    const agent = new ScriptedAgent();
    const gw = await startWatched({ timing: 'fast', agent, limits: { overflowPolicy: 'force-first' } });
    const { asking, spoken, silent } = await twentyThatWork(gw, agent);
    const [client] = (await connect(cleanUp, { gw, truth }, 1, 0)) as [ProvableClient];
    expectWithin('a seat', client.seatedAfterMs, SEATED_WITHIN_MS);
    expect(client.ready).toMatchObject({ seat: 'soft', limits: { burstUntil: null } });
    const everybody = [...asking, ...spoken, ...silent];
    await until('one to give way', () => gone(everybody).length === 1, 1_000);
    expect(gone(everybody)[0]?.bye).toMatchObject({ reason: 'lowest-value', return: 'user' });
    await numbersBecome(gw, { seats: 20, sockets: 20 });
    await truth.conclude();
  }),
);

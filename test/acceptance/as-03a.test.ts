import { afterEach, expect, test } from 'vitest';
import { returnOf } from '../../src/protocol/close-codes.ts';
import { HELLO, startGateway } from '../support/gateway.ts';
import { until } from '../support/peers/kernel.ts';
import { expectWithin, gated } from '../support/peers/load-gate.ts';
import { ProvableClient } from '../support/peers/provable-client.ts';
import { connect, numbers, numbersBecome, USER } from '../support/peers/scene.ts';
import { Truth } from '../support/peers/truth.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';

/** Shortened in one proportion: the lease, its debt, and the quiet time after which an idle session may go at the limit. */
const LEASE_MS = 2_000;
const DEBT_MS = 9_000;
const QUIET_MS = 1_500;
/** Repayment looks once a second. */
const LOOKS_EVERY_MS = 1_000;
/** Timers are late, never early, and quiet time does not pass while we stall. */
const LATE_MS = 1_000;
const TOLD_WITHIN_MS = 500;
const SAMPLE_EVERY_MS = 20;

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

const hasGone = (client: ProvableClient): boolean => client.bye !== null || !client.wire.isOpen;
const pass = async (ms: number): Promise<void> => {
  const over = performance.now() + ms;
  await until(`${ms} ms to pass`, () => performance.now() >= over, ms + 5_000);
};

test(
  'AS-03a all twenty-five are busy when the lease ends: nobody is cut, seats only fall, and the rest goes when the debt is over',
  { timeout: 90_000 },
  gated(async () => {
    const agent = new ScriptedAgent();
    const gw = cleanUp.use(
      await startGateway({
        timing: 'fast',
        agent,
        limits: { burst: { forMs: LEASE_MS, coolDownMs: 60_000, debtMaxMs: DEBT_MS } },
        cleanup: { idleFullMs: QUIET_MS },
      }),
    );
    const truth = cleanUp.use(new Truth(gw));
    const token = await gw.token(USER);
    const clients: ProvableClient[] = [];
    for (let i = 0; i < 20; i++) {
      const client = await ProvableClient.open(gw.wsUrl, { token, thread: `new-${i}` });
      cleanUp.use(client.wire);
      truth.works(client.manager, USER);
      clients.push(client);
      // Its clock moves on, so that everybody knows who came first.
      const seatedAt = gw.gateway.factory.now();
      await until('the next instant', () => gw.gateway.factory.now() > seatedAt);
    }
    // Seats above the limit are taken in the threads new-0 to new-4 too: two devices in one conversation.
    clients.push(...(await connect(cleanUp, { gw, truth }, 5, 50)));
    const leaseFrom = performance.now();
    for (const [i, client] of clients.entries()) {
      client.wire.sendFrame({ type: 'send', id: `q-${i}`, thread: `new-${i % 20}`, data: { text: 'a long story' } });
      await client.wire.nextWhere('an answer', (f) => f.type === 'run-accepted');
    }
    const runs = await Promise.all(Array.from({ length: 20 }, () => agent.nextRun()));
    const runOf = new Map(runs.map((run) => [run.asked.threadId as string, run]));
    for (const run of runs) run.start();
    const speech = setInterval(() => {
      for (const run of runs) run.text('and then ');
    }, 250);
    cleanUp.defer(() => clearInterval(speech));
    const seats: number[] = [];
    const sampler = setInterval(() => seats.push(gw.gateway.factory.list(USER).length), SAMPLE_EVERY_MS);
    cleanUp.defer(() => clearInterval(sampler));
    expect(clients.filter(hasGone)).toEqual([]);
    expect(await numbers(gw)).toMatchObject({ seats: 25, effective: 25 });

    // The lease is over, and repayment has looked twice.
    await until('the lease to be over', async () => (await gw.gateway.factory.limits(USER, 'free')).burstUntil === null, LEASE_MS + LATE_MS);
    const debtFrom = performance.now();
    expect(debtFrom - leaseFrom).toBeGreaterThanOrEqual(LEASE_MS - 300);
    await pass(2 * LOOKS_EVERY_MS + 200);
    expect(clients.filter(hasGone)).toEqual([]);
    expect(await numbers(gw)).toMatchObject({ seats: 25 });

    // Whoever leaves makes no room for another while more than twenty are seated.
    const leaver = clients[19] as ProvableClient;
    leaver.wire.sendFrame({ type: 'bye', reason: 'left' });
    await numbersBecome(gw, { seats: 24 });
    const newcomer = await gw.open();
    newcomer.sendFrame({ ...HELLO, token });
    expect(await newcomer.nextWhere('a place', (f) => f.type === 'queued' || f.type === 'ready' || f.type === 'bye')).toMatchObject({ type: 'queued' });
    newcomer.cut();
    expect(await numbers(gw)).toMatchObject({ seats: 24 });

    // Two answers end: the two that listened to them give way when they have been quiet, and nobody else does.
    const endedAt = performance.now();
    const quiet = [clients[10], clients[11]] as readonly ProvableClient[];
    runOf.get('new-10')?.complete();
    runOf.get('new-11')?.complete();
    await until('two to give way', () => quiet.every(hasGone), QUIET_MS + LOOKS_EVERY_MS + LATE_MS);
    expect(performance.now() - endedAt).toBeGreaterThanOrEqual(QUIET_MS - 50);
    for (const client of quiet) {
      await until('a farewell', () => client.bye !== null && !client.wire.isOpen, 1_000);
      expect(client.bye).toMatchObject({ reason: 'burst-repaid', return: 'user', resumable: true, explain: { level: 'aggressive' } });
      expect(returnOf((await client.wire.close()).code)).toBe('user');
    }
    await numbersBecome(gw, { seats: 22 });
    expect(clients.filter(hasGone)).toHaveLength(3);

    // The others go on listening to their runs; at the end of the debt the two oldest of them go at once.
    const [oldest, second] = clients as [ProvableClient, ProvableClient];
    await until('two more to give way', () => hasGone(oldest) && hasGone(second), DEBT_MS + LATE_MS);
    const tookMs = performance.now() - debtFrom;
    expect(tookMs).toBeGreaterThanOrEqual(DEBT_MS - 100);
    expectWithin('the debt', tookMs, DEBT_MS + LOOKS_EVERY_MS + TOLD_WITHIN_MS);
    for (const client of [oldest, second]) {
      await until('a farewell', () => client.bye !== null, 1_000);
      expect(client.bye).toMatchObject({ reason: 'burst-repaid', return: 'user', explain: { level: 'force' } });
    }
    await numbersBecome(gw, { seats: 20, effective: 20, sockets: 20, kernel: 20 });
    await pass(2 * LOOKS_EVERY_MS);
    expect(clients.filter(hasGone)).toHaveLength(5);
    expect(seats, 'seats never rise').toEqual([...seats].sort((a, b) => b - a));
    expect(runs.filter((run) => run.asked.signal.aborted)).toEqual([]);
    await truth.conclude();
  }),
);

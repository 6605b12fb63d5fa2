import { afterEach, expect, test } from 'vitest';
import type { CleanupReport } from '../../src/managers/events.ts';
import { HELLO, startGateway, type TestGateway } from '../support/gateway.ts';
import { working } from '../support/peers/alive.ts';
import { willBreak } from '../support/peers/dead.ts';
import { until } from '../support/peers/kernel.ts';
import { expectWithin, gated } from '../support/peers/load-gate.ts';
import { type AlivePeer, type DeadKind, type DeadPeer, handlesAnEvent, publishTo } from '../support/peers/peer.ts';
import { ProvableClient } from '../support/peers/provable-client.ts';
import { SEATED_WITHIN_MS } from '../support/peers/scene.ts';
import { Truth } from '../support/peers/truth.ts';
import type { WireClient } from '../support/wire-client.ts';

const PER_NODE = 40;
/** A twentieth of the limit, at least two. */
const RESERVE = 2;
const EVENT_EVERY_MS = 1_000;
const PROOF_WITHIN_MS = 10_000;

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

/** What the test did to each client, beside what the gateway says of it. */
let truth: Truth;

/** Users are named after their tier: `early-3`. */
const tierOf = (user: string): string => user.split('-')[0] ?? 'free';

/** A gateway whose users have the tiers that their names say, and what it cleaned up. */
async function start(options: Parameters<typeof startGateway>[0] = {}): Promise<{ readonly gw: TestGateway; readonly cleanups: readonly CleanupReport[] }> {
  const started = cleanUp.use(await startGateway({ timing: 'fast', cleanup: { proactive: false }, ...options }));
  const gw: TestGateway = { ...started, token: (user, o) => started.token(user, { ...o, tier: tierOf(user) }) };
  truth = cleanUp.use(new Truth(gw));
  const cleanups: CleanupReport[] = [];
  gw.gateway.on('cleanup-finished', (report) => cleanups.push(report));
  return { gw, cleanups };
}

/** Clients that work, one for each name; a name may come more than once. */
async function seatWorking(gw: TestGateway, users: readonly string[]): Promise<readonly AlivePeer[]> {
  const peers = await Promise.all(users.map((user, i) => working('plain', { gw, user, thread: `working-${i}` })));
  for (const peer of peers) {
    cleanUp.use(peer);
    truth.works(peer.manager, peer.user);
  }
  const timer = setInterval(() => {
    for (const peer of peers) publishTo(gw.gateway, peer).catch(() => clearInterval(timer));
  }, EVENT_EVERY_MS);
  cleanUp.defer(() => clearInterval(timer));
  return peers;
}

async function seatBreaking(gw: TestGateway, kinds: readonly (readonly [DeadKind, string])[]): Promise<readonly DeadPeer[]> {
  const peers = await Promise.all(kinds.map(([kind, user], i) => willBreak(kind, { gw, user, thread: `broken-${i}` })));
  for (const peer of peers) cleanUp.use(peer);
  return peers;
}

/** Breaks them while events are owed, and waits until the gateway has proof. */
async function broken(gw: TestGateway, dead: readonly DeadPeer[]): Promise<void> {
  await Promise.all(dead.map((peer) => handlesAnEvent(gw.gateway, peer)));
  for (const peer of dead) truth.breaks(peer.manager, peer.user, peer.kind);
  await Promise.all(dead.map((peer) => peer.breaks()));
  for (const peer of dead) await publishTo(gw.gateway, peer);
  await Promise.all(dead.map((peer) => peer.proof()));
  await until('a proof of every broken one', () => dead.every((peer) => gw.gateway.factory.find(peer.manager)?.verdict.proof === true), PROOF_WITHIN_MS);
}

async function device(gw: TestGateway, user: string, thread: string): Promise<ProvableClient> {
  const client = await ProvableClient.open(gw.wsUrl, { token: await gw.token(user), thread, label: thread });
  cleanUp.use(client.wire);
  truth.works(client.manager, user);
  return client;
}

const seats = (gw: TestGateway): number => gw.gateway.factory.getFactoryStatus().seats;
const names = (tier: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${tier}-${i}`);

test(
  'AS-08 a full node: three devices of enterprise customers are seated at once, the dead of anybody give way, nobody who works does',
  { timeout: 90_000 },
  gated(async () => {
    const { gw, cleanups } = await start({ limits: { perNode: PER_NODE } });
    const dead = await seatBreaking(gw, [
      ['F05a', 'enterprise-0'],
      ['F06a', 'free-0'],
    ]);
    const alive = await seatWorking(gw, [...names('free', 17), ...names('early', 17), 'enterprise-0', 'enterprise-0', 'enterprise-1', 'enterprise-1']);
    await broken(gw, dead);
    expect(seats(gw)).toBe(PER_NODE);

    const devices = await Promise.all([device(gw, 'enterprise-new', 'laptop'), device(gw, 'enterprise-new', 'phone'), device(gw, 'enterprise-1', 'tablet')]);
    for (const client of devices) {
      expectWithin('a seat', client.seatedAfterMs, SEATED_WITHIN_MS);
      expect(client.wire.frames.filter((f) => f.type === 'queued')).toEqual([]);
    }
    await until('the dead to be gone', () => dead.every((peer) => gw.gateway.factory.find(peer.manager) === undefined), 1_000);
    const victims = cleanups.flatMap((report) => report.victims.map((victim) => victim.managerId));
    expect(victims.toSorted()).toEqual(dead.map((peer) => peer.manager).toSorted());
    // The third of them stands in the reserve.
    expect(seats(gw)).toBe(PER_NODE + 1);

    // The reserve is not for everybody: the next one waits at the gate, until somebody leaves.
    const guest = await gw.open({ deadlineMs: 20_000 });
    guest.behave().sendFrame({ ...HELLO, token: await gw.token('free-new') });
    expect(await guest.next('queued')).toMatchObject({ position: 1 });
    for (const client of devices.slice(0, 2)) client.wire.sendFrame({ type: 'bye', reason: 'left' });
    await guest.next('ready');
    expect(alive.filter((peer) => !peer.isOpen()).map((peer) => peer.user)).toEqual([]);
    expect(alive.filter((peer) => gw.gateway.factory.find(peer.manager) === undefined)).toEqual([]);
    await truth.conclude();
  }),
);

test(
  'AS-08a an enterprise customer at twenty seats, six of them dead: the twenty-first device is seated at once, the six go',
  { timeout: 90_000 },
  gated(async () => {
    const { gw } = await start();
    const user = 'enterprise-0';
    const dead = await seatBreaking(
      gw,
      Array.from({ length: 6 }, (_, i) => [i % 2 === 0 ? 'F05a' : 'F06a', user] as const),
    );
    const alive = await seatWorking(gw, Array<string>(14).fill(user));
    await broken(gw, dead);
    const client = await device(gw, user, 'twenty-first');
    expectWithin('a seat', client.seatedAfterMs, SEATED_WITHIN_MS);
    expect(client.ready).toMatchObject({ seat: 'soft', limits: { burstUntil: null } });
    await until('the dead to be gone', () => dead.every((peer) => gw.gateway.factory.find(peer.manager) === undefined), 1_000);
    expect(alive.filter((peer) => !peer.isOpen())).toEqual([]);
    expect(seats(gw)).toBe(15);
    await truth.conclude();
  }),
);

test(
  'AS-08b the reserve is used up too, ten enterprise and ten free users wait: of the first nine freed seats eight go to enterprise, one to free',
  { timeout: 90_000 },
  gated(async () => {
    const { gw } = await start({ limits: { perNode: PER_NODE } });
    const seated = await Promise.all(names('enterprise', PER_NODE + RESERVE).map((user) => device(gw, user, `of-${user}`)));
    expect(seats(gw)).toBe(PER_NODE + RESERVE);

    const served: string[] = [];
    const waiting: WireClient[] = [];
    // The free ones come first: order of arrival is not what decides between tiers.
    for (const user of [...names('free', 10), ...names('enterprise', 10).map((name) => `${name}-waits`)]) {
      const client = (await gw.open({ deadlineMs: 20_000 })).behave();
      client.sendFrame({ ...HELLO, token: await gw.token(user) });
      expect((await client.next('queued')).position).toBeGreaterThan(0);
      waiting.push(client);
      client.next('ready').then(
        () => served.push(tierOf(user)),
        () => {
          // Those that are still waiting when the test is over.
        },
      );
    }
    for (let n = 1; n <= 9; n++) {
      seated[n]?.wire.sendFrame({ type: 'bye', reason: 'left' });
      await until(`the seat of number ${n} to be taken`, () => served.length === n, 2_000, 5);
    }
    expect(served.filter((tier) => tier === 'enterprise')).toHaveLength(8);
    expect(served.filter((tier) => tier === 'free')).toHaveLength(1);
    expect(seats(gw)).toBe(PER_NODE + RESERVE);
    expect(waiting.filter((client) => !client.isOpen)).toEqual([]);
    await truth.conclude();
  }),
);

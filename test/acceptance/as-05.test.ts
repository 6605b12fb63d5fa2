import { afterEach, expect, test } from 'vitest';
import type { CleanupReport } from '../../src/managers/events.ts';
import type { ThreadId, UserId } from '../../src/protocol/ids.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { FaultyStore, type StoreCall } from '../support/faulty-store.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { CanaryClient, canaryOf } from '../support/peers/canary.ts';
import { closeSwallowingRelay } from '../support/peers/close-swallowing-relay.ts';
import { homeOf, willBreak } from '../support/peers/dead.ts';
import { heldFrom, until } from '../support/peers/kernel.ts';
import { expectWithin, gated } from '../support/peers/load-gate.ts';
import { type DeadKind, type DeadPeer, handlesAnEvent, portOf, publishTo } from '../support/peers/peer.ts';
import { ProvableClient } from '../support/peers/provable-client.ts';
import { SEATED_WITHIN_MS, verdictOf } from '../support/peers/scene.ts';
import { TooLate } from '../support/peers/too-late.ts';
import { Truth } from '../support/peers/truth.ts';

const LIMIT = 20;
/** Ids that are prefixes of each other. The first four have eight zombies each. */
const FULL = ['u1', 'u10', 'u100', 'u1000', 'u11', 'u12', 'u2', 'u20', 'u21', 'u'] as const;
const QUIET = ['u1a', 'u10a', 'u100a', 'u1000a', 'u11a', 'u12a', 'u2a', 'u20a', 'u21a', 'u_'] as const;
const EIGHT = 8;
const ZOMBIES: Readonly<Record<string, readonly DeadKind[]>> = {
  u1: Array<DeadKind>(EIGHT).fill('F02'),
  u10: Array<DeadKind>(EIGHT).fill('F05a'),
  u100: Array<DeadKind>(EIGHT).fill('F06a'),
  u1000: [...Array<DeadKind>(EIGHT / 2).fill('F03p'), ...Array<DeadKind>(EIGHT / 2).fill('F07')],
};
const QUIET_CLIENTS = 2;
/** Five events a second; the full users are spoken to so that nobody is quiet, and so that more than enough events are looked at. */
const QUIET_EVERY_MS = 200;
const FULL_EVERY_MS = 200;
/** A tenth of a minute. */
const WINDOW_MS = 6_000;
const WITHIN_MS = 20;
const EVENTS_AT_LEAST = 10_000;
const PROVED_WITHIN_MS = 20_000;
/** A loop turn and a timer are a few milliseconds: below this a share of them means nothing. */
const LATENCY_FLOOR_MS = 10;
const P99_MORE_MS = 20;
const ROUNDS = 3;
/** What each step of the store takes, as over a network. */
const STORE_MS = 5;
const SEAT_CALLS: readonly StoreCall[] = ['seats.facts', 'seats.admit', 'seats.evict', 'seats.replace', 'seats.enqueue', 'seats.release'];

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

/** Milliseconds from the agent to the client. */
interface Latencies {
  readonly p95: number;
  readonly p99: number;
}

interface Pass {
  readonly report: CleanupReport;
  readonly from: number;
  readonly to: number;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Speaks to all these users, each in its own thread, until the test ends. */
function speak(gw: TestGateway, users: readonly string[], everyMs: number): void {
  const numbers = new Map<string, number>();
  for (const [i, user] of users.entries()) {
    const say = (): void => {
      const number = (numbers.get(user) ?? 0) + 1;
      numbers.set(user, number);
      void gw.gateway.publish(user as UserId, 'common' as ThreadId, { type: 'text_delta', text: canaryOf(user, number) });
    };
    // Spread over the interval, so that nobody's latency is another one's turn.
    const start = setTimeout(
      () => {
        say();
        const timer = setInterval(say, everyMs);
        cleanUp.defer(() => clearInterval(timer));
      },
      (i * everyMs) / users.length,
    );
    cleanUp.defer(() => clearTimeout(start));
  }
}

async function zombiesOf(gw: TestGateway, truth: Truth): Promise<readonly DeadPeer[]> {
  const all: DeadPeer[] = [];
  for (const [user, kinds] of Object.entries(ZOMBIES)) {
    const homes = new Map([...new Set(kinds)].map((kind) => [kind, homeOf(kind)]));
    for (const home of homes.values()) if (home) cleanUp.use(home);
    const peers = await Promise.all(kinds.map((kind, i) => willBreak(kind, { gw, user, thread: `zombie-${i}` }, homes.get(kind))));
    for (const peer of peers) cleanUp.use(peer);
    all.push(...peers);
  }
  await Promise.all(all.map((peer) => handlesAnEvent(gw.gateway, peer)));
  for (const peer of all) truth.breaks(peer.manager, peer.user, peer.kind);
  await Promise.all(all.map((peer) => peer.breaks()));
  for (const peer of all) await publishTo(gw.gateway, peer);
  await Promise.all(all.map((peer) => peer.proof()));
  return all;
}

test(
  'AS-05 ten users at their limit open one more at once: each is seated, only zombies go, and ten quiet users notice nothing',
  { timeout: 120_000 },
  gated(async () => {
    const store = new FaultyStore(memoryStore());
    for (const call of SEAT_CALLS) store.slow(call, STORE_MS);
    const gw = cleanUp.use(await startGateway({ timing: 'fast', cleanup: { proactive: false }, store }));
    const truth = cleanUp.use(new Truth(gw));
    const passes: Pass[] = [];
    gw.gateway.on('cleanup-finished', (report) => passes.push({ report, from: performance.now() - report.durationMs, to: performance.now() }));

    // Everybody is there. Clients of the first user never answer a close.
    const deaf = cleanUp.use(await closeSwallowingRelay(portOf(gw)));
    const open = async (user: string, url = gw.wsUrl): Promise<CanaryClient> => {
      const client = cleanUp.use(await CanaryClient.open(gw, user, 'common', url));
      truth.works(client.manager, user);
      return client;
    };
    const dead = await zombiesOf(gw, truth);
    const full: CanaryClient[] = [];
    for (const user of FULL) {
      const url = user === 'u1' ? `ws://127.0.0.1:${deaf.port}/v1/ws` : gw.wsUrl;
      full.push(...(await Promise.all(Array.from({ length: LIMIT - (ZOMBIES[user]?.length ?? 0) }, () => open(user, url)))));
    }
    const quiet = await Promise.all(QUIET.flatMap((user) => Array.from({ length: QUIET_CLIENTS }, () => open(user))));
    for (const user of FULL) expect(gw.gateway.factory.list(user as UserId), user).toHaveLength(LIMIT);
    speak(gw, FULL, FULL_EVERY_MS);
    speak(gw, QUIET, QUIET_EVERY_MS);
    const { factory } = gw.gateway;
    await until('a verdict on every zombie', () => dead.every((peer) => factory.find(peer.manager)?.verdict.proof === true), PROVED_WITHIN_MS).catch(
      (error: unknown) => {
        const missing = dead.filter((peer) => factory.find(peer.manager)?.verdict.proof !== true);
        throw new Error(`Not proved: ${missing.map((peer) => `${peer.kind} (${verdictOf(gw, peer.manager)})`).join(', ')}.`, { cause: error });
      },
    );

    const latenciesFrom = async (from: number): Promise<Latencies> => {
      await until('a while to pass', () => performance.now() >= from + WINDOW_MS, 2 * WINDOW_MS);
      const took = quiet.flatMap((client) => client.arrivals.filter(({ at }) => at >= from && at < from + WINDOW_MS).map(({ tookMs }) => tookMs));
      return { p95: quantile(took, 0.95), p99: quantile(took, 0.99) };
    };
    const oneMoreEach = async (round: number): Promise<readonly ProvableClient[]> =>
      await Promise.all(
        FULL.map(async (user, i) => {
          await new Promise((resolve) => setTimeout(resolve, (i * WITHIN_MS) / FULL.length));
          const client = await ProvableClient.open(gw.wsUrl, { token: await gw.token(user), thread: `new-${user}-${round}` });
          cleanUp.use(client.wire);
          truth.works(client.manager, user);
          return client;
        }),
      );
    const before = await latenciesFrom(performance.now());
    expect(passes).toEqual([]);

    const openedAt = performance.now();
    const newcomers = await oneMoreEach(1);
    let during = await latenciesFrom(openedAt);

    for (const client of newcomers) expectWithin('a seat', client.seatedAfterMs, SEATED_WITHIN_MS);
    // Closed is none but zombies, at least one of each user that had them.
    const zombies = new Map(dead.map((peer) => [peer.manager, peer]));
    const victims = passes.flatMap(({ report }) => report.victims.map((victim) => ({ ...victim, user: report.user })));
    for (const victim of victims) expect(zombies.get(victim.managerId)?.user, `${victim.user}: ${victim.verdict}`).toBe(victim.user);
    for (const user of Object.keys(ZOMBIES)) expect(victims.filter((victim) => victim.user === user).length, user).toBeGreaterThanOrEqual(1);
    const held = heldFrom(portOf(gw));
    for (const { managerId } of victims) expect(held.has(zombies.get(managerId)?.fromPort() ?? 0)).toBe(false);
    expect([...full, ...quiet].filter((client) => !client.isOpen).map((client) => client.user)).toEqual([]);
    expect(newcomers.filter((client) => client.bye !== null || !client.wire.isOpen)).toEqual([]);

    // Each event came to its user alone, once, in order, and to the quiet ones as quickly as before.
    const everybody = [...full, ...quiet];
    expect(everybody.flatMap((client) => client.foreign)).toEqual([]);
    expect(everybody.flatMap((client) => client.holes)).toEqual([]);
    const events = everybody.reduce((sum, client) => sum + client.arrivals.length, 0);
    expect(events).toBeGreaterThanOrEqual(EVENTS_AT_LEAST);
    // One pass a user, and passes of different users side by side.
    const users = passes.map(({ report }) => report.user as string);
    expect(users).toEqual([...new Set(users)]);
    expect(users).toEqual(expect.arrayContaining(Object.keys(ZOMBIES)));
    for (const { report } of passes) expectWithin('a cleanup', report.durationMs, SEATED_WITHIN_MS);
    // One that found nobody to free takes no time, so that it stands beside nothing.
    const working = passes.filter(({ report }) => report.victims.length > 0);
    const lone = working.filter((pass) => !working.some((other) => other !== pass && other.from < pass.to && pass.from < other.to));
    expect(lone.map(({ report }) => report.user)).toEqual([]);

    // What this machine did to one window, it does not do to three: they open another one each, on their leases.
    const isAsQuick = (): boolean => during.p95 <= Math.max(1.5 * before.p95, LATENCY_FLOOR_MS) && during.p99 - before.p99 <= P99_MORE_MS;
    for (let round = 2; round <= ROUNDS && !isAsQuick(); round++) {
      const from = performance.now();
      await oneMoreEach(round);
      during = await latenciesFrom(from);
    }
    process.stdout.write(
      `\nAS-05: seated after ${newcomers.map((client) => Math.round(client.seatedAfterMs)).join(', ')} ms; ${victims.length} of ${dead.length} zombies freed; ` +
        `quiet users p95 ${during.p95.toFixed(1)} ms (before ${before.p95.toFixed(1)}), p99 ${during.p99.toFixed(1)} (${before.p99.toFixed(1)}); ${events} events looked at\n`,
    );
    if (!isAsQuick())
      throw new TooLate(`Expected quiet users to be served as before (${JSON.stringify(before)}), got ${JSON.stringify(during)}.`, SEATED_WITHIN_MS);
    for (const user of QUIET) expect(await factory.limits(user as UserId, 'free')).toMatchObject({ used: QUIET_CLIENTS, effective: QUIET_CLIENTS });
    await truth.conclude();
  }),
);

import { afterEach, expect, test } from 'vitest';
import { tokenFor } from '../support/gateway.ts';
import { breakZombies, type Crew, seatCrew } from '../support/lab/crew.ts';
import type { Lab } from '../support/lab/lab.ts';
import { noRedis, startLabs } from '../support/lab/shared-labs.ts';
import { CanaryClient } from '../support/peers/canary.ts';
import { Home } from '../support/peers/home.ts';
import { until } from '../support/peers/kernel.ts';
import { expectWithin, gated } from '../support/peers/load-gate.ts';
import { ProvableClient } from '../support/peers/provable-client.ts';
import { SEATED_WITHIN_MS } from '../support/peers/scene.ts';
import { TooLate } from '../support/peers/too-late.ts';

const IS_LONG = process.env.SPILLWAY_LONG === '1';
const NODES = 3;
const LIMIT = 20;
/** Ids that are prefixes of each other. The first four have eight zombies each, on all nodes. */
const FULL = ['u1', 'u10', 'u100', 'u1000', 'u11', 'u12', 'u2', 'u20', 'u21', 'u'] as const;
const QUIET = ['u1a', 'u10a', 'u100a', 'u1000a', 'u11a', 'u12a', 'u2a', 'u20a', 'u21a', 'u_'] as const;
const WITH_ZOMBIES = 4;
const EIGHT = 8;
const QUIET_CLIENTS = 2;
const EVERY_MS = 200;
/** A minute, or a twentieth of one. */
const WINDOW_MS = IS_LONG ? 60_000 : 3_000;
const EVENTS_AT_LEAST = IS_LONG ? 10_000 : 4_000;
const WITHIN_MS = 20;
const PROVED_WITHIN_MS = 20_000;
/** Each of a few processes and the store may be kept waiting for the others. */
const LATENCY_FLOOR_MS = 50;
const ROUNDS = 3;

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

const p95 = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(0.95 * values.length)] ?? Number.NaN;

test('AS-05 with every user spread over three nodes: each of ten full ones is seated, only zombies go, and ten quiet ones notice nothing', {
  timeout: IS_LONG ? 300_000 : 90_000,
}, async (context) => {
  const missing = noRedis();
  if (missing !== null) return context.skip(missing);
  await gated(async () => {
    const { labs } = await startLabs(cleanUp, { nodes: NODES, options: { timing: 'fast', cleanup: { proactive: false } } });
    const at = (i: number): Lab => labs[i % NODES] as Lab;
    const home = cleanUp.use(new Home('client-process.ts'));
    const open = async (user: string, i: number): Promise<CanaryClient> =>
      cleanUp.use(await CanaryClient.open({ wsUrl: at(i).wsUrl, token: tokenFor }, user, 'common'));

    // Everybody is there, the zombies of each user on all nodes.
    const crews: Crew[][] = [];
    for (const [n, lab] of labs.entries())
      crews.push(
        await Promise.all(FULL.slice(0, WITH_ZOMBIES).map((user) => seatCrew(cleanUp, lab, { user, healthy: 0, zombies: n === 2 ? EIGHT - 6 : 3, home }))),
      );
    const full: CanaryClient[] = [];
    for (const [u, user] of FULL.entries()) {
      const count = LIMIT - (u < WITH_ZOMBIES ? EIGHT : 0);
      full.push(...(await Promise.all(Array.from({ length: count }, (_, i) => open(user, u + i)))));
    }
    const quiet = await Promise.all(QUIET.flatMap((user, u) => Array.from({ length: QUIET_CLIENTS }, (_, i) => open(user, u + i))));
    for (const [n, lab] of labs.entries()) {
      const users = [...FULL, ...QUIET].filter((_, i) => i % NODES === n);
      await lab.tell({ do: 'canaries', users, everyMs: EVERY_MS, origin: performance.timeOrigin });
    }
    await home.kill();
    for (const [n, lab] of labs.entries()) await breakZombies(lab, home, crews[n] as Crew[], PROVED_WITHIN_MS);
    for (const user of FULL) expect((await at(0).status(user)).users[user]?.seats, user).toBe(LIMIT);

    const latencyFrom = async (from: number): Promise<number> => {
      await until('a while to pass', () => performance.now() >= from + WINDOW_MS, 2 * WINDOW_MS);
      return p95(quiet.flatMap((client) => client.arrivals.filter((a) => a.at >= from && a.at < from + WINDOW_MS).map(({ tookMs }) => tookMs)));
    };
    const before = await latencyFrom(performance.now());
    for (const lab of labs) expect(lab.cleanups).toEqual([]);

    const oneMoreEach = async (round: number): Promise<readonly ProvableClient[]> =>
      await Promise.all(
        FULL.map(async (user, i) => {
          await new Promise((resolve) => setTimeout(resolve, (i * WITHIN_MS) / FULL.length));
          const client = await ProvableClient.open(at(i * 2).wsUrl, { token: await tokenFor(user), thread: `new-${user}-${round}`, deadlineMs: 30_000 });
          cleanUp.use(client.wire);
          return client;
        }),
      );
    const openedAt = performance.now();
    const newcomers = await oneMoreEach(1);
    let during = await latencyFrom(openedAt);

    for (const client of newcomers) expectWithin('a seat', client.seatedAfterMs, SEATED_WITHIN_MS);
    // Closed is none but zombies, at least one of each user that had them.
    const zombies = new Map(crews.flat().flatMap((crew) => crew.zombies.map((zombie) => [zombie.manager, crew.user] as const)));
    const passes = labs.flatMap((lab) => lab.cleanups);
    const victims = passes.flatMap(({ report }) => report.victims.map((victim) => ({ ...victim, user: report.user as string })));
    for (const victim of victims) expect(zombies.get(victim.managerId), `${victim.user}: ${victim.verdict}`).toBe(victim.user);
    for (const user of FULL.slice(0, WITH_ZOMBIES)) expect(victims.filter((victim) => victim.user === user).length, user).toBeGreaterThanOrEqual(1);
    expect(victims.filter(({ node }) => node !== undefined).length).toBeGreaterThan(0);
    const everybody = [...full, ...quiet];
    expect(everybody.filter((client) => !client.isOpen).map((client) => client.user)).toEqual([]);
    expect(newcomers.filter((client) => client.bye !== null || !client.wire.isOpen)).toEqual([]);
    const ended = labs.flatMap((lab) => lab.ended.map(({ record }) => record.managerId as string));
    expect(ended.filter((id) => !zombies.has(id))).toEqual([]);

    // Each event came to its user alone, once, in order.
    expect(everybody.flatMap((client) => client.foreign)).toEqual([]);
    expect(everybody.flatMap((client) => client.holes)).toEqual([]);
    const events = everybody.reduce((sum, client) => sum + client.arrivals.length, 0);
    expect(events).toBeGreaterThanOrEqual(EVENTS_AT_LEAST);
    // One pass a user, and passes of different users side by side.
    const users = passes.map(({ report }) => report.user as string);
    expect(users.toSorted()).toEqual([...new Set(users)].toSorted());
    for (const { report } of passes) expectWithin('a cleanup', report.durationMs, SEATED_WITHIN_MS);
    // What this machine did to one window, it does not do to three: they open another one each, on their leases.
    const isAsQuick = (): boolean => during <= Math.max(1.5 * before, LATENCY_FLOOR_MS);
    for (let round = 2; round <= ROUNDS && !isAsQuick(); round++) {
      const from = performance.now();
      await oneMoreEach(round);
      during = await latencyFrom(from);
    }
    process.stdout.write(
      `\nAS-05 over nodes: seated after ${newcomers.map((client) => Math.round(client.seatedAfterMs)).join(', ')} ms; ${victims.length} of ${zombies.size} zombies freed, ` +
        `${victims.filter(({ node }) => node !== undefined).length} of them on another node than the newcomer's; quiet users p95 ${during.toFixed(1)} ms (before ${before.toFixed(1)}); ${events} events looked at\n`,
    );
    for (const user of QUIET) expect((await at(1).status(user)).users[user]).toMatchObject({ seats: QUIET_CLIENTS, effective: QUIET_CLIENTS });
    for (const lab of labs) expect(lab.troubles.filter(({ severity }) => severity === 'CRITICAL')).toEqual([]);
    if (!isAsQuick()) throw new TooLate(`Expected quiet users to be served as before (p95 ${before} ms), got ${during} ms.`, SEATED_WITHIN_MS);
  })(context);
});

import { afterEach, expect, test } from 'vitest';
import { attentive } from '../../src/core/clocks.ts';
import type { ManagerId, ThreadId } from '../../src/protocol/ids.ts';
import { until } from '../support/peers/kernel.ts';
import { comparisonTable } from '../support/peers/legacy-criteria.ts';
import { expectWithin, gated } from '../support/peers/load-gate.ts';
import type { AliveKind, DeadKind } from '../support/peers/peer.ts';
import type { ProvableClient } from '../support/peers/provable-client.ts';
import {
  atTheLimit,
  closedOf,
  connect,
  freed,
  inTime,
  isProvedDead,
  numbers,
  numbersBecome,
  provedDead,
  SEATED_WITHIN_MS,
  stillHeld,
  stillOpen,
  verdictOf,
} from '../support/peers/scene.ts';

/** After this time nothing can be proved yet: a tenth of 12 s. */
const NOTHING_PROVED_MS = 1_200;
const HEALTHY: readonly AliveKind[] = [...Array<AliveKind>(9).fill('plain'), 'F08c', 'F08c', 'F12p', 'F12p', 'F10', 'F10'];
/** With each seat that is given back the pressure falls, and the rest is looked for less hard: a tenth of 80 s, and one pass. */
const FREED_WITHIN_MS = 8_500;
/** What each fault is found as. At the limit a silent application is proved dead before its silent transport is. */
const PROVED: Readonly<Record<DeadKind, readonly string[]>> = {
  F02: ['zombie', 'inactive'],
  F03p: ['zombie', 'inactive'],
  F05a: ['zombie'],
  F06a: ['zombie'],
  F07: ['zombie', 'inactive'],
};
const ZOMBIES: readonly DeadKind[] = ['F02', 'F03p', 'F05a', 'F06a', 'F07'];

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

test(
  'AS-01 fifteen healthy and five zombies: five new clients are seated at once, the five zombies are freed, nobody else is closed',
  { timeout: 90_000 },
  gated(async () => {
    const scene = await atTheLimit(cleanUp, HEALTHY, ZOMBIES);
    const { gw, dead, alive, cleanups } = scene;
    await provedDead(scene);
    expect(await numbers(gw)).toMatchObject({ seats: 20, effective: 15 });

    const clients = await connect(cleanUp, scene, 5, 50);
    for (const client of clients) {
      expectWithin('a seat', client.seatedAfterMs, SEATED_WITHIN_MS);
      expect(client.ready.seat).toBe('soft');
      expect(client.ready.limits.burstUntil).toBeNull();
    }
    await until('the sockets of the dead to be gone', () => freed(scene).length === dead.length, 1_000);
    expect(stillOpen(scene).length, `closed: ${closedOf(scene)}`).toBe(alive.length);
    await numbersBecome(gw, { seats: 20, effective: 20, sockets: 20, kernel: 20 });
    expect(gw.gateway.factory.quarantined).toBe(0);

    const victims = cleanups.flatMap((report) => report.victims);
    expect(victims.map((v) => v.managerId).sort()).toEqual(dead.map((peer) => peer.manager).sort());
    for (const victim of victims) expect(victim.evidence.length).toBeGreaterThan(0);
    for (const report of cleanups) {
      expectWithin('a cleanup', report.durationMs, SEATED_WITHIN_MS);
      for (const { level } of report.levels) expect(['conservative', 'moderate']).toContain(level);
    }
    const verdicts = new Map(victims.map((v) => [v.managerId, v.verdict]));
    for (const peer of dead) expect(PROVED[peer.kind]).toContain(verdicts.get(peer.manager));

    // The first of them asks, and its application acknowledges the whole answer.
    const first = clients[0] as ProvableClient;
    first.wire.sendFrame({ type: 'send', id: 'q', thread: 'new-0', data: { text: 'are you there' } });
    const last = await first.wire.nextWhere('the end of the answer', (f) => f.type === 'event' && [f.data].flat().some((e) => e.type === 'agent_completed'));
    expect(first.applied).toBe(last.offset);
    const types = first.wire.frames.filter((f) => f.type === 'event' && f.kind !== 'message').flatMap((f) => [f.data].flat().map((e) => e.type));
    expect([types[0], types.at(-1)]).toEqual(['agent_started', 'agent_completed']);
    await until(
      'the whole answer to be acknowledged',
      () => gw.gateway.factory.find(first.manager as ManagerId)?.acknowledged('new-0' as ThreadId)?.offset === last.offset,
    );

    await scene.truth.conclude();
    process.stdout.write(
      comparisonTable(scene.seen, { found: dead.length, freed: freed(scene).length, closedWorking: alive.length - stillOpen(scene).length }),
    );
  }),
);

test(
  'AS-01a with the background pass the zombies are freed before anybody needs their seats',
  { timeout: 90_000 },
  gated(async () => {
    const scene = await atTheLimit(cleanUp, HEALTHY, ZOMBIES, { cleanup: { proactive: true } });
    const { gw, dead, alive, cleanups } = scene;
    await inTime(scene, 'the sockets of the dead to be gone', FREED_WITHIN_MS, () =>
      stillHeld(scene).map((peer) => `${peer.kind} (${verdictOf(gw, peer.manager)})`),
    );
    // Dead applications give their seats back; a lost transport keeps an uncounted one for its return.
    await numbersBecome(gw, { effective: 15, sockets: 15, kernel: 15 });
    const freedNow = cleanups.flatMap((report) => report.victims.map((v) => v.managerId));
    expect((await numbers(gw)).seats).toBe(20 - freedNow.length);
    const frozen = dead.filter((peer) => peer.kind === 'F05a' || peer.kind === 'F06a');
    expect(freedNow).toEqual(expect.arrayContaining(frozen.map((peer) => peer.manager)));
    for (const id of freedNow) expect(dead.map((peer) => peer.manager)).toContain(id);
    expect(stillOpen(scene).length, `closed: ${closedOf(scene)}`).toBe(alive.length);
    for (const report of cleanups) expect(report.trigger).toBe('proactive');
    await scene.truth.conclude();
  }),
);

test(
  'AS-01b while nothing can be proved yet, the twenty-first is seated at once and nobody who works is closed',
  { timeout: 90_000 },
  gated(async () => {
    const scene = await atTheLimit(cleanUp, HEALTHY, ZOMBIES);
    const { gw, alive, dead, cleanups } = scene;
    const { factory } = gw.gateway;
    const someoneNeedsASeatAt = attentive(scene.brokenAt + NOTHING_PROVED_MS);
    await until('1.2 s after the faults', () => factory.now() >= someoneNeedsASeatAt, 10_000);
    const provable = dead.filter((peer) => isProvedDead(gw, peer.manager)).map((peer) => peer.kind);
    expect(provable).toEqual([]);

    const [client] = (await connect(cleanUp, scene, 1, 0)) as [ProvableClient];
    expectWithin('a seat', client.seatedAfterMs, SEATED_WITHIN_MS);
    expect(client.ready.seat).toBe('soft');
    const victims = cleanups.flatMap((report) => report.victims);
    expect(victims.map((v) => [v.verdict, v.level])).toEqual([['suspect', 'aggressive']]);
    expect(dead.map((peer) => peer.manager)).toContain(victims[0]?.managerId);
    // An evicted one's socket is given its linger; nobody who works is told anything.
    await until('the socket of the one that gave way to be gone', () => freed(scene).length === 1, 2_000);
    expect(stillOpen(scene).length, `closed: ${closedOf(scene)}`).toBe(alive.length);
    await numbersBecome(gw, { seats: 20, sockets: 20, kernel: 20 });
    await scene.truth.conclude();
  }),
);

test(
  'AS-01c thirteen seats, eight zombies that answer every ping: eight new clients are seated, all eight zombies are freed',
  { timeout: 90_000 },
  gated(async () => {
    const kinds: readonly DeadKind[] = [...Array<DeadKind>(4).fill('F05a'), ...Array<DeadKind>(4).fill('F06a')];
    const scene = await atTheLimit(cleanUp, Array<AliveKind>(5).fill('plain'), kinds, { limits: { perUser: 13 } });
    const { gw, dead, alive } = scene;
    await provedDead(scene);
    expect(await numbers(gw)).toMatchObject({ seats: 13, effective: 5, sockets: 13 });

    const clients = await connect(cleanUp, scene, 8, 50);
    for (const client of clients) {
      expectWithin('a seat', client.seatedAfterMs, SEATED_WITHIN_MS);
      expect(client.ready.seat).toBe('soft');
    }
    await until('the sockets of the dead to be gone', () => freed(scene).length === dead.length, 1_000);
    expect(stillOpen(scene).length, `closed: ${closedOf(scene)}`).toBe(alive.length);
    await numbersBecome(gw, { seats: 13, effective: 13, sockets: 13, kernel: 13 });
    await scene.truth.conclude();
  }),
);

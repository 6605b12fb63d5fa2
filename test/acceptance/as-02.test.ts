import { afterEach, expect, test } from 'vitest';
import { until } from '../support/peers/kernel.ts';
import { expectWithin, gated } from '../support/peers/load-gate.ts';
import { type DeadKind, type DeadPeer, publishTo } from '../support/peers/peer.ts';
import { atTheLimit, connect, freed, numbers, numbersBecome, provedDead, SEATED_WITHIN_MS } from '../support/peers/scene.ts';

const KINDS: readonly DeadKind[] = ['F02', 'F03p', 'F05a', 'F06a', 'F07'];
const TWENTY: readonly DeadKind[] = KINDS.flatMap((kind) => Array<DeadKind>(4).fill(kind));
/** A browser that starts again opens all its tabs within this time. */
const RESTART_MS = 200;

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

test(
  'AS-02 twenty sessions that look active and are all dead: the restarted browser gets its twenty seats at once',
  { timeout: 90_000 },
  gated(async () => {
    const scene = await atTheLimit(cleanUp, [], TWENTY);
    const { gw, dead, cleanups } = scene;
    await provedDead(scene);
    expect(await numbers(gw)).toMatchObject({ seats: 20, effective: 0 });

    const clients = await connect(cleanUp, scene, 20, RESTART_MS);
    const slowest = Math.max(...clients.map((client) => client.seatedAfterMs));
    expectWithin('twenty seats', slowest, SEATED_WITHIN_MS);
    for (const client of clients) {
      expect(client.ready.seat).toBe('soft');
      expect(client.wire.frames.filter((f) => f.type === 'error' || f.type === 'bye')).toEqual([]);
    }
    await until('the sockets of the dead to be gone', () => freed(scene).length === dead.length, 1_000);
    await numbersBecome(gw, { seats: 20, effective: 20, sockets: 20, kernel: 20 });
    expect(gw.gateway.factory.quarantined).toBe(0);
    for (const report of cleanups) {
      expectWithin('a cleanup', report.durationMs, SEATED_WITHIN_MS);
      for (const { level } of report.levels) expect(['conservative', 'moderate']).toContain(level);
    }
    expect(cleanups.flatMap((report) => report.victims)).toHaveLength(20);

    await scene.truth.conclude();

    // The stopped processes run again, and their person uses them: seated, on a burst, and every event is there.
    const stopped = dead.filter((peer): peer is DeadPeer & Required<Pick<DeadPeer, 'returns'>> => peer.returns !== undefined);
    for (const peer of stopped) {
      const head = await publishTo(gw.gateway, peer);
      const again = await peer.returns();
      expect(again.seat).toBe('burst');
      expectWithin('a seat again', again.afterMs, SEATED_WITHIN_MS);
      expect(again.applied).toBe(head);
    }
    expect(await numbers(gw)).toMatchObject({ seats: 24, effective: 24 });
    for (const client of clients) expect(client.wire.isOpen).toBe(true);
  }),
);

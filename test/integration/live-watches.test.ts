import { expect, test } from 'vitest';
import type { WebSocketManagerFactory } from '../../src/managers/factory.ts';
import type { WebSocketManager } from '../../src/managers/manager.ts';
import { type Clock, systemClock } from '../../src/ports/clock.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { LIVE_BOUNDS, type LiveTopic } from '../../src/protocol/live.ts';
import { startWithAdmin } from '../support/admin.ts';
import { eventually } from '../support/bare-node.ts';
import { Cells, LiveClient } from '../support/live.ts';

const ALL_MANAGERS: LiveTopic = { of: 'managers', sort: 'age', window: { from: 0, size: 100 } };

/** A clock that knows which timers wait. */
function countingClock(): { readonly clock: Clock; waiting(): number } {
  let waiting = 0;
  return {
    waiting: () => waiting,
    clock: {
      ...systemClock,
      after(delayMs, callback) {
        let isOver = false;
        waiting++;
        const over = (): void => {
          if (!isOver) waiting--;
          isOver = true;
        };
        const cancel = systemClock.after(delayMs, () => {
          over();
          callback();
        });
        return () => {
          over();
          cancel();
        };
      },
    },
  };
}

/** How many listen to a factory that began to after this call. */
function countListeners(factory: WebSocketManagerFactory): () => number {
  const on = factory.on.bind(factory);
  let listening = 0;
  factory.on = (name, listener) => {
    listening++;
    const undo = on(name, listener);
    return () => {
      listening--;
      undo();
    };
  };
  return () => listening;
}

test('nobody watches: no timer runs, and nobody hears of state changes', async () => {
  const { clock, waiting } = countingClock();
  await using admin = await startWithAdmin({ clock });
  const listening = countListeners(admin.gw.gateway.factory);
  // One that nothing else arms meanwhile: timers of the gateway itself come and go by one.
  const calm = async (): Promise<number> => {
    const seen: number[] = [];
    for (let look = 0; look < 40; look++) {
      seen.push(waiting());
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return Math.min(...seen);
  };
  const before = await calm();
  await using page = await LiveClient.welcomed(admin);
  page.watch(1, { of: 'map' });
  page.watch(2, ALL_MANAGERS);
  page.watch(3, { of: 'events' });
  page.watch(4, { of: 'manager', manager: 'mgr_unknown' });
  await page.update('manager');
  const while4 = await calm();
  // Four topics, the ping of the page, and the word that nothing changed.
  expect(while4 - before).toBe(6);
  expect(listening()).toBeGreaterThan(0);
  for (const id of [1, 2, 3, 4]) page.send({ type: 'unwatch', id });
  await eventually('the timers of four topics to be gone', async () => (await calm()) === before + 1);
  expect(listening()).toBe(0);
  const { length } = page.messages;
  await admin.gw.seat('ada');
  expect(await calm()).toBeLessThan(while4);
  expect(page.messages).toHaveLength(length);
  // A page that is closed leaves nothing behind, whatever it watched.
  page.watch(5, { of: 'map' });
  await page.update('map');
  await page[Symbol.asyncDispose]();
  const seated = 2;
  await eventually('no timer of a page to be left', async () => (await calm()) <= before + seated);
  expect(listening()).toBe(0);
});

test('a page that is told nothing because nothing changes is told that', async () => {
  await using admin = await startWithAdmin();
  await using page = await LiveClient.welcomed(admin);
  page.watch(1, { of: 'queue' });
  await page.update('queue');
  expect((await page.next('still')).at).toBeGreaterThan(page.welcome.at);
  expect(page.messages.map(({ type }) => type)).toEqual(['welcome', 'update', 'still']);
});

test('two pages that watch the same are told the same, and one that leaves takes nothing from the other', async () => {
  await using admin = await startWithAdmin();
  const { ready } = await admin.gw.seat('ada');
  await using first = await LiveClient.welcomed(admin);
  await using second = await LiveClient.welcomed(admin);
  first.watch(1, { of: 'map' });
  expect(await first.update('map')).toMatchObject({ whole: true, size: 1 });
  second.watch(9, { of: 'map' });
  expect(await second.update('map')).toMatchObject({ whole: true, size: 1 });
  first.send({ type: 'who', id: 1, cell: 0 });
  expect(await first.next('who')).toEqual({ type: 'who', id: 1, cell: 0, manager: ready.manager, user: 'ada' });

  await admin.gw.seat('ben');
  const [one, two] = await Promise.all([first.update('map'), second.update('map')]);
  expect(one).toEqual(two);
  expect(one.size).toBe(2);
  await first[Symbol.asyncDispose]();
  await admin.gw.seat('cleo');
  expect(await second.update('map')).toMatchObject({ size: 3 });
});

test('a page that applies changes has the same map as one that comes later', async () => {
  await using admin = await startWithAdmin({ limits: { perNode: 10_000 } });
  const { factory } = admin.gw.gateway;
  const made: WebSocketManager[] = [];
  const open = async (): Promise<void> => {
    const admission = await factory.createManager({ userId: `user-${made.length}` as UserId, tier: 'free', requestId: 'r', websocketClientId: 'w' });
    if (admission.kind === 'seated') made.push(admission.manager);
  };
  for (let n = 0; n < 1_500; n++) await open();
  await using first = await LiveClient.welcomed(admin);
  const cells = new Cells();
  first.watch(1, { of: 'map' });
  cells.take(await first.update('map'));
  // More cells than there was room for at first, and freed ones here and there, neighbours and loners.
  for (const n of [0, 1, 2, 3, 9, 300, 302, 320, 1_023, 1_024, 1_499]) await factory.leave(made[n] as WebSocketManager, 'client-closed');
  for (let n = 0; n < 5; n++) await open();
  let changes = 0;
  await using later = await LiveClient.welcomed(admin);
  later.watch(1, { of: 'map' });
  const truth = new Cells();
  truth.take(await later.update('map'));
  for (;;) {
    const nobody = cells.bytes.filter((byte) => byte === 0).length;
    if (nobody === 6) break;
    const update = await first.update('map');
    expect(update.whole).toBe(false);
    changes += update.runs.length;
    cells.take(update);
  }
  expect(changes).toBeGreaterThan(3);
  while (truth.bytes.filter((byte) => byte === 0).length !== 6) truth.take(await later.update('map'));
  expect(truth.bytes).toEqual(cells.bytes);
  expect(cells.bytes).toHaveLength(1_500);
  expect((await admin.get('status')).seats).toBe(1_494);
});

test('a page that does not read is not written to, and has the newest state when it reads again', async () => {
  const managers = 600;
  const rounds = 4;
  await using admin = await startWithAdmin({ limits: { perUser: managers + 100 } });
  const { factory } = admin.gw.gateway;
  const open = (): Promise<unknown> => factory.createManager({ userId: 'ada' as UserId, tier: 'free', requestId: 'r', websocketClientId: 'w' });
  for (let n = 0; n < managers; n++) await open();
  await using slow = await LiveClient.welcomed(admin);
  await using quick = await LiveClient.welcomed(admin);
  const ada: LiveTopic = { of: 'user', user: 'ada' };
  const watches = Array.from({ length: LIVE_BOUNDS.watches }, (_, id) => id);
  quick.watch(1, ada);
  const { length: bytes } = JSON.stringify(await quick.update('user'));
  slow.stopReading();
  for (const id of watches) slow.watch(id, ada);
  // Beyond what the kernel takes for a connection by itself.
  expect(bytes * watches.length * rounds).toBeGreaterThan(16 * 1024 * 1024);
  for (let round = 0; round < rounds; round++) await quick.update('user');
  await open();
  const seatsOf = ({ user }: { readonly user: unknown }): number => (user as { readonly seats: number }).seats;
  await quick.update('user', (update) => seatsOf(update) === managers + 1);
  slow.readAgain();
  await slow.update('user', (update) => seatsOf(update) === managers + 1);
  const written = slow.messages.filter(({ type }) => type === 'update').length;
  expect(written).toBeGreaterThan(0);
  expect(written).toBeLessThan(watches.length * rounds);
});

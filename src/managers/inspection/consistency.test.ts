import { expect, test } from 'vitest';
import { resolveOptions } from '../../core/resolve-options.ts';
import { systemClock } from '../../ports/clock.ts';
import { systemRandom } from '../../ports/random.ts';
import { silent } from '../../ports/telemetry.ts';
import type { ManagerId, NodeId, UserId } from '../../protocol/ids.ts';
import { createSeatBook } from '../../stores/seats.ts';
import { seatLimitsOf } from '../admission/seat-limits.ts';
import { Sockets } from '../cleanup/sockets.ts';
import type { Context } from '../context.ts';
import type { WebSocketManager } from '../manager.ts';
import { Registry } from '../registry.ts';
import { differencesOf } from './consistency.ts';

const ADA = 'ada' as UserId;
const NODE = 'gw-1' as NodeId;
const ID = 'mgr_00000000000000000001' as ManagerId;

function setUp() {
  const options = resolveOptions();
  const registry = new Registry();
  const seatLimits = seatLimitsOf(options);
  const seats = createSeatBook(systemClock, systemRandom);
  const sockets = new Sockets(options, systemClock, silent);
  const context = {
    node: NODE,
    life: { node: NODE, incarnation: 'first' },
    options,
    registry,
    sockets,
    seatLimits,
    clock: systemClock,
    store: { seats },
  } as unknown as Context;
  const admit = async (node = NODE) => {
    const answer = await seats.admit({ user: ADA, manager: ID, attach: 'a', node, incarnation: 'first', class: 'user', mayBurst: false, limits: seatLimits });
    return answer.is === 'ok' ? answer.token : 0;
  };
  const manager = (token: number) => ({ id: ID, user: { userId: ADA }, seat: { token, kind: 'soft' }, attachment: null }) as unknown as WebSocketManager;
  const found = async () => (await differencesOf(context, ADA)).map(({ kind }) => kind);
  return { registry, seats, seatLimits, admit, manager, found };
}

test('a manager under another id than its index knows', async () => {
  const { registry, admit, manager, found } = setUp();
  const token = await admit();
  registry.add(manager(token));
  expect(await found()).toEqual([]);
  // A second object under the same id: the first is still in the index by user.
  registry.add(manager(token));
  expect(await found()).toEqual(['index']);
});

test('seats are compared by their tokens, and seats of other nodes are theirs', async () => {
  const { registry, admit, manager, found } = setUp();
  const token = await admit('gw-2' as NodeId);
  expect(await found()).toEqual([]);
  registry.add(manager(token + 1));
  expect(await found()).toEqual(['manager-without-seat']);
});

test('what only one of two looks sees was a transition', async () => {
  const { seats, seatLimits, admit, found } = setUp();
  const token = await admit();
  const looking = found();
  // It is released between the first look and the second one.
  await Promise.resolve();
  await seats.release(ADA, ID, token, seatLimits);
  expect(await looking).toEqual([]);
  await admit();
  expect(await found()).toEqual(['seat-without-manager']);
});

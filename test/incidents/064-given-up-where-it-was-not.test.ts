/** A page had gone from one gateway to another, and came back to the first one while that was cut off from the store and had not heard of
 *  the journey. Nobody returned to its seat at the other gateway, which was given up after a while. When the first one reached the store
 *  again it read that its session had ended, "transport-lost", and closed a page that was there and working. */

import { expect, it } from 'vitest';
import { seatLimitsOf } from '../../src/managers/admission/seat-limits.ts';
import type { WebSocketManager } from '../../src/managers/manager.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { bareNode, eventually, type Session } from '../support/bare-node.ts';
import { FaultyStore } from '../support/faulty-store.ts';

const managerOf = ({ admission }: Session): WebSocketManager => {
  if (admission.kind !== 'seated') throw new Error(`Expected a seat, got ${admission.kind}.`);
  return admission.manager;
};

it('a session whose client is here goes on, although it was given up where nobody came back to it', async () => {
  const store = memoryStore({ cluster: true });
  const road = new FaultyStore(store);
  await using first = await bareNode({ store: road, node: 'first' });
  await using other = await bareNode({ store, node: 'other', timing: 'fast', resume: { windowMs: 300 } });
  const before = await first.connect('ada');
  const session = managerOf(before);
  before.transport.terminate();
  await eventually('the loss to be noticed', () => session.attachment === null);
  road.away();
  const onward = await other.connect('ada', { resume: { manager: session.id, serial: session.serial } });
  const visit = managerOf(onward);
  expect(visit.id).toBe(session.id);
  onward.transport.terminate();

  const back = await first.connect('ada', { resume: { manager: session.id, serial: visit.serial } });
  expect(managerOf(back)).toBe(session);
  await eventually('the other node to give it up', () => other.told('manager-ended').some(({ reason }) => reason === 'transport-lost'));
  road.back();
  await eventually('the store to be asked again', () => !first.factory.telemetry.gauges().storeFailOpen);

  expect(first.told('manager-ended')).toEqual([]);
  expect(session.attachment).not.toBeNull();
  const { seats } = await store.seats.facts(session.user.userId, seatLimitsOf(first.factory.options));
  expect(seats).toMatchObject([{ manager: session.id, token: session.seat?.token, node: 'first' }]);
});

/** An application showed people their place in the queue, and its code for that threw. The person who was about to be told was
 *  thrown out of the queue; at the gate of a full node, where places are told by a timer, the whole process went down with it. */

import { expect, it } from 'vitest';
import type { Queued } from '../../src/managers/admission/admission.ts';
import { WebSocketManagerFactory } from '../../src/managers/factory.ts';
import type { LogRecord } from '../../src/ports/telemetry.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { memoryStore } from '../../src/stores/memory.ts';

const who = (user: string) => ({ userId: user as UserId, tier: 'free', requestId: user, websocketClientId: 'test' }) as const;

it.each([
  ['in the queue', { limits: { perUser: 1, burst: { perUser: 1 } } }, ['ada', 'ada', 'ada', 'ada']],
  ['at the gate', { limits: { perNode: 1 } }, ['ada', 'bob', 'cid', 'dan']],
] as const)('whoever waits %s is seated, whatever the code does that shows the place', async (_, limits, users) => {
  const records: LogRecord[] = [];
  await using factory = new WebSocketManagerFactory({ ...limits, store: memoryStore(), telemetry: { record: (r) => records.push(r) } });
  const [first, ...others] = users;
  const holder = await factory.createManager(who(first), { transport: silent() });
  const waiting: Queued[] = [];
  for (const user of others) {
    const admission = await factory.createManager(who(user), { transport: silent(), waitMs: 3_000 });
    if (admission.kind !== 'queued') throw new Error(`Expected a place in the queue, got ${admission.kind}.`);
    waiting.push(admission);
  }
  for (const [i, place] of waiting.entries())
    place.onPlace(() => {
      throw new Error(`the page of ${i} is gone`);
    });
  // The first of them gives up, so the others move up and are told; then a seat is free.
  waiting[0]?.cancel();
  const told = (): number => records.filter(({ event }) => event === 'listener-failed').length;
  await expect.poll(told, { timeout: 4_000 }).toBe(2);
  if (holder.kind === 'seated') await holder.manager.release();
  expect(await waiting[1]?.outcome).toMatchObject({ kind: 'seated' });
});

/** Takes everything and never says anything: enough for whoever only waits. */
function silent() {
  return {
    class: 'unverifiable',
    peer: { address: '192.0.2.1', userAgent: 'test' },
    unsentBytes: 0,
    send: () => {},
    ping: () => {},
    pause: () => {},
    resume: () => {},
    end: () => {},
    terminate: () => {},
    listen: () => {},
  } as const;
}

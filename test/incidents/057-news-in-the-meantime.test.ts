/** A client came back with a position that the log had never reached, and its node began a new epoch. Another node had become the writer
 *  just before; the hint of that came while the epoch was being begun, when nobody looked. What was on its way was given up, and nobody
 *  looked afterwards either: who followed the conversation here saw nothing new until the next poll, up to ten seconds later. */

import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/ports/clock.ts';
import { systemRandom } from '../../src/ports/random.ts';
import type { LogStore, Store } from '../../src/ports/store.ts';
import { silent } from '../../src/ports/telemetry.ts';
import type { NodeId, ThreadId, UserId } from '../../src/protocol/ids.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { Cursor } from '../../src/streams/cursor.ts';
import { Streams } from '../../src/streams/streams.ts';
import { FaultyStore } from '../support/faulty-store.ts';

const KEY = { user: 'ada' as UserId, thread: 't' as ThreadId };
const ENTRY = { kind: 'agent', run: null, codec: 'agent-events', data: '{"type":"text_delta","text":"word"}', at: 1 } as const;
/** No poll ever comes. */
const CLOCK: Clock = { ...systemClock, after: (delayMs, callback) => (delayMs > 1_000 ? () => {} : systemClock.after(delayMs, callback)) };
const turns = async (): Promise<void> => {
  for (let i = 0; i < 30; i++) await new Promise((resolve) => setImmediate(resolve));
};

test('what another node has written is seen at once, also if the epoch was being renewed', async () => {
  const store = memoryStore({ cluster: true });
  const slow = new FaultyStore(store);
  let hears = true;
  const log = new Proxy(slow.log, {
    get: (target, name) =>
      name === 'watch'
        ? (...[key, changed]: Parameters<LogStore['watch']>) => target.watch(key, (seen) => (hears ? changed(seen) : undefined))
        : Reflect.get(target, name),
  });
  const on = (name: string, seen: Store) => {
    const life = { node: name as NodeId, incarnation: `${name}1` };
    return new Streams(seen, CLOCK, silent, { life, random: systemRandom }).hold(KEY);
  };
  const [a, b] = [await on('a', { ...store, log }), await on('b', store)];
  await a.writable();
  await a.log(ENTRY);
  const cursor = await Cursor.open(a, 'start', () => {});
  await a.current();
  const renewing = slow.hold('log.renewEpoch');
  const renewed = a.rewound();
  a.append(ENTRY, { onLost: () => {} });
  await renewing.reached;
  await b.writable();
  await b.log(ENTRY);
  await turns();
  // Nobody is told of the news that are one's own.
  hears = false;
  renewing.release();
  await renewed;
  await turns();
  expect([a.mark, a.head, a.tenure]).toEqual([2, 2, null]);
  cursor.end();
});

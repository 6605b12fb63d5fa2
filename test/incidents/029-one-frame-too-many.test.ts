/** A reader's window was checked before a frame, not with it: an event of 15 KiB still went out when 15 of 16 KiB were under way, and a
 *  slow reader came to its questions that much later. */

import { expect, it } from 'vitest';
import { bareNode } from '../support/bare-node.ts';

const USER = 'ada' as never;
const THREAD = 't' as never;
const WINDOW_BYTES = 16_384;

it('what does not fit in the window any more waits for an ack, which is asked for at once', async () => {
  await using node = await bareNode();
  const { client } = await node.connect('ada');
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  await client.next('replayed');
  const say = (bytes: number) =>
    node.factory.publish(USER, THREAD, { type: 'tool_executing', tool_name: 'x', execution_id: 'x', parameters: 'x'.repeat(bytes) });
  const bytesOf = (): number => client.texts.filter((text) => text.startsWith('{"type":"event"')).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  await say(7_000);
  await client.next('event');
  await say(12_000);
  // Less than half a window was sent, so that no frame has asked: a question does, a second before it would be due.
  const probe = await client.next('probe');
  expect(bytesOf()).toBeLessThanOrEqual(WINDOW_BYTES);
  client.sendFrame({ type: 'ack', sub: 1, offset: 1 });
  client.sendFrame({ type: 'probe-ok', n: probe.n });
  expect((await client.next('event')).offset).toBe(2);
  client.sendFrame({ type: 'ack', sub: 1, offset: 2 });
  // One that no window holds goes alone.
  await say(40_000);
  expect((await client.next('event')).offset).toBe(3);
});

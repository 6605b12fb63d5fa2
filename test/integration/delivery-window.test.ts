/** How much is under way to a client: UTF-8 bytes against the acks of those who acknowledge, against the connection for the others. */

import { expect, test } from 'vitest';
import { bareNode, eventually, withChanges } from '../support/bare-node.ts';
import type { WireClient } from '../support/wire-client.ts';

const USER = 'ada' as never;
const THREAD = 't' as never;
const bytesOf = (client: WireClient): number =>
  client.texts.filter((text) => text.startsWith('{"type":"event"')).reduce((sum, text) => sum + Buffer.byteLength(text), 0);

test('the window counts bytes as they travel, whatever the script', async () => {
  await using node = await bareNode();
  const { client } = await node.connect('ada');
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  await client.next('replayed');
  // 3 bytes a character: counted by characters, three windows would be under way.
  for (let n = 0; n < 60; n++) await node.factory.publish(USER, THREAD, { type: 'agent_thinking', reasoning: `${n} ${'漢'.repeat(300)}` });
  client.sendFrame({ type: 'check', n: 1 });
  await client.next('check-ok');
  expect(bytesOf(client)).toBeGreaterThan(15_000);
  expect(bytesOf(client)).toBeLessThanOrEqual(16_384);
  // Long before the window was full, a frame asked for its ack.
  expect(client.frames.filter((f) => f.ack === true)).toHaveLength(1);
  const last = client.frames.findLast((f) => f.type === 'event');
  client.sendFrame({ type: 'ack', sub: 1, offset: last?.offset });
  const more = await client.nextWhere('what follows', (f) => f.type === 'event' && f.offset > last?.offset);
  expect(more.from ?? more.offset).toBe(last?.offset + 1);
});

test('a wire without acks gets everything, owes nothing, and is never waited for', async () => {
  await using node = await bareNode();
  const { client, admission } = await node.connect('ada', { wrap: (transport) => withChanges(transport, { class: 'unverifiable' }) });
  if (admission.kind !== 'seated') throw new Error(admission.kind);
  const { manager } = admission;
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  await client.next('replayed');
  const text = 'x'.repeat(4_000);
  const published = [];
  for (let n = 0; n < 300; n++) published.push(node.factory.publish(USER, THREAD, { type: 'tool_executing', tool_name: `tool ${n}`, parameters: { text } }));
  const { offset } = (await Promise.all(published)).at(-1) as { offset: number };
  await client.nextWhere('the last event', (f) => f.type === 'event' && f.offset === offset);
  const frames = client.frames.filter((f) => f.type === 'event');
  let next = 1;
  for (const frame of frames) {
    expect(frame.from ?? frame.offset).toBe(next);
    next = frame.offset + 1;
  }
  expect(bytesOf(client)).toBeGreaterThan(1_000_000);
  expect(manager.evidence.owed).toBe(null);
  expect(manager.verdict).toMatchObject({ is: 'unknown', reason: 'unverifiable' });
});

test('a wire without acks that does not read costs no more than a bounded number of bytes', async () => {
  await using node = await bareNode();
  const { client, transport } = await node.connect('ada', { wrap: (t) => withChanges(t, { class: 'unverifiable' }) });
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  await client.next('replayed');
  client.stopReading();
  const text = 'x'.repeat(32_000);
  let offset = 0;
  // More than any kernel takes for one connection.
  for (let n = 0; n < 500; n++)
    ({ offset } = await node.factory.publish(USER, THREAD, { type: 'tool_executing', tool_name: `tool ${n}`, parameters: { text } }));
  await eventually('a full kernel', () => transport.unsentBytes > 0);
  expect(transport.unsentBytes).toBeLessThan(512 * 1024);
  client.readAgain();
  await eventually('the last event', () => client.frames.some((f) => f.type === 'event' && f.offset === offset), 10_000);
});

// A frame that came one byte at a time, in TCP segments or in fragments, cost many times its length until it was whole: the library
// below keeps an object for each crumb, and its own bounds were made for messages of 100 MiB.
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';

const CRUMBS = 40_000;

function* bytes(): Iterable<Uint8Array> {
  yield new Uint8Array([0x81, 0xff, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0]);
  for (let i = 0; i < CRUMBS; i++) yield new Uint8Array([0x78]);
}

function* fragments(): Iterable<Uint8Array> {
  for (let i = 0; i < CRUMBS; i++) yield new Uint8Array([i === 0 ? 0x01 : 0x00, 0x81, 0, 0, 0, 0, 0x78]);
}

test.each([
  ['segments', bytes],
  ['fragments', fragments],
])('a frame in %s of one byte is not waited for', async (_name, crumbs) => {
  await using gw = await startGateway();
  const { client } = await gw.seat('mallory');
  for (const crumb of crumbs()) {
    if (!client.isOpen) break;
    client.sendRaw(crumb);
    // Each crumb arrives by itself: the gateway, in this process too, has its turn before the next.
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await client.close()).code).toBe(1008);
});

test('a frame in pieces as links carry them is taken', async () => {
  await using gw = await startGateway();
  const { client } = await gw.seat('ada');
  const text = JSON.stringify({ type: 'send', id: 'long', thread: 't', data: { text: 'x'.repeat(200_000) } });
  const head = Buffer.alloc(14);
  head.set([0x81, 0xff]);
  head.writeBigUInt64BE(BigInt(text.length), 2);
  const wire = Buffer.concat([head, Buffer.from(text)]);
  for (let from = 0; from < wire.length; from += 536) {
    client.sendRaw(wire.subarray(from, from + 536));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await client.next('run-accepted')).toMatchObject({ id: 'long' });
});

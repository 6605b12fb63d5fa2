// Before anybody is known 64 KiB may come. They were counted once a message was whole, and of a message that never ends nobody was told:
// the library below kept up to 320 KiB of it, a connection, for anybody who asked.
import { expect, test } from 'vitest';
import { HELLO } from '../support/gateway.ts';
import { Lab } from '../support/lab/lab.ts';
import { connectionsTo, until } from '../support/peers/kernel.ts';
import { WireClient } from '../support/wire-client.ts';

const CLIENTS = 40;
const FRAME_BYTES = 200 * 1_024;
const KEPT_BYTES = 180 * 1_024;
/** Small enough that all of it would be kept for the sake of one byte that is missing. */
const PIECE_BYTES = 1_024;

/** The head of a text frame of so many bytes, and its payload, as far as `bytes`: masked with zeros. */
function unfinished(frameBytes: number, bytes: number): Buffer {
  const head = Buffer.alloc(14);
  head[0] = 0x81;
  head[1] = 0xff;
  head.writeBigUInt64BE(BigInt(frameBytes), 2);
  return Buffer.concat([head, Buffer.alloc(bytes, 'x')]);
}

async function trickle(client: WireClient, bytes: Buffer): Promise<void> {
  for (let from = 0; from < bytes.length && client.isOpen; from += PIECE_BYTES) {
    client.sendRaw(bytes.subarray(from, from + PIECE_BYTES));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a client that never ends its first frame is ended at 64 KiB', async () => {
  await using lab = await Lab.start();
  const client = await WireClient.open(lab.wsUrl);
  void trickle(client, unfinished(FRAME_BYTES, KEPT_BYTES));
  expect((await client.close()).code).toBe(4505);
  expect(client.frames).toMatchObject([{ type: 'bye', code: 4505, name: 'message-too-big', return: 'never' }]);
});

test('below the bound it keeps what came, above it nothing', async () => {
  await using lab = await Lab.start();
  const before = await lab.memory();
  const held: WireClient[] = [];
  for (let i = 0; i < CLIENTS; i++) {
    const client = await WireClient.open(lab.wsUrl);
    // It reads nothing and answers nothing, so no closing handshake ends.
    client.stopReading();
    await trickle(client, unfinished(FRAME_BYTES, KEPT_BYTES));
    held.push(client);
  }
  const { heapUsed, external } = await lab.memory();
  const each = (heapUsed + external - before.heapUsed - before.external) / CLIENTS;
  expect(each).toBeLessThan(128 * 1_024);
  // They stay on the line without a word, and the gateway ends them all the same.
  await until('no connections', () => connectionsTo(Number(new URL(lab.url).port)) === 0, 10_000);
  for (const client of held) client.cut();
  expect(lab.troubles).toEqual([]);
});

test('somebody who is known may send long frames, also as the first thing after the hello', async () => {
  await using lab = await Lab.start();
  const client = await WireClient.open(lab.wsUrl);
  client.sendFrame({ ...HELLO, token: await lab.token('ada') });
  await client.next('welcome');
  client.sendFrame({ type: 'send', id: 'long', thread: 't', data: { text: 'x'.repeat(200_000) } });
  expect(await client.next('run-accepted')).toMatchObject({ id: 'long' });
  client.cut();
});

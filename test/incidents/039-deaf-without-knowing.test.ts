/** Something between a gateway and its Redis forgot the connection over which news of conversations come, and told neither side. Commands had
 *  connections of their own, on which an answer was missed; here nobody waits for one. From then on each news was as late as the
 *  reader's next look, 10 s in a quiet conversation, for as long as nobody opened another. */

import { connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { redisStore } from '../../src/stores/redis/store.ts';
import { key, Writer } from '../contracts/store-builders.ts';
import { listenAnywhere } from '../support/ports.ts';
import { redisTool, startRedis } from '../support/redis.ts';
import { skipWithout } from '../support/tools.ts';

skipWithout(redisTool());

const HEARD_WITHIN_MS = 20_000;

/** Passes everything on, until it is told to forget the connections that there are: they stay open, and nothing comes through. */
async function forgetfulRelay(targetPort: number) {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.on('data', (chunk) => other.write(chunk));
      socket.on('error', () => {});
      socket.on('close', () => open.delete(socket) && other.destroy());
    }
  });
  const port = await listenAnywhere(server);
  return {
    port,
    forget() {
      for (const socket of open) socket.pause();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

it('a subscription whose connection is forgotten comes back', async () => {
  await using server = await startRedis();
  await using relay = await forgetfulRelay(server.port);
  await using writing = await redisStore({ url: server.url, deadlineMs: 2_000 });
  await using reading = await redisStore({ url: `redis://127.0.0.1:${relay.port}`, deadlineMs: 2_000 });
  const writer = await Writer.claim(writing.log, key('ada'));
  let heard = 0;
  reading.log.watch(key('ada'), () => heard++);
  const hears = async (): Promise<boolean> => {
    const before = heard;
    const deadline = performance.now() + HEARD_WITHIN_MS;
    while (heard === before && performance.now() < deadline) {
      await writer.append(1);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return heard > before;
  };
  expect(await hears()).toBe(true);
  relay.forget();
  // What was on its way still comes.
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await hears()).toBe(true);
});

it('whoever watches after the end opens no connection', async () => {
  await using server = await startRedis();
  const store = await redisStore({ url: server.url, deadlineMs: 2_000 });
  await store[Symbol.asyncDispose]();
  // The one that asks is among them.
  const connections = (): number => server.cli('client', 'list').split('\n').length;
  await expect.poll(connections).toBe(1);
  store.log.watch(key('ada'), () => {});
  for (let looks = 0; looks < 5; looks++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(connections()).toBe(1);
  }
});

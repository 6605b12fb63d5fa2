import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { Generator } from '../../bench/generator/generator.ts';
import { eventOf } from '../../bench/peers/peer.ts';
import { nowUs, token } from '../../bench/tokens.ts';

/** A peer that is given a connection and does with it what the test says. */
async function peer(onConnection: (socket: WebSocket) => void): Promise<Generator> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  server.on('connection', onConnection);
  const generator = new Generator();
  onTestFinished(async () => {
    await generator.leave(true);
    await new Promise((resolve) => server.close(resolve));
  });
  const spillway = { secret: '', stage: 'seated', answers: true, credential: 'token', users: null, asks: false } as const;
  const { port } = server.address() as AddressInfo;
  await generator.connect({ wire: 'ws', port, first: 0, count: 1, inFlight: 1, spillway });
  return generator;
}

const say = (socket: WebSocket, ...sequences: readonly number[]): void => {
  for (const sequence of sequences) socket.send(JSON.stringify(eventOf(token(sequence, nowUs()))));
};

test('the generator notices what a peer loses, doubles and swaps', async () => {
  const generator = await peer((socket) => say(socket, 0, 2, 1, 1));
  expect(await generator.settle({ sent: [4], quietMs: 200 })).toEqual({ checked: 3, lost: 1, doubled: 1, reordered: 1 });
});

test('whole delivery is settled as soon as everything is there, and timed from when it was due', async () => {
  const generator = await peer((socket) => say(socket, 0, 1, 2));
  expect(await generator.settle({ sent: [3], quietMs: 5_000 })).toEqual({ checked: 3, lost: 0, doubled: 0, reordered: 0 });
  const { tokens, frames, latency } = generator.traffic();
  expect({ tokens, frames }).toEqual({ tokens: 3, frames: 3 });
  expect(latency.reduce((sum, [, count]) => sum + count, 0)).toBe(3);
});

test('a connection that ends under load, and a text that is no token, fail the run', async () => {
  const closing = await peer((socket) => {
    say(socket, 0);
    socket.close(1011, 'too much');
  });
  await expect(closing.settle({ sent: [5], quietMs: 2_000 })).rejects.toThrow('1011 too much');
  const garbled = await peer((socket) => socket.send(JSON.stringify({ text: 'not a token' })));
  await expect(garbled.settle({ sent: [1], quietMs: 2_000 })).rejects.toThrow('Expected tokens');
});

// Somebody asked for a WebSocket at a path where there is none, and was gone before the answer: nobody listened for the error of that
// socket, and the gateway of everybody ended with it.
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { Lab } from '../support/lab/lab.ts';

const STRANGERS = 600;
const AT_ONCE = 30;

function hangUp(port: number, path: string, waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    // What becomes of it here is not the question.
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.once('connect', () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
        () => (waitMs === 0 ? socket.resetAndDestroy() : setTimeout(() => socket.resetAndDestroy(), waitMs)),
      );
    });
  });
}

test.each(['/elsewhere', '/v1/ws'])('whoever hangs up on an upgrade of %s harms nobody', async (path) => {
  await using lab = await Lab.start();
  const port = Number(new URL(lab.url).port);
  for (let i = 0; i < STRANGERS && !lab.hasEnded; i += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => hangUp(port, path, n % 3)));
  expect(lab.troubles).toEqual([]);
  expect((await lab.status()).factory.seats).toBe(0);
});

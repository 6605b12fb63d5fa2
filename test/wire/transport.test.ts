import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Transport, TransportListener } from '../../src/ports/transport.ts';
import { webSocketTransport } from '../../src/transports/websocket.ts';
import { listenAnywhere } from '../support/ports.ts';
import { WireClient } from '../support/wire-client.ts';

/** Everything that a transport told, and a way to wait for it. */
class Heard implements TransportListener {
  readonly log: string[] = [];
  #wake: () => void = () => {};
  message(text: string): void {
    this.#say(`message ${text.length > 40 ? text.length : text}`);
  }
  binary(): void {
    this.#say('binary');
  }
  pong(nonce: Uint8Array): void {
    this.#say(`pong ${Buffer.from(nonce).toString('hex')}`);
  }
  drained(): void {
    this.#say('drained');
  }
  closed(code: number, reason: string): void {
    this.#say(`closed ${code} ${reason}`.trim());
  }
  #say(line: string): void {
    this.log.push(line);
    this.#wake();
  }
  async until(done: (log: readonly string[]) => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(5_000);
    while (!done(this.log)) {
      deadline.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        deadline.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}

interface Pair extends AsyncDisposable {
  readonly transport: Transport;
  readonly socket: WebSocket;
  readonly raw: Duplex;
  readonly client: WireClient;
}

/** A transport on a real socket and the peer at its other end. */
async function pair(): Promise<Pair> {
  const http = createServer();
  const wss = new WebSocketServer({ noServer: true, maxPayload: 1_000_000, clientTracking: false, perMessageDeflate: false });
  const upgraded = new Promise<Omit<Pair, 'client' | typeof Symbol.asyncDispose>>((resolve) => {
    http.on('upgrade', (request, raw, head) => {
      wss.handleUpgrade(request, raw, head, (socket) => {
        resolve({ socket, raw, transport: webSocketTransport(socket, { address: '127.0.0.1', userAgent: 'test' }, raw) });
      });
    });
  });
  const port = await listenAnywhere(http);
  const client = await WireClient.open(`ws://127.0.0.1:${port}/`, { protocols: [] });
  const server = await upgraded;
  return {
    ...server,
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      server.socket.terminate();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

test('what the peer said before anybody listened is heard, in order, by the first listener', async () => {
  await using p = await pair();
  for (let i = 0; i < 5; i++) p.client.sendFrame(`"${i}"`);
  p.client.sendBinary(new Uint8Array([1]));
  await new Promise((resolve) => setImmediate(resolve));
  const heard = new Heard();
  p.transport.listen(heard);
  await heard.until((log) => log.length === 6);
  expect(heard.log).toEqual(['message "0"', 'message "1"', 'message "2"', 'message "3"', 'message "4"', 'binary']);
});

test('messages of one send leave in one write, whatever their number', async () => {
  const http = createServer();
  const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  let transport: Transport | undefined;
  let raw: Duplex | undefined;
  http.on('upgrade', (request, socket, head) => {
    raw = socket;
    wss.handleUpgrade(request, socket, head, (webSocket) => {
      transport = webSocketTransport(webSocket, { address: '', userAgent: '' }, socket);
      transport.listen(new Heard());
    });
  });
  const port = await listenAnywhere(http);
  const peer = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  let wake = (): void => {};
  peer.on('data', (chunk) => {
    chunks.push(chunk);
    wake();
  });
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  peer.write(
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await until(() => Buffer.concat(chunks).includes('\r\n\r\n'));
  chunks.length = 0;
  transport?.send(Array.from({ length: 40 }, (_, i) => `message ${String(i).padStart(2, '0')}`));
  await until(() => Buffer.concat(chunks).length >= 40 * 12);
  expect(chunks).toHaveLength(1);
  expect((raw as Duplex).writableCorked).toBe(0);
  peer.destroy();
  await new Promise((resolve) => http.close(resolve));
});

test('a reader that stops is seen in unsentBytes, and drained is told once it reads again', async () => {
  await using p = await pair();
  const heard = new Heard();
  p.transport.listen(heard);
  p.client.stopReading();
  const message = JSON.stringify({ type: 'x', fill: 'x'.repeat(1_000_000) });
  let sent = 0;
  while (p.transport.unsentBytes === 0 && sent < 64) {
    p.transport.send([message]);
    sent += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(p.transport.unsentBytes).toBeGreaterThan(0);
  heard.log.length = 0;
  p.client.readAgain();
  await heard.until((log) => log.includes('drained'));
  expect(p.transport.unsentBytes).toBe(0);
  for (let i = 0; i < sent; i++) expect((await p.client.next()).type).toBe('x');
});

test('only the pong of a nonce carries it', async () => {
  await using p = await pair();
  const heard = new Heard();
  p.transport.listen(heard);
  p.transport.ping(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
  await heard.until((log) => log.length === 1);
  expect(heard.log).toEqual(['pong 0102030405060708']);
});

test('end says goodbye after what was sent, and the end is told once', async () => {
  await using p = await pair();
  const heard = new Heard();
  p.transport.listen(heard);
  p.transport.send(['{"type":"bye"}']);
  p.transport.end(4201, 'evicted-for-newer;r=user;t=0');
  p.transport.end(4500, 'again');
  p.transport.send(['{"type":"late"}']);
  p.transport.ping(new Uint8Array(8));
  expect(await p.client.close()).toEqual({ code: 4201, reason: 'evicted-for-newer;r=user;t=0' });
  expect(p.client.frames).toEqual([{ type: 'bye' }]);
  await heard.until((log) => log.some((line) => line.startsWith('closed')));
  p.transport.terminate();
  expect(heard.log.filter((line) => line.startsWith('closed'))).toEqual(['closed 4201 evicted-for-newer;r=user;t=0']);
});

test('nothing of the peer is heard after end', async () => {
  await using p = await pair();
  const heard = new Heard();
  p.transport.listen(heard);
  p.transport.end(4205, 'taken-over');
  p.client.sendFrame('"late"');
  await p.client.close();
  await heard.until((log) => log.some((line) => line.startsWith('closed')));
  expect(heard.log.some((line) => line.startsWith('message'))).toBe(false);
});

test('terminate ends at once, without the peer', async () => {
  await using p = await pair();
  const heard = new Heard();
  p.transport.listen(heard);
  p.client.stopReading();
  p.transport.terminate();
  await heard.until((log) => log.length > 0);
  expect(heard.log).toEqual(['closed 1006']);
  p.client.readAgain();
  expect((await p.client.close()).code).toBe(1006);
});

test.each(['cut', 'reset'] as const)('a %s of the connection is told once, and later sends do nothing', async (how) => {
  await using p = await pair();
  const heard = new Heard();
  p.transport.listen(heard);
  p.client[how]();
  await heard.until((log) => log.length > 0);
  p.transport.send(['{"type":"x"}', '{"type":"y"}']);
  p.transport.end(4000, 'reconnect');
  expect(heard.log).toEqual(['closed 1006']);
  expect(p.transport.unsentBytes).toBe(0);
});

test('who starts to listen after the end still hears of it, once', async () => {
  await using p = await pair();
  p.transport.listen(new Heard());
  p.transport.listen(null);
  p.client.cut();
  await new Promise((resolve) => p.socket.once('close', resolve));
  const heard = new Heard();
  p.transport.listen(heard);
  await heard.until((log) => log.length > 0);
  expect(heard.log).toEqual(['closed 1006']);
});

test('text that is no UTF-8 ends with 1007, a message over the limit with 1009', async () => {
  for (const [bytes, code] of [
    [new Uint8Array([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]), 1007],
    [new Uint8Array([0x81, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0]), 1009],
  ] as const) {
    await using p = await pair();
    const heard = new Heard();
    p.transport.listen(heard);
    p.client.sendRaw(bytes);
    expect((await p.client.close()).code).toBe(code);
    await heard.until((log) => log.length > 0);
    // The peer never answered with a close frame of its own: on this side that is an abnormal end.
    expect(heard.log).toEqual(['closed 1006']);
  }
});

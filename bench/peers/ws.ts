import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { eventOf, type Peer, type PeerOptions } from './peer.ts';

/** Bare `ws`: the least code for the duty. */
export function wsPeer({ duty }: PeerOptions): Peer {
  const sockets: WebSocket[] = [];
  const server = createServer();
  new WebSocketServer({ server, perMessageDeflate: false, clientTracking: false }).on('connection', (socket, request) => {
    const index = Number(new URL(request.url ?? '/', 'http://localhost').searchParams.get('i'));
    sockets[index] = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      if (sockets[index] === socket) delete sockets[index];
    });
    socket.on('message', (data) => {
      const { text } = JSON.parse(data.toString()) as { readonly text: string };
      if (duty === 'echo') socket.send(JSON.stringify(eventOf(text)));
    });
  });
  return {
    versions: { ws: (createRequire(import.meta.url)('ws/package.json') as { readonly version: string }).version },
    start: () => new Promise((resolve) => server.listen(0, '127.0.0.1', 4_096, () => resolve((server.address() as AddressInfo).port))),
    send: (index, text) => sockets[index]?.send(JSON.stringify(eventOf(text))),
  };
}

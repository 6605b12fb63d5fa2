import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { eventOf, type Peer, type PeerOptions } from './peer.ts';

/** Socket.IO over WebSocket only, without compression (its default). With `recovery` it keeps what was sent for clients that come back,
 *  which it does for rooms alone; so each connection has a room of its own. */
export function socketIoPeer({ duty }: PeerOptions, recovery = false): Peer {
  const sockets: Socket[] = [];
  const server = createServer();
  const io = new Server(server, { transports: ['websocket'], serveClient: false, ...(recovery ? { connectionStateRecovery: {} } : {}) });
  io.on('connection', (socket) => {
    const index = Number(socket.handshake.query.i);
    sockets[index] = socket;
    if (recovery) void socket.join(String(index));
    socket.on('disconnect', () => {
      if (sockets[index] === socket) delete sockets[index];
    });
    socket.on('ask', ({ text }: { readonly text: string }) => {
      if (duty === 'echo') socket.emit('m', eventOf(text));
    });
  });
  const { version } = createRequire(import.meta.url)('socket.io/package.json') as { readonly version: string };
  return {
    versions: { 'socket.io': version },
    start: () => new Promise((resolve) => server.listen(0, '127.0.0.1', 4_096, () => resolve((server.address() as AddressInfo).port))),
    send: (index, text) => void (recovery ? io.to(String(index)).emit('m', eventOf(text)) : sockets[index]?.emit('m', eventOf(text))),
  };
}

// The sockets of pages that live in another process, as the network process of a browser has them: pings are answered here.

import './end-with-parent.ts';
import { WebSocket } from 'ws';
import { openPipe, type ToPage, type ToSockets } from './pipe.ts';
import type { SocketNews } from './socket-messages.ts';

const sockets = new Map<number, WebSocket>();
const page = openPipe<ToSockets, ToPage>(obey);
const say = (news: SocketNews): void => void (process.connected && process.send?.(news));

function obey(order: ToSockets): void {
  const { id } = order;
  if ('open' in order) open(id, order.open, [order.protocols].flat());
  else if ('send' in order) sockets.get(id)?.send(order.send);
  else sockets.get(id)?.close();
}

function open(id: number, url: string, protocols: string[]): void {
  const socket = new WebSocket(url, protocols, { perMessageDeflate: false });
  sockets.set(id, socket);
  socket.on('open', () => page.write({ id, opened: true }));
  socket.on('message', (data) => page.write({ id, data: data.toString() }));
  // Answered by the library before anybody hears of it.
  socket.on('ping', () => say({ socket: id, answered: 'ping' }));
  socket.on('close', (code, reason) => {
    sockets.delete(id);
    const closed = { code, reason: reason.toString() };
    page.write({ id, closed });
    say({ socket: id, closed });
  });
  // What an error has to say comes with its close.
  socket.on('error', () => {});
}

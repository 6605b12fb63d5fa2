// Another server of sessions, as its README sets it up, in a process of its own: one numbered event a second to each client.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { WebSocket, WebSocketServer } from 'ws';
import { nowMs } from '../../support/lab/time.ts';
import type { ServerSaid } from './messages.ts';

const [kind, divisorText] = process.argv.slice(2);
const divisor = Number(divisorText);
const TALK_EVERY_MS = 1_000 / divisor;
/** Of the README of `ws`, “How to detect and close broken connections”. */
const WS_PING_EVERY_MS = 30_000 / divisor;
/** Defaults of Socket.IO 4. */
const SOCKETIO = {
  pingInterval: 25_000 / divisor,
  pingTimeout: 20_000 / divisor,
  connectionStateRecovery: { maxDisconnectionDuration: 120_000 },
} as const;

const say = (said: ServerSaid): void => void process.send?.(said);
process.once('disconnect', () => process.exit(0));
const http = createServer();
const published: Record<string, number> = {};
let sockets = 0;

function joined(user: string, onEnd: (ended: () => void) => void): void {
  const socket = ++sockets;
  published[user] ??= 0;
  say({ is: 'came', user, socket, at: nowMs() });
  onEnd(() => say({ is: 'gone', user, socket, at: nowMs() }));
}

const publish = kind === 'ws' ? bareWs() : socketIo();
setInterval(() => {
  for (const user of Object.keys(published)) {
    if (user.startsWith('F10')) continue;
    const number = (published[user] ?? 0) + 1;
    published[user] = number;
    publish(user, number);
  }
}, TALK_EVERY_MS);
http.listen(0, '127.0.0.1', () => say({ is: 'listening', port: (http.address() as AddressInfo).port }));

function bareWs(): (user: string, number: number) => void {
  const alive = new WeakMap<WebSocket, boolean>();
  const byUser = new Map<string, Set<WebSocket>>();
  const server = new WebSocketServer({ server: http });
  server.on('connection', (socket, request) => {
    const user = new URL(request.url ?? '', 'http://x').searchParams.get('user') ?? '';
    const own = byUser.get(user) ?? new Set();
    byUser.set(user, own.add(socket));
    alive.set(socket, true);
    socket.on('pong', () => alive.set(socket, true));
    // What an error has to say comes with 'close'.
    socket.on('error', () => {});
    joined(user, (ended) =>
      socket.on('close', () => {
        own.delete(socket);
        ended();
      }),
    );
  });
  setInterval(() => {
    for (const socket of server.clients) {
      if (alive.get(socket) === false) socket.terminate();
      else {
        alive.set(socket, false);
        socket.ping();
      }
    }
  }, WS_PING_EVERY_MS);
  return (user, number) => {
    for (const socket of byUser.get(user) ?? []) if (socket.readyState === WebSocket.OPEN) socket.send(String(number));
  };
}

function socketIo(): (user: string, number: number) => void {
  const server = new Server(http, SOCKETIO);
  server.on('connection', (socket) => {
    const user = String(socket.handshake.auth.user);
    void socket.join(user);
    joined(user, (ended) => socket.on('disconnect', ended));
  });
  return (user, number) => void server.to(user).emit('event', number);
}

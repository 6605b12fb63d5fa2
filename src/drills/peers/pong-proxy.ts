// A proxy that ends WebSockets on both sides, as many do: it answers the gateway's pings itself, and keeps the gateway's side open when
// its client is gone.

import './end-with-parent.ts';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { ProxyNews, ProxyOrder } from './proxy-messages.ts';

const say = (news: ProxyNews): void => void (process.connected && process.send?.(news));
process.channel?.ref();
process.once('message', (order) => open(order as ProxyOrder));

function open({ target }: ProxyOrder): void {
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false, handleProtocols: (asked) => asked.values().next().value ?? false });
  let count = 0;
  server.on('connection', (client) => join(count++, client, target));
  http.listen(0, '127.0.0.1', () => say({ port: (http.address() as AddressInfo).port }));
}

function join(socket: number, client: WebSocket, target: string): void {
  const waiting: RawData[] = [];
  const upstream = new WebSocket(target, client.protocol === '' ? [] : [client.protocol], { perMessageDeflate: false });
  upstream.on('open', () => {
    for (const data of waiting.splice(0)) upstream.send(data, { binary: false });
  });
  upstream.on('message', (data) => client.readyState === WebSocket.OPEN && client.send(data, { binary: false }));
  upstream.on('ping', () => client.readyState !== WebSocket.OPEN && say({ socket, answered: 'ping' }));
  upstream.on('close', (code, reason) => {
    say({ socket, closed: { code, reason: reason.toString() } });
    client.terminate();
  });
  client.on('message', (data) => {
    if (upstream.readyState === WebSocket.OPEN) upstream.send(data, { binary: false });
    else waiting.push(data);
  });
  // What errors have to say comes with the close.
  upstream.on('error', () => {});
  client.on('error', () => {});
}

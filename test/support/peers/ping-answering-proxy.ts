import { createServer } from 'node:http';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { listenAnywhere } from '../ports.ts';

/** A proxy that ends WebSockets on both sides. It answers the gateway's pings itself, and keeps the gateway's side open when its
 *  client is gone. */
export interface PingAnsweringProxy extends AsyncDisposable {
  readonly port: number;
  readonly upstreamPort: () => number;
  /** Pings of the gateway that it has answered since its client went away. */
  readonly pongsForTheDead: () => number;
  readonly isClientGone: () => boolean;
  readonly isUpstreamOpen: () => boolean;
}

export async function pingAnsweringProxy(targetUrl: string): Promise<PingAnsweringProxy> {
  let upstream: WebSocket | null = null;
  let upstreamPort = 0;
  let isClientGone = false;
  let pongs = 0;
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false, handleProtocols: (asked) => asked.values().next().value ?? false });
  server.on('connection', (client) => {
    const waiting: RawData[] = [];
    const up = new WebSocket(targetUrl, ['spillway.v1'], { perMessageDeflate: false });
    upstream = up;
    up.on('upgrade', (response) => {
      upstreamPort = response.socket.localPort ?? 0;
    });
    up.on('open', () => {
      for (const data of waiting.splice(0)) up.send(data, { binary: false });
    });
    up.on('message', (data, isBinary) => {
      if (client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary });
    });
    up.on('ping', () => {
      if (isClientGone) pongs++;
    });
    up.on('close', () => client.terminate());
    client.on('message', (data, isBinary) => {
      if (up.readyState === WebSocket.OPEN) up.send(data, { binary: isBinary });
      else waiting.push(data);
    });
    client.on('close', () => {
      isClientGone = true;
    });
    // What errors have to say comes with 'close'.
    up.on('error', () => {});
    client.on('error', () => {});
  });
  const port = await listenAnywhere(http);
  return {
    port,
    upstreamPort: () => upstreamPort,
    pongsForTheDead: () => pongs,
    isClientGone: () => isClientGone,
    isUpstreamOpen: () => upstream?.readyState === WebSocket.OPEN,
    async [Symbol.asyncDispose]() {
      upstream?.terminate();
      for (const client of server.clients) client.terminate();
      server.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

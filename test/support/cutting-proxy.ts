/** A real proxy between a browser and a gateway, for what networks and servers do to connections: cutting them, swallowing
 *  everything, or ending a WebSocket with a close code of the protocol. */

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { listenAnywhere } from './ports.ts';

export interface CuttingProxy extends AsyncDisposable {
  readonly url: string;
  /** How many WebSockets were opened through it so far. */
  readonly opened: number;
  /** Where to, if not to the port it was made for. */
  target: number;
  /** Breaks every connection and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  /** Ends every WebSocket with this code and reason, and each new one too, until `mend`. `last` is sent before, such as a `bye`. */
  closeWith(code: number, reason: string, last?: object): void;
}

export async function startCuttingProxy(port: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  const pairs = new Set<WebSocket>();
  const upgrades = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] ?? false });
  let isCut = false;
  let ending: ((near: WebSocket) => void) | null = null;
  let opened = 0;
  let target = port;

  const server = createServer((asked, answer) => {
    if (isCut) asked.socket.destroy();
    else forward(asked, answer, target);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A cut is what this is for.
    socket.on('error', () => {});
    if (isCut) socket.destroy();
  });
  server.on('upgrade', (asked, socket, head) => {
    if (isCut) {
      socket.destroy();
      return;
    }
    upgrades.handleUpgrade(asked, socket, head, (near) => {
      opened += 1;
      if (ending !== null) {
        ending(near);
        return;
      }
      join(asked, near, target);
      pairs.add(near);
      near.on('close', () => pairs.delete(near));
    });
  });
  const url = `http://127.0.0.1:${await listenAnywhere(server)}`;

  return {
    url,
    get opened() {
      return opened;
    },
    get target() {
      return target;
    },
    set target(next) {
      target = next;
    },
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isCut = false;
      ending = null;
    },
    closeWith(code, reason, last) {
      ending = (near) => {
        if (last !== undefined) near.send(JSON.stringify(last));
        near.close(code, reason);
      };
      for (const near of pairs) ending(near);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function forward(asked: IncomingMessage, answer: ServerResponse, port: number): void {
  const onward = request({ host: '127.0.0.1', port, path: asked.url, method: asked.method, headers: asked.headers }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  asked.pipe(onward);
}

/** Two sockets that live and die together. */
function join(asked: IncomingMessage, near: WebSocket, port: number): void {
  const offered = asked.headers['sec-websocket-protocol']?.split(/, */) ?? [];
  const passed = ['host', 'origin', 'cookie'].flatMap((name) => (asked.headers[name] === undefined ? [] : [[name, asked.headers[name]]]));
  const far = new WebSocket(`ws://127.0.0.1:${port}${asked.url}`, offered, { headers: Object.fromEntries(passed) });
  const early: string[] = [];
  near.on('message', (data) => (far.readyState === WebSocket.OPEN ? far.send(String(data)) : early.push(String(data))));
  far.on('open', () => {
    for (const text of early) far.send(text);
  });
  far.on('message', (data) => near.send(String(data)));
  near.on('close', () => far.terminate());
  far.on('close', (code, reason) => (code >= 1000 && code !== 1005 && code !== 1006 ? near.close(code, reason) : near.terminate()));
  near.on('error', () => far.terminate());
  far.on('error', () => near.terminate());
}

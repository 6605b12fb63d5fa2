import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { decodeJwt } from 'jose';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Seated } from '../../../src/managers/admission/admission.ts';
import type { WebSocketManagerFactory } from '../../../src/managers/factory.ts';
import type { Transport } from '../../../src/ports/transport.ts';
import type { UserId } from '../../../src/protocol/ids.ts';
import { webSocketTransport } from '../../../src/transports/websocket.ts';
import { listenAnywhere } from '../ports.ts';

/** A server that puts nothing but the factory between a WebSocket and its seat, and every transport in a wrapper of the test's. Users
 *  are believed. It knows `hello`, `queued` and `ready`; the factory does the rest. */
export async function startBareServer(factory: WebSocketManagerFactory, wrap: (transport: Transport, user: UserId) => Transport): Promise<number> {
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'spillway.v1' });
  const server = createServer();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.handleUpgrade(request, socket, head, (ws) => {
      greet(ws, socket).catch(() => ws.close(4009));
    });
  });

  async function greet(ws: WebSocket, raw: Duplex): Promise<void> {
    const hello = await new Promise<string>((resolve, reject) => {
      ws.once('message', (data) => resolve(data.toString()));
      ws.once('close', () => reject(new Error('It left before it said hello.')));
    });
    ws.pause();
    const { token } = JSON.parse(hello) as { token: string };
    const userId = (decodeJwt(token).sub ?? '') as UserId;
    const transport = wrap(webSocketTransport(ws, { address: '127.0.0.1', userAgent: '' }, raw), userId);
    const user = { userId, tier: 'free' as const, requestId: 'run_bare', websocketClientId: 'bare' };
    const say = (frame: object): void => transport.send([JSON.stringify(frame)]);
    const admission = await factory.createManager(user, { transport, intent: 'user', visibility: 'visible' });
    if (admission.kind === 'queued') say({ type: 'queued', position: admission.position, of: admission.of, etaMs: 0, deadlineMs: admission.deadlineMs });
    const end = admission.kind === 'queued' ? await admission.outcome : admission;
    if (end.kind === 'retry') transport.end(4100, end.reason);
    else say(readyFrame(end));
  }
  return await listenAnywhere(server);
}

const readyFrame = ({ manager, seat, resume, limits }: Seated): object => ({ type: 'ready', manager: manager.id, resumeToken: '', resume, seat, limits });

/** A transport on which writing a probe throws while `isHit` says so. */
export function throwingProbes(transport: Transport, isHit: () => boolean, onThrow: () => void): Transport {
  return new Proxy(transport, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== 'function') return value;
      const method = value.bind(target) as (...args: unknown[]) => unknown;
      if (name !== 'send') return method;
      return (messages: readonly string[]) => {
        if (isHit() && messages.some((text) => text.startsWith('{"type":"probe"'))) {
          onThrow();
          throw new Error('This transport cannot write a probe.');
        }
        method(messages);
      };
    },
  });
}

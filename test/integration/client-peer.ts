/** A gateway typed by the test: a real WebSocket and HTTP server that says only what the test tells it to say. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

const DEADLINE_MS = 5_000;

type Frame = { readonly type: string; readonly [field: string]: unknown };

export const WELCOME = {
  type: 'welcome',
  v: 1,
  node: 'gw-1',
  now: 0,
  user: { id: 'ada', name: 'Ada', tier: 'free' },
  authExpiresAt: 0,
  heartbeatMs: 15_000,
  clientTimeoutMs: 25_000,
  ack: { frames: 16, bytes: 16_384, ms: 250 },
  max: { frameBytes: 262_144, subs: 64 },
};
export const LIMITS = { soft: 20, burst: 25, used: 1, effective: 1, sockets: 1, queued: 0, burstUntil: null, tier: 'free' };
export const READY = {
  type: 'ready',
  manager: 'mgr_00000000000000000001',
  resumeToken: 'rt1',
  resumeWindowMs: 120_000,
  resume: 'fresh',
  seat: 'soft',
  limits: LIMITS,
};

/** A queue that can be waited on under a deadline. */
class Arrivals<T> {
  readonly #what: string;
  readonly #items: T[] = [];
  #wake: (() => void)[] = [];

  constructor(what: string) {
    this.#what = what;
  }

  put(item: T): void {
    this.#items.push(item);
    for (const wake of this.#wake.splice(0)) wake();
  }

  get length(): number {
    return this.#items.length;
  }

  async take(matches: (item: T) => boolean = () => true, what = this.#what): Promise<T> {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const at = this.#items.findIndex(matches);
      if (at >= 0) return this.#items.splice(at, 1)[0] as T;
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`Expected ${what} within ${DEADLINE_MS} ms; waiting: ${JSON.stringify(this.#items).slice(0, 500)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}

/** One transport as the gateway sees it. */
export class PeerSocket {
  readonly #socket: WebSocket;
  readonly #frames = new Arrivals<Frame>('a frame');
  /** Everything that came, in order. */
  readonly log: Frame[] = [];
  readonly url: string;
  readonly openedAt = performance.now();
  readonly closed: Promise<number>;

  constructor(socket: WebSocket, url: string) {
    this.#socket = socket;
    this.url = url;
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      this.log.push(frame);
      this.#frames.put(frame);
      // As every gateway does: nobody waits for the other side to hang up.
      if (frame.type === 'bye') socket.close(1000);
    });
    this.closed = once(socket, 'close').then(([code]) => code as number);
  }

  send(...frames: object[]): void {
    for (const frame of frames) this.#socket.send(JSON.stringify(frame));
  }

  /** The next frame that has not been looked at. */
  next(): Promise<Frame> {
    return this.#frames.take();
  }

  /** The next frame of this type; others stay. */
  frame(type: string): Promise<Frame> {
    return this.#frames.take((f) => f.type === type, `a ${type} frame`);
  }

  /** The next frame that `matches`; others stay. */
  frameWhere(matches: (frame: Frame) => boolean, what: string): Promise<Frame> {
    return this.#frames.take(matches, what);
  }

  /** Frames that came and were not looked at. */
  get unread(): number {
    return this.#frames.length;
  }

  /** Shakes hands up to a seat and returns the hello. */
  async seat(ready: object = {}, welcome: object = {}): Promise<Frame> {
    const hello = await this.frame('hello');
    this.send({ ...WELCOME, ...welcome }, { ...READY, ...ready });
    return hello;
  }

  /** Waits until the client has read everything sent so far; no answer depends on what it does with it. */
  async settled(): Promise<void> {
    const n = 1_000_000 + this.log.length;
    this.send({ type: 'probe', n });
    await this.#frames.take((f) => f.type === 'probe-ok' && f.n === n, 'the answer to a probe');
  }

  close(code: number, reason = ''): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}

export class Peer implements AsyncDisposable {
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #arrivals = new Arrivals<PeerSocket>('a connection');
  readonly requests: IncomingMessage[] = [];
  /** Answers HTTP requests; set by the test. */
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => void response.writeHead(404).end('{}');
  /** Refuses upgrades while true, as a gateway that is down behind a proxy. */
  isDown = false;

  private constructor(http: Server) {
    this.#http = http;
    http.on('request', (request, response) => {
      this.requests.push(request);
      this.answer(request, response);
    });
    http.on('upgrade', (request, socket, head) => {
      if (this.isDown) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n');
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#arrivals.put(new PeerSocket(ws, request.url ?? '')));
    });
  }

  static async open(): Promise<Peer> {
    const http = createServer();
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    return new Peer(http);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}/v1/ws`;
  }

  /** The next transport that a client opens. */
  socket(): Promise<PeerSocket> {
    return this.#arrivals.take();
  }

  get unmet(): number {
    return this.#arrivals.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, 'close');
  }
}

/** Waits until `check` holds, looked at after every turn of the event loop. */
export async function until(check: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!check()) {
    if (Date.now() > deadline) throw new Error(`Expected within ${DEADLINE_MS} ms: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** An agent event at an offset. */
export const delta = (offset: number, text: string, run = 'run_1'): object => ({
  type: 'text_delta',
  event_id: `e${offset}`,
  thread_id: 't1',
  run_id: run,
  timestamp: '2026-01-01T00:00:00.000Z',
  message_id: 'msg_1',
  text,
});
export const completed = (run = 'run_1'): object => ({ ...delta(0, '', run), type: 'agent_completed', status: 'completed' });
export const accepted = (id: unknown, offset: number, more: object = {}): object => ({
  type: 'run-accepted',
  id,
  thread: 't1',
  run: 'run_1',
  message: 'msg_0',
  epoch: 'k3',
  offset,
  state: 'running',
  duplicate: false,
  ...more,
});

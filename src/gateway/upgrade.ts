import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { createRateLimit } from '../auth/rate-limit.ts';
import type { Transport } from '../ports/transport.ts';
import { ERROR_STATUS, type ErrorCode } from '../protocol/errors.ts';
import { BEARER_PREFIX, BOUNDS, SUBPROTOCOL } from '../protocol/frames.ts';
import { webSocketTransport } from '../transports/websocket.ts';
import { EarlyBytes } from './early-bytes.ts';
import { type Arrival, bearerIn } from './handshake.ts';
import type { Services } from './services.ts';

/** What has HTTP upgrades: `node:http` servers, and what frameworks return for them. */
export interface UpgradeSource {
  on(event: 'upgrade', listener: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): unknown;
  off(event: 'upgrade', listener: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): unknown;
}

export const SESSION_COOKIE = 'spillway_session';

/** A frame above `BOUNDS.frameBytes` gets our own answer up to here; beyond it `ws` closes with 1009. */
const PAYLOAD_MAX_BYTES = BOUNDS.frameBytes + 64 * 1024;
/** A frame that comes in crumbs costs some hundred bytes a crumb until it is whole. Links carry 500 bytes and more at a time. */
const CHUNKS_MAX = 4_096;
const FRAGMENTS_MAX = 1_024;
/** How long a peer that was told goodbye may leave its side open. An option of `ws` that its types do not know yet. */
const CLOSING = { closeTimeout: 5_000 };
const STORM_WINDOW_MS = 10_000;

/** Takes WebSocket upgrades on our path: refuses what HTTP must refuse, accepts the rest and hands it on. */
export class Upgrader {
  readonly #services: Services;
  readonly #accept: (transport: Transport, arrival: Arrival) => void;
  readonly #isDraining: () => boolean;
  readonly #overloadedForMs: () => number | null;
  readonly #storm: ReturnType<typeof createRateLimit>;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: PAYLOAD_MAX_BYTES,
    maxBufferedChunks: CHUNKS_MAX,
    maxFragments: FRAGMENTS_MAX,
    ...CLOSING,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });

  /** `overloadedForMs`: in how long it is worth trying where even the gate of this node is full; null while it is not. */
  constructor(
    services: Services,
    node: { readonly isDraining: () => boolean; readonly overloadedForMs: () => number | null },
    accept: (transport: Transport, arrival: Arrival) => void,
  ) {
    this.#services = services;
    this.#isDraining = node.isDraining;
    this.#overloadedForMs = node.overloadedForMs;
    this.#accept = accept;
    this.#storm = createRateLimit({ limit: services.options.rate.upgradesPer10s, windowMs: STORM_WINDOW_MS, clock: services.clock });
  }

  attach(source: UpgradeSource, o: { readonly prefix: string; readonly ownUpgrades: boolean }): () => void {
    const path = `${o.prefix}/v1/ws`;
    const listener = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      if (pathOf(request) === path) this.#upgrade(request, socket, head, urlOf(request));
      // Another's upgrade is never answered unless the server is ours: then nobody else would, and it would hang.
      else if (o.ownUpgrades) {
        survive(socket);
        refuse(socket, 'not-found', 'There is no WebSocket at this path.');
      }
    };
    source.on('upgrade', listener);
    return () => {
      source.off('upgrade', listener);
    };
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, url: URL | null): void {
    survive(socket);
    if (url === null) {
      refuse(socket, 'bad-request', 'Expected `Host` to name a host.');
      return;
    }
    const address = request.socket.remoteAddress ?? 'unknown';
    const origin = this.#services.origins.judge({ origin: request.headers.origin ?? null, own: url.origin });
    const protocols = (request.headers['sec-websocket-protocol'] ?? '')
      .split(',')
      .map((p) => p.trim())
      .filter((p) => p !== '');
    const stormMs = this.#storm.take(address);
    // An automatic redial costs less before the upgrade than after it; a person is always heard.
    const overloadedMs = url.searchParams.get('intent') === 'auto' ? this.#overloadedForMs() : null;
    if (this.#isDraining())
      refuse(socket, 'draining', 'This server is being stopped; another one takes over. Connect again after the time in `Retry-After`.', 1);
    else if (stormMs > 0)
      refuse(
        socket,
        'rate-limited',
        'This address connects faster than this server takes it; connect again after the time in `Retry-After`.',
        Math.ceil(stormMs / 1_000),
      );
    else if (overloadedMs !== null)
      refuse(
        socket,
        'node-overloaded',
        'This server is full, and so is its queue; connect again after the time in `Retry-After`.',
        Math.ceil((overloadedMs * (1 + this.#services.random.share() / 2)) / 1_000),
      );
    else if (origin === 'denied') refuse(socket, 'origin-denied', 'Pages of this origin may not connect here; the operator lists origins in `auth.origins`.');
    else if (protocols.length > 0 && !protocols.includes(SUBPROTOCOL))
      refuse(socket, 'bad-request', `Expected the subprotocol ${SUBPROTOCOL} among those offered.`);
    else {
      const arrival = {
        head: headOf(request, url),
        ticket: url.searchParams.get('ticket'),
        bearer: bearerIn(protocols.filter((p) => p.startsWith(BEARER_PREFIX))),
        cookie: cookieOf(request.headers.cookie ?? ''),
        origin,
        address,
      } as const;
      this.#server.handleUpgrade(request, socket, head, (ws) => {
        const transport = webSocketTransport(ws, { address, userAgent: request.headers['user-agent'] ?? '' }, socket);
        this.#accept(transport, { ...arrival, early: new EarlyBytes(socket) });
      });
    }
  }
}

/** Of the request's URL, without its query. */
export const pathOf = (request: IncomingMessage): string => (request.url ?? '/').split('?', 1)[0] as string;

/** Null where the request names no address that a web request could have. */
export function urlOf(request: IncomingMessage): URL | null {
  const scheme = 'encrypted' in request.socket ? 'https' : 'http';
  const base = `${scheme}://${request.headers.host ?? 'localhost'}`;
  if (!URL.canParse(request.url ?? '/', base)) return null;
  const url = new URL(request.url ?? '/', base);
  return url.username === '' && url.password === '' ? url : null;
}

function headOf(request: IncomingMessage, url: URL): string {
  const fields = Object.entries(request.headers).filter(([, value]) => value !== undefined);
  return JSON.stringify([url.href, fields.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value])]);
}

function cookieOf(header: string): string | null {
  for (const part of header.split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).trim() === SESSION_COOKIE) return part.slice(equals + 1).trim();
  }
  return null;
}

/** Whatever the peer does to its socket from here on concerns nobody else. */
export const survive = (socket: Duplex): unknown => socket.on('error', () => socket.destroy());

/** An HTTP answer before the upgrade. */
export function refuse(socket: Duplex, code: ErrorCode, detail: string, retryAfterS?: number): void {
  const status = ERROR_STATUS[code];
  const body = JSON.stringify({
    type: `urn:spillway:problem:${code}`,
    title: code.replaceAll('-', ' '),
    status,
    code,
    detail,
    retryable: status === 503 || status === 429,
    ...(retryAfterS === undefined ? {} : { retryAfterMs: retryAfterS * 1_000 }),
  });
  // A peer that never closes its side must not keep ours.
  socket.once('finish', () => socket.destroy());
  const retry = retryAfterS === undefined ? '' : `Retry-After: ${retryAfterS}\r\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_TEXT[status] ?? 'Error'}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nCache-Control: no-store\r\n${retry}Connection: close\r\n\r\n${body}`,
  );
}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Operators } from '../../auth/operators.ts';
import type { Options } from '../../core/options.ts';
import { LIVE_BOUNDS, LIVE_PROTOCOL, type LiveWelcome } from '../../protocol/live.ts';
import { FrameRate } from '../frame-rate.ts';
import { ADMIN_BASE } from '../http/admin/admin-routes.ts';
import { createOriginPolicy } from '../origins.ts';
import { pathOf, refuse, survive, type UpgradeSource, urlOf } from '../upgrade.ts';
import { LiveBoard } from './board.ts';
import type { LiveGround } from './ground.ts';
import { Viewer } from './viewer.ts';

/** Connections that have not shown a key yet. */
const UNKNOWN_MOST = 40;
/** A hand on a map asks who is there some times a second. */
const FRAMES_PER_10S = 300;
const CLOSE_FRAMES_PER_10S = 3_000;
/** How long a page that was told goodbye may leave its side open. An option of `ws` that its types do not know yet. */
const CLOSING = { closeTimeout: 5_000 };

/** Takes the live connections of operators' pages, and knows who watches. */
export class LiveDoor {
  readonly #prefix: string;
  readonly #operators: Operators;
  readonly #ground: LiveGround;
  readonly #board: LiveBoard;
  readonly #rates: Options;
  readonly #greeting: () => Omit<LiveWelcome, 'type' | 'role'>;
  readonly #ended: () => void;
  readonly #origins = createOriginPolicy({ allow: [] });
  readonly #unknown = new Set<Viewer>();
  readonly #viewers = new Set<Viewer>();
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: 2 * LIVE_BOUNDS.frameBytes,
    ...CLOSING,
    handleProtocols: (offered) => (offered.has(LIVE_PROTOCOL) ? LIVE_PROTOCOL : false),
  });

  constructor(
    o: { readonly prefix: string; readonly options: Options; readonly operators: Operators; readonly greeting: () => Omit<LiveWelcome, 'type' | 'role'> },
    ground: LiveGround,
    ended: () => void,
  ) {
    this.#ended = ended;
    this.#prefix = o.prefix;
    this.#operators = o.operators;
    this.#ground = ground;
    this.#board = new LiveBoard(ground);
    this.#rates = { ...o.options, rate: { ...o.options.rate, framesPer10s: FRAMES_PER_10S, closeFramesPer10s: CLOSE_FRAMES_PER_10S } };
    this.#greeting = o.greeting;
  }

  attach(source: UpgradeSource, o: { readonly ownUpgrades: boolean }): () => void {
    const path = `${this.#prefix}${ADMIN_BASE}/live`;
    const listener = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      if (pathOf(request) === path) this.#upgrade(request, socket, head);
      else if (o.ownUpgrades) {
        survive(socket);
        refuse(socket, 'not-found', `There is no WebSocket at this path; operators' pages connect to \`${path}\`.`);
      }
    };
    source.on('upgrade', listener);
    return () => {
      source.off('upgrade', listener);
    };
  }

  /** Ends all connections: the gateway stops. */
  end(): void {
    this.#ended();
    for (const viewer of [...this.#unknown, ...this.#viewers]) viewer.end();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    survive(socket);
    const url = urlOf(request);
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
    if (url === null) refuse(socket, 'bad-request', 'Expected `Host` to name a host.');
    else if (this.#origins.judge({ origin: request.headers.origin ?? null, own: url.origin }) === 'denied')
      refuse(socket, 'origin-denied', 'Only pages of this very address may ask here.');
    else if (!offered.includes(LIVE_PROTOCOL)) {
      const came = offered.join() === '' ? 'none came' : 'others came';
      refuse(socket, 'bad-request', `Expected the subprotocol ${LIVE_PROTOCOL} among those offered, ${came}.`);
    } else if (this.#unknown.size >= UNKNOWN_MOST)
      refuse(socket, 'node-overloaded', 'As many connections as may wait here without a key do so already; try again in a second.', 1);
    else this.#accept(request, socket, head);
  }

  #accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      const viewer = new Viewer(
        ws,
        {
          clock: this.#ground.clock,
          operators: this.#operators,
          admit: (one) => this.#admit(one),
          welcome: (role) => ({ type: 'welcome', role, ...this.#greeting() }),
          watch: (topic, watch) => this.#board.watch(topic, watch),
          who: (cell) => this.#board.who(cell),
          gone: (one) => {
            this.#unknown.delete(one);
            this.#viewers.delete(one);
          },
        },
        new FrameRate(this.#rates, this.#ground.clock.mono()),
      );
      this.#unknown.add(viewer);
      if (bearer !== undefined) viewer.show(bearer);
    });
  }

  #admit(viewer: Viewer): boolean {
    if (this.#viewers.size >= LIVE_BOUNDS.viewers) return false;
    this.#unknown.delete(viewer);
    this.#viewers.add(viewer);
    return true;
  }
}

import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SpillwayError } from '../protocol/errors.ts';
import type { ListenAddress } from './listen-address.ts';

/** A listener. It is open before there is a gateway, so that readiness can be asked for and says what is missing. */
export interface Listener {
  readonly server: Server;
  /** Where it really listens: the port may have been 0 or taken. */
  readonly address: ListenAddress;
  /** Says why there is no gateway yet. */
  wait(reason: string): void;
  /** Hands requests to a gateway. */
  hand(handler: RequestListener): void;
  /** Stops listening and ends what is still open. */
  close(): Promise<void>;
}

/** The option that says where a listener listens. */
type ListenKey = 'listen' | 'admin.listen';

/** Whoever has not said what it wants this long after it connected is closed, whatever it sends meanwhile. Node.js would wait for 60 s, and
 *  look only every 30 s. */
const HEADERS_MS = 10_000;
const LOOK_EVERY_MS = 1_000;

/** Opens a listener.
 *  @throws SpillwayError `SPILLWAY_PORT_IN_USE` naming the option, or `SPILLWAY_BAD_OPTION` for an address that is not ours. */
export async function openListener(key: ListenKey, wanted: ListenAddress): Promise<Listener> {
  let handler: RequestListener = waiting('The gateway is starting.');
  const bounds = { headersTimeout: HEADERS_MS, connectionsCheckingInterval: LOOK_EVERY_MS };
  const server = createServer(bounds, (request, response) => handler(request, response));
  // Among the processes of `workers` the port for people is shared; each has its own for operators.
  const failure = await listen(server, wanted, key === 'admin.listen');
  if (failure !== null) throw explained(failure, key, wanted);
  return {
    server,
    address: { host: wanted.host, port: (server.address() as AddressInfo).port },
    wait(reason) {
      handler = waiting(reason);
    },
    hand(next) {
      handler = next;
    },
    close() {
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

export interface Listeners {
  readonly public: Listener;
  /** For operators. */
  readonly admin: Listener;
}

/** How many pairs of ports after a taken one are tried. */
const NEXT_PAIRS = 40;

/** Opens both listeners or none. With `orNext`, a taken port leads to the next free pair.
 *  @throws SpillwayError as `openListener` does. */
export async function openListeners(wanted: { readonly public: ListenAddress; readonly admin: ListenAddress }, orNext: boolean): Promise<Listeners> {
  for (let step = 0; ; step += 1) {
    try {
      return await openBoth({ public: moved(wanted.public, step), admin: moved(wanted.admin, step) });
    } catch (error) {
      const isTaken = SpillwayError.is(error) && error.code === 'SPILLWAY_PORT_IN_USE';
      if (!isTaken || !orNext || step === NEXT_PAIRS) throw error;
    }
  }
}

async function openBoth(wanted: { readonly public: ListenAddress; readonly admin: ListenAddress }): Promise<Listeners> {
  const open = await openListener('listen', wanted.public);
  try {
    return { public: open, admin: await openListener('admin.listen', wanted.admin) };
  } catch (error) {
    await open.close();
    throw error;
  }
}

/** Port 0 means any free one, wherever the pair is. */
const moved = (address: ListenAddress, step: number): ListenAddress =>
  address.port === 0 ? address : { ...address, port: Math.min(address.port + step, 65_535) };

function listen(server: Server, { host, port }: ListenAddress, exclusive: boolean): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const settle = (failure: NodeJS.ErrnoException | null) => {
      server.off('error', settle);
      server.off('listening', done);
      resolve(failure);
    };
    const done = () => settle(null);
    server.once('error', settle);
    server.once('listening', done);
    server.listen({ port, exclusive, ...(host === '' ? {} : { host }) });
  });
}

function explained(failure: NodeJS.ErrnoException, key: ListenKey, { host, port }: ListenAddress): SpillwayError {
  if (failure.code === 'EADDRINUSE') {
    return new SpillwayError(
      'SPILLWAY_PORT_IN_USE',
      `Expected port ${port} of \`${key}\` to be free, but another program listens there. Stop it, or set \`${key}\` to another port.`,
      { retry: 'later', cause: failure },
    );
  }
  return new SpillwayError(
    'SPILLWAY_BAD_OPTION',
    `Expected \`${key}\` to be an address where this user may listen, got \`${host}:${port}\`: ${failure.message}`,
    {
      cause: failure,
    },
  );
}

/** The paths under which orchestrators ask, and everything else, while there is no gateway. */
function waiting(reason: string): RequestListener {
  return (request, response) => {
    request.resume();
    const path = (request.url ?? '/').split('?')[0];
    if (path === '/livez') return answer(response, 200, 'application/json', { status: 'ok', checks: [] });
    if (path === '/readyz' || path === '/startupz')
      return answer(response, 503, 'application/json', { status: 'fail', checks: [{ name: 'store', ok: false, detail: reason }] });
    answer(response, 503, 'application/problem+json', {
      type: 'urn:spillway:problem:store-unavailable',
      title: 'The gateway is not ready yet',
      status: 503,
      code: 'store-unavailable',
      retryable: true,
      retryAfterMs: 3_000,
    });
  };
}

function answer(response: ServerResponse, status: number, type: string, body: unknown): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', ...(status === 503 ? { 'retry-after': '3' } : {}) });
  response.end(JSON.stringify(body));
}

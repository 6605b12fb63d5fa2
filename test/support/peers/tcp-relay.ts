import { connect, createServer, type Socket } from 'node:net';
import { listenAnywhere } from '../ports.ts';

/** What the relay does to bytes on their way. */
export type Road =
  | { readonly is: 'clear' }
  /** Connections break, new ones too. */
  | { readonly is: 'cut' }
  /** Both directions vanish, both sockets stay: a silent firewall, a machine out of range. */
  | { readonly is: 'swallow' }
  /** Nothing more is read from the gateway: the window closes. The way to the gateway stays open. */
  | { readonly is: 'unread' }
  /** Bytes to the client come at this rate, and no faster. */
  | { readonly is: 'slow'; readonly bytesPerS: number }
  /** Each way takes this long; one chunk in ten is held, and what follows it waits behind it. */
  | { readonly is: 'shaky'; readonly delayMs: readonly [number, number]; readonly heldMs: readonly [number, number]; readonly random: () => number };

/** A TCP relay beside one client. */
export interface TcpRelay extends AsyncDisposable {
  readonly port: number;
  /** Port from which it talks to the gateway: names the connection in the kernel's table. */
  readonly upstreamPort: () => number;
  /** Bytes from the gateway that it swallowed. */
  readonly swallowed: () => number;
  /** Bytes from the client that went on to the gateway. */
  readonly sentUp: () => number;
  /** Whether both connections are still there. */
  readonly isWhole: () => boolean;
  /** From now on the road is another one. */
  become(road: Road): void;
}

/** What stays unread stays in the kernel. */
const BUFFER_BYTES = 1_024;
const SLOW_TICK_MS = 25;
const HELD_SHARE = 0.1;

export async function tcpRelay(targetPort: number, first: Road = { is: 'clear' }): Promise<TcpRelay> {
  let road = first;
  let swallowed = 0;
  let sentUp = 0;
  let upstreamPort = 0;
  let up: Socket | null = null;
  let down: Socket | null = null;
  let ticker: NodeJS.Timeout | null = null;
  const timers = new Set<NodeJS.Timeout>();
  const isLocked = (): boolean => road.is === 'swallow' || road.is === 'unread';

  /** Passes chunks on in order, each after its own delay. */
  function shaky(to: Socket): (chunk: Buffer) => void {
    let freeAt = 0;
    return (chunk) => {
      if (road.is !== 'shaky') {
        to.write(chunk);
        return;
      }
      const { delayMs, heldMs, random } = road;
      const between = ([from, upTo]: readonly [number, number]): number => from + random() * (upTo - from);
      const lateMs = between(delayMs) + (random() < HELD_SHARE ? between(heldMs) : 0);
      freeAt = Math.max(freeAt, performance.now() + lateMs);
      const timer = setTimeout(() => {
        timers.delete(timer);
        to.write(chunk);
      }, freeAt - performance.now());
      timers.add(timer);
    };
  }

  function slow(from: Socket, to: Socket, bytesPerS: number): void {
    from.pause();
    const share = Math.ceil((bytesPerS * SLOW_TICK_MS) / 1_000);
    ticker = setInterval(() => {
      const chunk = from.read(Math.min(share, from.readableLength)) as Buffer | null;
      if (chunk !== null) to.write(chunk);
    }, SLOW_TICK_MS);
  }

  const server = createServer((client) => {
    if (road.is === 'cut') {
      client.destroy();
      return;
    }
    const to = { port: targetPort, host: '127.0.0.1', highWaterMark: BUFFER_BYTES };
    const upstream = connect(to);
    up = upstream;
    upstream.once('connect', () => {
      upstreamPort = upstream.localPort ?? 0;
    });
    down = client;
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      // Ends are passed on by 'close'.
      socket.on('error', () => {});
      socket.on('close', () => {
        if (!isLocked()) other.destroy();
      });
      socket.setNoDelay(true);
    }
    const toGateway = shaky(upstream);
    const toClient = shaky(client);
    client.on('data', (chunk) => {
      if (road.is === 'swallow') return;
      sentUp += chunk.length;
      toGateway(chunk);
    });
    if (road.is === 'slow') {
      // Without a reader the stream takes only what fits its own buffer.
      upstream.on('readable', () => {});
      slow(upstream, client, road.bytesPerS);
      return;
    }
    upstream.on('data', (chunk) => {
      if (road.is === 'swallow') swallowed += chunk.length;
      else toClient(chunk);
    });
  });
  const port = await listenAnywhere(server);
  return {
    port,
    upstreamPort: () => upstreamPort,
    swallowed: () => swallowed,
    sentUp: () => sentUp,
    isWhole: () => up?.destroyed === false && down?.destroyed === false,
    become(next) {
      road = next;
      if (next.is === 'unread') up?.pause();
      if (next.is !== 'cut') return;
      up?.destroy();
      down?.destroy();
    },
    async [Symbol.asyncDispose]() {
      if (ticker) clearInterval(ticker);
      for (const timer of timers) clearTimeout(timer);
      up?.destroy();
      down?.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

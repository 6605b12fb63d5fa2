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

export interface TcpRelayOptions {
  /** Address from which it dials the gateway; default 127.0.0.1. */
  readonly localAddress?: string;
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Starts to read from the gateway as the road says now. */
  adopt(): void;
}

/** A TCP relay beside one client, which may dial again. */
export interface TcpRelay extends AsyncDisposable {
  readonly port: number;
  /** Port from which it talks to the gateway: names the connection in the kernel's table. */
  readonly upstreamPort: () => number;
  /** Ports of all connections to the gateway that are there. */
  readonly upstreamPorts: () => readonly number[];
  /** Bytes from the gateway that it swallowed. */
  readonly swallowed: () => number;
  /** Bytes from the gateway that it has taken from the kernel and not passed on. */
  readonly waiting: () => number;
  /** Bytes from the client that went on to the gateway. */
  readonly sentUp: () => number;
  /** Whether both sides of the last connection are still there. */
  readonly isWhole: () => boolean;
  /** From now on the road is another one, for connections that are there and for those that come. */
  become(road: Road): void;
}

/** What stays unread stays in the kernel. */
const BUFFER_BYTES = 1_024;
const SLOW_TICK_MS = 25;
const LATE_TICK_S = 0.25;
const HELD_SHARE = 0.1;

export async function tcpRelay(targetPort: number, first: Road = { is: 'clear' }, o: TcpRelayOptions = {}): Promise<TcpRelay> {
  let road = first;
  let swallowed = 0;
  let sentUp = 0;
  let upstreamPort = 0;
  let last: Pair | null = null;
  const pairs = new Set<Pair>();
  const timers = new Set<NodeJS.Timeout>();
  const isLocked = (): boolean => road.is === 'swallow' || road.is === 'unread';

  /** Passes chunks on in order, each after its own delay. */
  function shaky(to: Socket): (chunk: Buffer) => void {
    let freeAt = 0;
    const held: Buffer[] = [];
    return (chunk) => {
      const now = performance.now();
      let lateMs = 0;
      if (road.is === 'shaky') {
        const { delayMs, heldMs, random } = road;
        const between = ([from, upTo]: readonly [number, number]): number => from + random() * (upTo - from);
        lateMs = between(delayMs) + (random() < HELD_SHARE ? between(heldMs) : 0);
      }
      // What was held before the road became clear is still ahead.
      freeAt = Math.max(freeAt, now + lateMs);
      if (freeAt <= now && held.length === 0) {
        to.write(chunk);
        return;
      }
      held.push(chunk);
      // Timers of one instant may fire in any order; bytes may not.
      const timer = setTimeout(() => {
        timers.delete(timer);
        to.write(held.shift() as Buffer);
      }, freeAt - now);
      timers.add(timer);
    };
  }

  const server = createServer((client) => {
    if (road.is === 'cut') {
      client.destroy();
      return;
    }
    const to = { port: targetPort, host: '127.0.0.1', highWaterMark: BUFFER_BYTES, ...o };
    const upstream = connect(to);
    const toGateway = shaky(upstream);
    const toClient = shaky(client);
    let ticker: NodeJS.Timeout | undefined;

    function pass(chunk: Buffer): void {
      if (road.is === 'swallow') swallowed += chunk.length;
      else toClient(chunk);
    }
    function drip(bytesPerS: number): void {
      let owed = 0;
      let at = performance.now();
      ticker = setInterval(() => {
        const now = performance.now();
        // What nobody offered is not made up for later, but for a tick that came late.
        owed = Math.min(owed + (bytesPerS * (now - at)) / 1_000, Math.max(1, bytesPerS * LATE_TICK_S));
        at = now;
        const take = Math.min(Math.floor(owed), upstream.readableLength);
        // Reading nothing asks for more.
        const chunk = upstream.read(take) as Buffer | null;
        if (chunk === null) return;
        owed -= chunk.length;
        client.write(chunk);
      }, SLOW_TICK_MS);
    }
    const pair: Pair = {
      client,
      upstream,
      adopt() {
        clearInterval(ticker);
        upstream.off('data', pass);
        upstream.removeAllListeners('readable');
        if (road.is === 'unread') upstream.pause();
        else if (road.is === 'slow') {
          // Without a reader the stream takes only what fits its own buffer.
          upstream.on('readable', () => {});
          drip(road.bytesPerS);
        } else {
          upstream.on('data', pass);
          upstream.resume();
        }
      },
    };
    pairs.add(pair);
    last = pair;
    upstream.once('connect', () => {
      upstreamPort = upstream.localPort ?? 0;
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      // Ends are passed on by 'close'.
      socket.on('error', () => {});
      socket.on('close', () => {
        if (!isLocked()) other.destroy();
        if (!client.destroyed || !upstream.destroyed) return;
        clearInterval(ticker);
        pairs.delete(pair);
      });
      socket.setNoDelay(true);
    }
    client.on('data', (chunk) => {
      if (road.is === 'swallow') return;
      sentUp += chunk.length;
      toGateway(chunk);
    });
    pair.adopt();
  });
  const port = await listenAnywhere(server);
  return {
    port,
    upstreamPort: () => upstreamPort,
    upstreamPorts: () => [...pairs].filter(({ upstream }) => !upstream.destroyed).map(({ upstream }) => upstream.localPort ?? 0),
    swallowed: () => swallowed,
    waiting: () => [...pairs].reduce((sum, { upstream }) => sum + upstream.readableLength, 0),
    sentUp: () => sentUp,
    isWhole: () => last?.upstream.destroyed === false && last.client.destroyed === false,
    become(next) {
      const wasLocked = isLocked();
      road = next;
      for (const pair of pairs) {
        const { client, upstream } = pair;
        // A side that ended while nothing went through ends the other now.
        if (next.is === 'cut' || (wasLocked && !isLocked() && (client.destroyed || upstream.destroyed))) {
          client.destroy();
          upstream.destroy();
        } else pair.adopt();
      }
    },
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearTimeout(timer);
      for (const { client, upstream } of pairs) {
        client.destroy();
        upstream.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

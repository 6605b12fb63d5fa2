import type { ManagerId, ThreadId, UserId } from '../../../src/protocol/ids.ts';
import { Home } from './home.ts';
import { heldFrom, processState, unreadBytes, until } from './kernel.ts';
import { type DeadKind, type DeadPeer, type PeerOf, portOf, publishTo } from './peer.ts';
import { pingAnsweringProxy } from './ping-answering-proxy.ts';
import { ProvableClient } from './provable-client.ts';
import { type TcpRelay, tcpRelay } from './tcp-relay.ts';

/** Answered pings that prove that something below the page is awake. */
const PONGS_PROVE = 2;
/** A `check` is answered by the gateway and counts as nothing: bytes that are no life. */
const CHECK_EVERY_MS = 300;

const makers: Readonly<Record<DeadKind, (of: PeerOf, home?: Home) => Promise<DeadPeer>>> = {
  F02: stopped,
  F03p: silentRoad,
  F05a: proxied,
  F06a: frozenPage,
  F07: unread,
};

/** The process that clients of this kind live in, for those that shall share one; null for kinds that need none. */
export const homeOf = (kind: DeadKind): Home | null =>
  kind === 'F02' || kind === 'F05a' ? new Home('client-process.ts') : kind === 'F06a' ? new Home('page-process.ts') : null;

/** A client that works, and will break as `kind` says. Without a `home` (of `homeOf`) it has one of its own; stopped and killed
 *  ones break with their home, and so together. */
export const willBreak = (kind: DeadKind, of: PeerOf, home?: Home | null): Promise<DeadPeer> => makers[kind](of, home ?? undefined);

const identity = (of: PeerOf, manager: string) => ({ manager: manager as ManagerId, user: of.user as UserId, thread: of.thread as ThreadId });

/** A client in `shared`, or in a process of its own that ends with it. */
async function inHome(of: PeerOf, script: 'client-process.ts' | 'page-process.ts', shared: Home | undefined, url = of.gw.wsUrl) {
  const home = shared ?? new Home(script);
  const dispose = async (): Promise<void> => {
    if (shared === undefined) await home[Symbol.asyncDispose]();
  };
  try {
    const client = await home.open(url, await of.gw.token(of.user), of.thread);
    return { home, client, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Its port, if the kernel too says that it is its process's. */
function portIn(home: Home, port: number, of: PeerOf): number {
  if (!home.portsTo(portOf(of.gw)).has(port)) throw new Error(`Expected process ${home.pid} to be connected from port ${port}.`);
  return port;
}

/** F02: its process is stopped; its kernel goes on acknowledging. */
async function stopped(of: PeerOf, shared?: Home): Promise<DeadPeer> {
  const { home, client, dispose } = await inHome(of, 'client-process.ts', shared);
  const fromPort = portIn(home, client.port, of);
  let saidBefore = 0;
  return {
    kind: 'F02',
    ...identity(of, client.manager),
    fromPort: () => fromPort,
    async breaks() {
      saidBefore = home.lines.length;
      home.signal('SIGSTOP');
    },
    async proof() {
      await until('a stopped process', () => processState(home.pid) === 'T');
      return 'process state T';
    },
    async returns() {
      home.signal('SIGCONT');
      await client.said('the close', (line) => line.closed, 5_000, saidBefore);
      const said = home.lines.length;
      client.command({ return: true });
      const again = await client.said('a seat again', (line) => (line.seated === undefined ? undefined : line), 10_000, said);
      return { seat: again.seat ?? '', afterMs: again.afterMs ?? 0, applied: again.applied ?? 0 };
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** F03p: the road swallows both directions. */
async function silentRoad(of: PeerOf): Promise<DeadPeer> {
  const { relay, client, dispose } = await behindRelay(of);
  return {
    kind: 'F03p',
    ...identity(of, client.manager),
    fromPort: relay.upstreamPort,
    async breaks() {
      relay.become({ is: 'swallow' });
    },
    async proof() {
      await until('swallowed pings on whole sockets', () => relay.swallowed() > 0 && relay.isWhole());
      return `${relay.swallowed()} bytes swallowed, both sockets whole`;
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** F07: nobody reads what the gateway writes; what the client writes arrives. */
async function unread(of: PeerOf): Promise<DeadPeer> {
  const { relay, client, dispose } = await behindRelay(of);
  let checks: NodeJS.Timeout | undefined;
  let sentBefore = 0;
  return {
    kind: 'F07',
    ...identity(of, client.manager),
    fromPort: relay.upstreamPort,
    async breaks() {
      relay.become({ is: 'unread' });
      let n = 0;
      checks = setInterval(() => {
        if (client.wire.isOpen) client.wire.sendFrame({ type: 'check', n: ++n });
      }, CHECK_EVERY_MS);
      // More than a window of events of 32 KiB; what does not fit under way waits in the log.
      for (let i = 0; i < 5; i++) await publishTo(of.gw.gateway, identity(of, client.manager), 32_768);
      sentBefore = relay.sentUp();
    },
    async proof() {
      const bytes = await until('unread bytes, and bytes on the way up', () => {
        const waiting = unreadBytes(relay.upstreamPort(), portOf(of.gw));
        return relay.sentUp() > sentBefore && waiting > 0 && waiting;
      });
      return `${bytes} bytes unread, ${relay.sentUp() - sentBefore} bytes arrived at the gateway since`;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(checks);
      await dispose();
    },
  };
}

async function behindRelay(of: PeerOf): Promise<{ relay: TcpRelay; client: ProvableClient; dispose: () => Promise<void> }> {
  const relay = await tcpRelay(portOf(of.gw));
  const client = await ProvableClient.open(`ws://127.0.0.1:${relay.port}/v1/ws`, { token: await of.gw.token(of.user), thread: of.thread, label: of.thread });
  return {
    relay,
    client,
    async dispose() {
      client.wire.cut();
      await relay[Symbol.asyncDispose]();
    },
  };
}

/** F05a: a proxy goes on answering pings for a client that was killed. */
async function proxied(of: PeerOf, shared?: Home): Promise<DeadPeer> {
  const proxy = await pingAnsweringProxy(of.gw.wsUrl);
  const { home, client, dispose } = await inHome(of, 'client-process.ts', shared, `ws://127.0.0.1:${proxy.port}`);
  return {
    kind: 'F05a',
    ...identity(of, client.manager),
    fromPort: proxy.upstreamPort,
    async breaks() {
      await home.kill();
    },
    async proof() {
      await until('pongs for a client that is gone', () => proxy.isClientGone() && proxy.isUpstreamOpen() && proxy.pongsForTheDead() >= PONGS_PROVE);
      return `process gone, ${proxy.pongsForTheDead()} pings answered since`;
    },
    async [Symbol.asyncDispose]() {
      await dispose();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** F06a: the page's thread blocks; the thread that has its socket goes on answering pings. */
async function frozenPage(of: PeerOf, shared?: Home): Promise<DeadPeer> {
  const { home, client, dispose } = await inHome(of, 'page-process.ts', shared);
  const fromPort = portIn(home, client.port, of);
  return {
    kind: 'F06a',
    ...identity(of, client.manager),
    fromPort: () => fromPort,
    async breaks() {
      client.command({ freeze: true });
      await client.said('a frozen page', (line) => line.frozen);
    },
    async proof() {
      const pongs = await client.said('pongs of a frozen page', (line) => ((line.pongsWhileFrozen ?? 0) >= PONGS_PROVE ? line.pongsWhileFrozen : undefined));
      if (!heldFrom(portOf(of.gw)).has(fromPort)) throw new Error('Expected its socket to be whole.');
      return `page blocked, ${pongs} pings answered since`;
    },
    [Symbol.asyncDispose]: dispose,
  };
}

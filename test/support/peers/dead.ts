import type { ManagerId, ThreadId, UserId } from '../../../src/protocol/ids.ts';
import { Child } from './child.ts';
import { heldFrom, portOfProcess, processState, unreadBytes, until } from './kernel.ts';
import { type DeadKind, type DeadPeer, type PeerOf, portOf, publishTo } from './peer.ts';
import { pingAnsweringProxy } from './ping-answering-proxy.ts';
import { ProvableClient } from './provable-client.ts';
import { type TcpRelay, tcpRelay } from './tcp-relay.ts';

/** Answered pings that prove that something below the page is awake. */
const PONGS_PROVE = 2;
/** A `check` is answered by the gateway and counts as nothing: bytes that are no life. */
const CHECK_EVERY_MS = 300;

const makers: Readonly<Record<DeadKind, (of: PeerOf) => Promise<DeadPeer>>> = { F02: stopped, F03p: silentRoad, F05a: proxied, F06a: frozenPage, F07: unread };

/** A client that works, and will break as `kind` says. */
export const willBreak = (kind: DeadKind, of: PeerOf): Promise<DeadPeer> => makers[kind](of);

const identity = (of: PeerOf, manager: string) => ({ manager: manager as ManagerId, user: of.user as UserId, thread: of.thread as ThreadId });
const childArgs = async (of: PeerOf, url = of.gw.wsUrl): Promise<readonly string[]> => [url, await of.gw.token(of.user), of.thread, of.thread];

/** F02: its process is stopped; its kernel goes on acknowledging. */
async function stopped(of: PeerOf): Promise<DeadPeer> {
  const { child, manager } = await Child.seated('client-process.ts', await childArgs(of));
  const fromPort = portOfProcess(child.pid, portOf(of.gw));
  return {
    kind: 'F02',
    ...identity(of, manager),
    fromPort: () => fromPort,
    async breaks() {
      child.signal('SIGSTOP');
    },
    async proof() {
      await until('a stopped process', () => processState(child.pid) === 'T');
      return 'process state T';
    },
    async returns() {
      const said = child.lines.length;
      child.signal('SIGCONT');
      await child.said('the close', (line) => line.closed, 5_000, said);
      child.command('return');
      const again = await child.said('a seat again', (line) => (line.seated === undefined ? undefined : line), 10_000, said);
      return { seat: again.seat ?? '', afterMs: again.afterMs ?? 0, applied: again.applied ?? 0 };
    },
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
    },
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
async function proxied(of: PeerOf): Promise<DeadPeer> {
  const proxy = await pingAnsweringProxy(of.gw.wsUrl);
  const { child, manager } = await Child.seated('client-process.ts', await childArgs(of, `ws://127.0.0.1:${proxy.port}`));
  return {
    kind: 'F05a',
    ...identity(of, manager),
    fromPort: proxy.upstreamPort,
    async breaks() {
      await child.kill();
    },
    async proof() {
      await until('pongs for a client that is gone', () => proxy.isClientGone() && proxy.isUpstreamOpen() && proxy.pongsForTheDead() >= PONGS_PROVE);
      return `process gone, ${proxy.pongsForTheDead()} pings answered since`;
    },
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** F06a: the page's thread blocks; the worker that owns its socket goes on answering pings. */
async function frozenPage(of: PeerOf): Promise<DeadPeer> {
  const { child, manager } = await Child.seated('page-process.ts', await childArgs(of));
  const fromPort = portOfProcess(child.pid, portOf(of.gw));
  return {
    kind: 'F06a',
    ...identity(of, manager),
    fromPort: () => fromPort,
    async breaks() {
      child.command('freeze');
      await child.said('a frozen page', (line) => line.frozen);
    },
    async proof() {
      const pongs = await child.said('pongs of a frozen page', (line) => ((line.pongsWhileFrozen ?? 0) >= PONGS_PROVE ? line.pongsWhileFrozen : undefined));
      if (!heldFrom(portOf(of.gw)).has(fromPort)) throw new Error('Expected its socket to be whole.');
      return `page blocked, ${pongs} pings answered since`;
    },
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
    },
  };
}

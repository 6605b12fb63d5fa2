import type { ManagerId, ThreadId, UserId } from '../../../src/protocol/ids.ts';
import { seeded } from '../lab/seeded.ts';
import { type AliveKind, type AlivePeer, type PeerOf, portOf, publishTo } from './peer.ts';
import { ProvableClient } from './provable-client.ts';
import { type Road, type TcpRelay, tcpRelay } from './tcp-relay.ts';

/** Events of a working client; its interval shrinks with the preset `fast`. */
const PLAIN_EVERY_MS = 200;
/** What the slow reader is offered, and how fast its road is. */
const OFFERED_BYTES = 3_000;
const OFFERED_EVERY_MS = 100;
const SLOW_BYTES_PER_S = 20_000;

/** Delays of F12p under the preset `fast`: a tenth of 400 ± 200 ms, and of 1.5 to 6 s for what is held. */
const roads: Readonly<Record<AliveKind, ((seed: number) => Road) | null>> = {
  plain: null,
  F10: null,
  F08c: () => ({ is: 'slow', bytesPerS: SLOW_BYTES_PER_S }),
  F12p: (seed) => ({ is: 'shaky', delayMs: [20, 60], heldMs: [150, 600], random: seeded(seed) }),
};

/** A client that works: `plain` on a clear road; F08c reads slower than it is offered; F10 is never spoken to; F12p is on a bad
 *  mobile link. Events of its conversation begin with `offerEvents`. */
export async function working(kind: AliveKind, of: PeerOf, seed = 1): Promise<AlivePeer> {
  const road = roads[kind]?.(seed) ?? null;
  const relay: TcpRelay | null = road === null ? null : await tcpRelay(portOf(of.gw), road);
  const url = relay === null ? of.gw.wsUrl : `ws://127.0.0.1:${relay.port}/v1/ws`;
  const client = await ProvableClient.open(url, { token: await of.gw.token(of.user), thread: of.thread, label: of.thread, deadlineMs: 10_000 });
  return {
    kind,
    manager: client.manager as ManagerId,
    user: of.user as UserId,
    thread: of.thread as ThreadId,
    isOpen: () => client.wire.isOpen && client.bye === null && (relay?.isWhole() ?? true),
    async [Symbol.asyncDispose]() {
      await client.wire[Symbol.asyncDispose]();
      await relay?.[Symbol.asyncDispose]();
    },
  };
}

/** Speaks to working clients as their kinds say, until disposed of. */
export function offerEvents(gw: PeerOf['gw'], peers: readonly AlivePeer[]): Disposable {
  let failure: unknown = null;
  const timers = peers.flatMap((peer) => {
    if (peer.kind === 'F10') return [];
    const [bytes, everyMs] = peer.kind === 'F08c' ? [OFFERED_BYTES, OFFERED_EVERY_MS] : [8, PLAIN_EVERY_MS];
    return [
      setInterval(() => {
        publishTo(gw.gateway, peer, bytes).catch((error: unknown) => {
          failure ??= error;
        });
      }, everyMs),
    ];
  });
  return {
    [Symbol.dispose]() {
      for (const timer of timers) clearInterval(timer);
      if (failure !== null) throw failure;
    },
  };
}

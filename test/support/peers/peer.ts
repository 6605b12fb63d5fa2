import type { Gateway } from '../../../src/gateway/gateway.ts';
import type { ManagerId, ThreadId, UserId } from '../../../src/protocol/ids.ts';
import type { TestGateway } from '../gateway.ts';
import { until } from './kernel.ts';

/** Where a peer connects, and as whom. */
export interface PeerOf {
  readonly gw: TestGateway;
  readonly user: string;
  /** Its own conversation, and the name of its device. */
  readonly thread: string;
}

export type DeadKind = 'F02' | 'F03p' | 'F05a' | 'F06a' | 'F07';
export type AliveKind = 'plain' | 'F08c' | 'F10' | 'F12p';

/** What every peer is to a scenario. */
interface Common extends AsyncDisposable {
  readonly manager: ManagerId;
  readonly user: UserId;
  readonly thread: ThreadId;
}

/** A client that works, on whatever road. */
export interface AlivePeer extends Common {
  readonly kind: AliveKind;
  /** Whether its connection has never ended. */
  readonly isOpen: () => boolean;
}

/** A client that works until it `breaks`. */
export interface DeadPeer extends Common {
  readonly kind: DeadKind;
  /** Port from which its connection comes to the gateway. */
  readonly fromPort: () => number;
  /** Breaks it for good. */
  breaks(): Promise<void>;
  /** Resolves to what shows that it is broken as its kind says; rejects if nothing does. */
  proof(): Promise<string>;
  /** Lets a stopped client run again, and its person use it (`F02` alone). */
  readonly returns?: () => Promise<{ readonly seat: string; readonly afterMs: number; readonly applied: number }>;
}

/** Port of a test gateway. */
export const portOf = (gw: TestGateway): number => Number(new URL(gw.url).port);

/** Logs one event in a peer's conversation; `bytes` of text. */
export async function publishTo(gateway: Gateway, peer: Pick<Common, 'user' | 'thread'>, bytes = 8): Promise<number> {
  const position = await gateway.publish(peer.user, peer.thread, { type: 'text_delta', message_id: `msg_${'0'.repeat(20)}`, text: 'x'.repeat(bytes) });
  return position.offset;
}

/** Publishes an event and waits until the peer's application has acknowledged it: so it works now. */
export async function handlesAnEvent(gateway: Gateway, peer: Common): Promise<void> {
  const offset = await publishTo(gateway, peer);
  await until(`${peer.thread} to acknowledge offset ${offset}`, () => (gateway.factory.find(peer.manager)?.acknowledged(peer.thread)?.offset ?? 0) >= offset);
}

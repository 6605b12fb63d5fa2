import type { Intent } from '../../src/protocol/frames.ts';
import type { ManagerId, ThreadId, UserId } from '../../src/protocol/ids.ts';
import type { Visibility } from '../../src/protocol/messages.ts';
import type { SimulatedClient } from './client.ts';
import type { Path } from './network.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { VirtualConnection } from './virtual-transport.ts';

/** What a page is like while nothing is wrong with it. */
export interface ClientTraits {
  readonly name: string;
  readonly user: UserId;
  readonly thread: ThreadId;
  readonly path: Path;
  /** The longest round trip on it. */
  readonly rttMs: number;
  /** Milliseconds the application takes for a frame; 0: it takes them as they come. */
  readonly frameMs: number;
  /** A page in the background that runs for a moment only this often, milliseconds; null: always. */
  readonly wakesEveryMs: number | null;
  /** Whether a closing handshake of the gateway is ever answered. */
  readonly answersCloses: boolean;
}

/** What it shows when it dials. */
export interface Hello {
  readonly intent: Intent;
  readonly visibility: Visibility;
  readonly resume: { readonly manager: ManagerId; readonly serial: number } | null;
  readonly promise: string | null;
}

/** What a client asks of the world it lives in. */
export interface ClientWorld {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly options: { readonly ack: { readonly frames: number; readonly bytes: number; readonly ms: number }; readonly clientTimeoutMs: number };
  /** The gateway's door hears of a connection. */
  dialed(client: SimulatedClient, connection: VirtualConnection, hello: Hello): void;
  /** Events of a stream were handed to the application. */
  applied(client: SimulatedClient, from: number, to: number, data: unknown): void;
  violated(invariant: string, detail: string): void;
  trace(what: () => string): void;
}

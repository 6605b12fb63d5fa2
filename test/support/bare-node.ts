import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import type { PartialOptions } from '../../src/core/options.ts';
import type { Admission, AdmissionRequest } from '../../src/managers/admission/admission.ts';
import type { FactoryEvents } from '../../src/managers/events.ts';
import { WebSocketManagerFactory } from '../../src/managers/factory.ts';
import { newId, systemRandom } from '../../src/ports/random.ts';
import type { Store } from '../../src/ports/store.ts';
import type { LogRecord } from '../../src/ports/telemetry.ts';
import type { Transport } from '../../src/ports/transport.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { webSocketTransport } from '../../src/transports/websocket.ts';
import { listenAnywhere } from './ports.ts';
import { WireClient, type WireOptions } from './wire-client.ts';

/** A client's own end and what the factory made of it. */
export interface Session {
  readonly client: WireClient;
  readonly admission: Admission;
  readonly transport: Transport;
}

/** A factory behind a plain WebSocket server, without gateway and log-in. */
export interface BareNode extends AsyncDisposable {
  readonly factory: WebSocketManagerFactory;
  readonly records: readonly LogRecord[];
  /** Everything of this name that the factory told. */
  told<N extends keyof FactoryEvents>(name: N): readonly FactoryEvents[N][];
  /** Connects a client of `user` and asks for a seat on its transport, as `wrap` hands it on. */
  connect(user: string, o?: { readonly wrap?: (transport: Transport) => Transport; readonly wire?: WireOptions } & AdmissionRequest): Promise<Session>;
}

export async function bareNode(options: PartialOptions & { readonly store?: Store; readonly node?: string } = {}): Promise<BareNode> {
  const records: LogRecord[] = [];
  const { store = memoryStore(), ...rest } = options;
  const factory = new WebSocketManagerFactory({ ...rest, store, telemetry: { record: (record) => records.push(record) } });
  const events = new Map<keyof FactoryEvents, unknown[]>();
  for (const name of ['admission-ended', 'cleanup-finished', 'manager-ended', 'transport-quarantined', 'eviction-regret'] as const) {
    const list: unknown[] = [];
    events.set(name, list);
    factory.on(name, (event) => list.push(event));
  }
  const http = createServer();
  const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  let next: (transport: Transport) => void = () => {};
  http.on('upgrade', (request, socket, head) => {
    wss.handleUpgrade(request, socket, head, (webSocket) => next(webSocketTransport(webSocket, { address: '127.0.0.1', userAgent: 'test' }, socket)));
  });
  const port = await listenAnywhere(http);
  const clients: WireClient[] = [];

  return {
    factory,
    records,
    told: <N extends keyof FactoryEvents>(name: N) => (events.get(name) ?? []) as FactoryEvents[N][],
    async connect(user, { wrap = (transport: Transport) => transport, wire = {}, ...request } = {}) {
      const upgraded = new Promise<Transport>((resolve) => {
        next = resolve;
      });
      const client = await WireClient.open(`ws://127.0.0.1:${port}/`, { protocols: [], ...wire });
      clients.push(client);
      const transport = wrap(await upgraded);
      const who = { userId: user as UserId, tier: 'free', requestId: newId(systemRandom, 'run'), websocketClientId: 'test' } as const;
      return { client, transport, admission: await factory.createManager(who, { ...request, transport }) };
    },
    async [Symbol.asyncDispose]() {
      await factory[Symbol.asyncDispose]();
      for (const socket of wss.clients) socket.terminate();
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** The same transport, with some of it replaced. */
export function withChanges(transport: Transport, change: Partial<Transport>): Transport {
  const same: Transport = {
    class: transport.class,
    peer: transport.peer,
    get unsentBytes() {
      return transport.unsentBytes;
    },
    send: (messages) => transport.send(messages),
    ping: (nonce) => transport.ping(nonce),
    pause: () => transport.pause(),
    resume: () => transport.resume(),
    end: (code, reason) => transport.end(code, reason),
    terminate: () => transport.terminate(),
    listen: (listener) => transport.listen(listener),
  };
  return Object.defineProperties(same, Object.getOwnPropertyDescriptors(change)) as Transport;
}

const LOOK_EVERY_MS = 10;

/** Waits until `look` finds something; fails after `withinMs`. */
export async function eventually<T>(
  what: string,
  look: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  withinMs = 5_000,
): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > until) throw new Error(`Expected ${what} within ${withinMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

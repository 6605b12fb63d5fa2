import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Agent, GatewayOptions, Store } from 'spillway';
import type { Peer, PeerOptions } from './peer.ts';

/** The gateway as an application mounts it, with its defaults; its agent says what the load gives it. */
export async function spillwayPeer(options: PeerOptions): Promise<Peer> {
  const root = options.root ?? fileURLToPath(new URL('../..', import.meta.url));
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  const library = <T>(name: string): Promise<T> => import(pathToFileURL(join(root, manifest.exports[name]?.default ?? '')).href) as Promise<T>;
  const { createGateway, jwtAuthenticator, memoryStore } = await library<typeof import('spillway')>('.');

  const feeds: Feed[] = [];
  const feedOf = (index: number): Feed => (feeds[index] ??= new Feed());
  const indexOf = (user: string): number => Number(user.slice('user-'.length));
  const feedAgent: Agent = { codec: 'agent-events', name: 'bench', run: ({ userId, signal }) => feedOf(indexOf(userId)).events(signal) };

  const gateway = createGateway({
    authenticate: jwtAuthenticator({ secret: options.secret }),
    agent: options.duty === 'echo' ? echoAgent : feedAgent,
    store: options.logFile === null ? memoryStore() : await fileStore(library, options.logFile),
  } satisfies GatewayOptions);
  const server = createServer(gateway.handler);
  gateway.attach(server);

  return {
    versions: { spillway: manifest.version },
    start: () => new Promise((resolve) => server.listen(0, '127.0.0.1', 4_096, () => resolve((server.address() as AddressInfo).port))),
    send: (index, text) => feedOf(index).push(text),
    acts: {
      /** Ends every run. Resolves when all ends are logged. */
      async endRuns() {
        for (const feed of feeds) feed?.end();
        await gateway.factory.streams.settled();
      },
      /** Resolves when all that was said is in the log. */
      settled: () => gateway.factory.streams.settled(),
      /** Evicts everybody, as an operator would. Resolves to how many went. */
      async evictAll() {
        let evicted = 0;
        for (const { id } of [...gateway.factory.all()]) if (await gateway.factory.evict(id, { reason: 'admin-evicted', by: null })) evicted++;
        return evicted;
      },
      status: () => {
        const seats = [...gateway.factory.all()];
        return { seats: seats.length, attached: seats.filter((manager) => manager.attachment !== null).length, queued: gateway.factory.queue().length };
      },
    },
  };
}

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, { readonly default?: string }>>;
}

async function fileStore(library: <T>(name: string) => Promise<T>, file: string): Promise<Store> {
  const { sqliteStore } = await library<typeof import('spillway/sqlite')>('./sqlite');
  return sqliteStore({ file });
}

/** What one run has still to say. */
class Feed {
  #texts: string[] = [];
  #ended = false;
  #wake: () => void = () => {};

  push(text: string): void {
    this.#texts.push(text);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *events(signal: AbortSignal): ReturnType<Agent['run']> {
    while (!signal.aborted) {
      const texts = this.#texts;
      this.#texts = [];
      for (const text of texts) yield { type: 'text_delta', text };
      if (this.#ended && this.#texts.length === 0) return;
      if (this.#texts.length === 0)
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

const echoAgent: Agent = {
  codec: 'agent-events',
  name: 'echo',
  async *run({ messages }) {
    yield { type: 'agent_started', agent_name: 'echo' };
    const text = messages.at(-1)?.parts.map((part) => (part.type === 'text' ? part.text : ''))[0] ?? '';
    yield { type: 'text_delta', text };
    yield { type: 'agent_completed', status: 'completed' };
  },
};

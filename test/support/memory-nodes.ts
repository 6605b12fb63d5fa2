/** Several gateways of this process that share one store in memory, each a node; any of them can be cut off from the store, as if its
 *  process or its network were gone. */

import type { GatewayOptions } from '../../src/gateway/gateway-options.ts';
import type { NodeLife } from '../../src/ports/cluster.ts';
import type { Store } from '../../src/ports/store.ts';
import { SpillwayError } from '../../src/protocol/errors.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { startGateway, type TestGateway } from './gateway.ts';

/** One node's way to the store. */
export class StoreCable {
  readonly store: Store;
  readonly #shared: Store;
  #isCut = false;
  #life: NodeLife | null = null;

  /** `isDeaf`: no news of conversations are heard. `lettersLateMs`: how much later letters arrive. */
  constructor(shared: Store, o: { readonly isDeaf?: boolean; readonly lettersLateMs?: number } = {}) {
    this.#shared = shared;
    const { cluster } = shared;
    if (cluster === null) throw new Error('Expected a store that several nodes may share.');
    this.store = {
      kind: shared.kind,
      cluster: {
        beat: (card, ttlMs) => {
          this.#life = { node: card.node, incarnation: card.incarnation };
          return this.#pass(() => cluster.beat(card, ttlMs));
        },
        leave: (life) => this.#pass(() => cluster.leave(life)),
        post: (to, letter) => this.#pass(() => cluster.post(to, letter)),
        agree: (name, proposal) => this.#pass(() => cluster.agree(name, proposal)),
        seatBook: (clock, random) => cluster.seatBook(clock, random),
        receive: (node, read) =>
          cluster.receive(node, (letter) => {
            const arrive = (): void => {
              if (!this.#isCut) read(letter);
            };
            if (o.lettersLateMs === undefined) arrive();
            else setTimeout(arrive, o.lettersLateMs);
          }),
      },
      seats: this.#part(shared.seats),
      log: this.#part(shared.log, o),
      threads: this.#part(shared.threads),
      credentials: this.#part(shared.credentials),
      health: () => this.#pass(() => shared.health()),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  /** Nothing reaches the store any more, nor comes from it. */
  cut(): void {
    this.#isCut = true;
  }

  /** Cuts it, and the store forgets the node at once, as it does by itself some seconds later. */
  async die(): Promise<void> {
    this.cut();
    if (this.#life !== null) await this.#shared.cluster?.leave(this.#life);
  }

  mend(): void {
    this.#isCut = false;
  }

  async #pass<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isCut) throw new SpillwayError('SPILLWAY_STORE_UNAVAILABLE', 'The store cannot be reached.', { retry: 'later' });
    const answer = await call();
    // What had its effect and whose answer was on its way when the cable was cut.
    if (this.#isCut) throw new SpillwayError('SPILLWAY_STORE_UNAVAILABLE', 'The store cannot be reached.', { retry: 'later' });
    return answer;
  }

  #part<T extends object>(port: T, o: { readonly isDeaf?: boolean } = {}): T {
    return new Proxy(port, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as unknown;
        if (typeof method !== 'function') return method;
        if (name === 'watch')
          return (key: unknown, changed: (seen: unknown) => void): unknown =>
            method.call(target, key, (seen: unknown) => {
              if (!this.#isCut && o.isDeaf !== true) changed(seen);
            });
        return (...args: unknown[]) => this.#pass(() => method.apply(target, args) as Promise<unknown>);
      },
    });
  }
}

export interface MemoryNode extends TestGateway {
  readonly cable: StoreCable;
}

/** Starts nodes `gw-1`, `gw-2`, … on one store. `options`: of each, by its index from 0. */
export async function startNodes(
  count: number,
  options: (index: number) => Partial<GatewayOptions> = () => ({}),
): Promise<
  {
    readonly nodes: readonly MemoryNode[];
    readonly store: Store;
    start(options: Partial<GatewayOptions>, cable?: StoreCable): Promise<MemoryNode>;
  } & AsyncDisposable
> {
  const store = memoryStore({ cluster: true });
  const nodes: MemoryNode[] = [];
  const start = async (o: Partial<GatewayOptions>, cable = new StoreCable(store)): Promise<MemoryNode> => {
    const node = Object.assign(await startGateway({ store: cable.store, ...o }), { cable });
    nodes.push(node);
    await node.gateway.recovered;
    return node;
  };
  for (let i = 0; i < count; i++) await start({ node: `gw-${i + 1}`, ...options(i) });
  return {
    nodes,
    store,
    start,
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
    },
  };
}

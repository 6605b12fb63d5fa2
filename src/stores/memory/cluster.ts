import type { Clock } from '../../ports/clock.ts';
import type { Beat, ClusterStore, Letter, NodeCard, NodeLife } from '../../ports/cluster.ts';
import { type Random, systemRandom } from '../../ports/random.ts';
import { type NodeId, spellRandom } from '../../protocol/ids.ts';
import { createSeatBook } from '../seats.ts';
import { createStoreClock } from '../store-clock.ts';

const EPOCH_LENGTH = 16;

/** Nodes of one process that share a `memoryStore`: the reference of what a `ClusterStore` does. */
export class MemoryCluster implements ClusterStore {
  readonly seatBook = createSeatBook;
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #epoch: string;
  readonly #cards = new Map<NodeId, { readonly card: NodeCard; readonly until: number }>();
  readonly #agreed = new Map<string, string>();
  readonly #readers = new Map<NodeId, Set<(letter: Letter) => void>>();

  constructor(clock: Clock, random: Random = systemRandom) {
    this.#clock = clock;
    this.#now = createStoreClock(clock);
    this.#epoch = spellRandom(random.bytes(EPOCH_LENGTH), EPOCH_LENGTH);
  }

  async beat(card: NodeCard, ttlMs: number): Promise<Beat> {
    const now = this.#now();
    this.#cards.set(card.node, { card, until: now + ttlMs });
    for (const [node, { until }] of this.#cards) if (until <= now) this.#cards.delete(node);
    return { epoch: this.#epoch, now, nodes: [...this.#cards.values()].map((known) => known.card) };
  }

  async leave(life: NodeLife): Promise<void> {
    if (this.#cards.get(life.node)?.card.incarnation === life.incarnation) this.#cards.delete(life.node);
  }

  async agree(name: string, proposal: string): Promise<string> {
    const kept = this.#agreed.get(name) ?? proposal;
    this.#agreed.set(name, kept);
    return kept;
  }

  async post(to: NodeId, letter: Letter): Promise<void> {
    // Read in a later turn, as over a network; who has stopped reading by then reads it no more.
    this.#clock.soon(() => {
      for (const read of this.#readers.get(to) ?? []) read(letter);
    });
  }

  receive(node: NodeId, read: (letter: Letter) => void): () => void {
    const readers = this.#readers.get(node) ?? new Set();
    this.#readers.set(node, readers);
    // One and the same function may read twice.
    const own = (letter: Letter): void => read(letter);
    readers.add(own);
    return () => {
      readers.delete(own);
      if (readers.size === 0 && this.#readers.get(node) === readers) this.#readers.delete(node);
    };
  }
}

import type { Clock } from '../../ports/clock.ts';
import type { ClusterStore, NodeCard, NodeLife } from '../../ports/cluster.ts';
import type { AskedKind, AskOutcome, LetterBody, LetterHandler, LetterKind, ToldKind } from '../../ports/node-letters.ts';
import type { Random } from '../../ports/random.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { NodeId } from '../../protocol/ids.ts';
import { type KnownNode, type NodeStanding, Nodes, type Regained } from './nodes.ts';
import { Post } from './post.ts';

interface ClusterDeps {
  readonly life: NodeLife;
  readonly cluster: ClusterStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Version of Spillway, as this node tells it. */
  readonly version: string;
  /** Seats held here. */
  managers(): number;
}

/** The nodes that share a store, as one of them sees and reaches them. */
export class Cluster {
  readonly #deps: ClusterDeps;
  readonly #startedAt: number;
  readonly #nodes: Nodes;
  readonly #post: Post;
  readonly #joined = new Set<(card: NodeCard) => void>();
  readonly #died = new Set<(life: NodeLife) => void>();
  readonly #regained = new Set<(why: Regained) => void>();
  readonly #lost = new Set<(detail: string) => void>();
  /** Our first beat is over. */
  #hasGreeted = false;
  #isDraining = false;
  #hasLeft = false;

  constructor(deps: ClusterDeps) {
    this.#deps = deps;
    const { life, cluster, clock, random, telemetry } = deps;
    this.#startedAt = clock.wall();
    this.#nodes = new Nodes(
      { cluster, clock, telemetry, card: () => this.#card() },
      {
        joined: (card) => {
          // Who was there before we came hears of us.
          if (!this.#hasGreeted) void this.#post.tell(card.node, 'joined', {});
          this.#call(this.#joined, card);
        },
        first: () => {
          this.#hasGreeted = true;
        },
        died: (dead) => {
          telemetry.record({ severity: 'WARNING', event: 'node-died', message: `Node ${dead.node} is gone; its seats count no more.`, node: dead.node });
          this.#call(this.#died, dead);
        },
        regained: (why) => this.#call(this.#regained, why),
        lost: (detail) => this.#call(this.#lost, detail),
      },
    );
    this.#post = new Post({ life, cluster, clock, random, telemetry, storeNow: () => this.#nodes.storeNow() });
    this.#post.handle('same-name', ({ startedAt }, from) => this.#namesake(startedAt, from));
    this.#post.handle('joined', () => this.#nodes.beat());
    this.#post.handle('leaving', (_body, from) => this.#nodes.drained(from));
    // Whoever lives under our name hears of us; so do we, and know ourselves.
    void this.#post.tell(life.node, 'same-name', { startedAt: this.#startedAt });
  }

  #card(): NodeCard {
    const { life, version } = this.#deps;
    return { ...life, version, startedAt: this.#startedAt, managers: this.#deps.managers(), isDraining: this.#isDraining };
  }

  // ---- who is there

  /** Which of the nodes this one is. */
  get life(): NodeLife {
    return this.#deps.life;
  }

  /** All nodes that are known, this one first. */
  nodes(): readonly KnownNode[] {
    return this.#nodes.all;
  }

  /** Whether a later process has this node's name, so that other lives of that name are not over. */
  get isReplaced(): boolean {
    return this.#nodes.isReplaced;
  }

  /** How many nodes live, this one among them, as far as it is known. */
  get living(): number {
    return this.#nodes.living;
  }

  /** The life that a name has now; null for a name that is not known. */
  lifeOf(node: NodeId): NodeLife | null {
    return this.#nodes.lifeOf(node);
  }

  /** Whether that life still runs. `dead` is said only with proof. */
  standing(life: NodeLife): NodeStanding {
    return this.#nodes.standing(life);
  }

  /** The store's clock, as far as it is known. */
  storeNow(): number | null {
    return this.#nodes.storeNow();
  }

  /** Calls `listener` for each life that is heard of for the first time, or again after it was dead. Returns the undo. */
  onJoin(listener: (card: NodeCard) => void): () => void {
    return listening(this.#joined, listener);
  }

  /** Calls `listener` once for each life that was known and is over, at most 6.5 s after a crash. Returns the undo. */
  onDeath(listener: (life: NodeLife) => void): () => void {
    return listening(this.#died, listener);
  }

  /** Calls `listener` when the store answers again after it did not (`back`), has lost all its data (`epoch`), or has a clock that stepped
   *  (`clock`): what is kept alive there is renewed at once. Returns the undo. */
  onRegained(listener: (why: Regained) => void): () => void {
    return listening(this.#regained, listener);
  }

  /** Calls `listener` once for each time in which the store answers nothing any more, after about two periods of a beat. Returns the undo. */
  onLost(listener: (detail: string) => void): () => void {
    return listening(this.#lost, listener);
  }

  /** Tells the others, with the next beat and at once, that this node takes nobody in any more. */
  draining(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    void this.#nodes.beat();
  }

  // ---- letters

  /** Answers questions of a kind, or hears messages of it. Returns the undo. */
  handle<K extends LetterKind>(kind: K, handler: LetterHandler<K>): () => void {
    return this.#post.handle(kind, handler);
  }

  /** Asks a node, which may be this one, and waits at most `withinMs`. Never rejects. */
  ask<K extends AskedKind>(node: NodeId, kind: K, body: LetterBody<K>, withinMs: number): Promise<AskOutcome<K>> {
    return this.#post.ask(node, kind, body, withinMs);
  }

  /** Tells a node, which may be this one. Resolves to whether the letter is in its box. Never rejects. */
  tell<K extends ToldKind>(node: NodeId, kind: K, body: LetterBody<K>): Promise<boolean> {
    return this.#post.tell(node, kind, body);
  }

  // ---- our name

  #namesake(startedAt: number, from: NodeLife): void {
    const { life, telemetry } = this.#deps;
    if (from.node !== life.node || from.incarnation === life.incarnation || this.#hasLeft) return;
    const isLater = startedAt > this.#startedAt || (startedAt === this.#startedAt && from.incarnation > life.incarnation);
    telemetry.record({
      severity: 'ERROR',
      event: 'node-name-taken',
      message: `Another process lives under the name ${life.node}${isLater ? ' and keeps it, since it started later: to the other nodes this one is dead' : ''}. Give each node a name of its own.`,
      node: life.node,
    });
    if (isLater) this.#nodes.replaced();
    else void this.#post.tell(life.node, 'same-name', { startedAt: this.#startedAt });
  }

  #call<T>(listeners: ReadonlySet<(value: T) => void>, value: T): void {
    for (const listener of [...listeners]) {
      try {
        listener(value);
      } catch (error) {
        this.#deps.telemetry.record({ severity: 'ERROR', event: 'listener-failed', message: String(error) });
      }
    }
  }

  /** Leaves: no letters any more, and the others need not wait for the end of this node's key. Never rejects. */
  async leave(): Promise<void> {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    if (this.#isDraining) {
      const others = this.#nodes.all.filter(({ card, standing }) => card.node !== this.life.node && standing !== 'dead');
      await Promise.all(others.map(({ card }) => this.#post.tell(card.node, 'leaving', {})));
    }
    this.#post.stop();
    await this.#nodes.leave();
  }
}

function listening<T>(listeners: Set<(value: T) => void>, listener: (value: T) => void): () => void {
  const own = (value: T): void => listener(value);
  listeners.add(own);
  return () => {
    listeners.delete(own);
  };
}

import type { Cluster } from '../managers/cluster/cluster.ts';
import type { Clock } from '../ports/clock.ts';
import type { NodeLife } from '../ports/cluster.ts';
import type { Random } from '../ports/random.ts';
import type { WriterToken } from '../ports/store.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { NodeId } from '../protocol/ids.ts';
import type { HeldElsewhere } from '../streams/sharing.ts';

/** How long a way is looked for: longer than it takes to know that a node is dead. */
const PATIENCE_MS = 10_000;
/** How long another node may take to answer, until it is judged again. */
const ASK_WITHIN_MS = 5_000;
/** Until the same is tried once more, at most. */
const AGAIN_WITHIN_MS = 50;

/** Something that only the node that has a thread can do. */
export interface Deed<T> {
  /** Does it here, unless another node has the thread. `seize`: the token of one that is dead. */
  here(seize?: WriterToken): Promise<T | HeldElsewhere>;
  /** Has it done there. Null: it did not answer, or has not got the thread any more. */
  there(node: NodeId, withinMs: number): Promise<T | null>;
  /** No node did it in time; whether it will still be done, nobody knows. */
  gaveUp(): T;
}

/** Finds the node that has a thread, which may change at any time. */
export class Anywhere {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(cluster: Cluster, clock: Clock, random: Random) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#random = random;
  }

  /** Whether a life is over: proven dead, or an earlier one of this very node. */
  isOver(life: NodeLife): boolean {
    const own = this.#cluster.life;
    const isEarlier = life.node === own.node && life.incarnation !== own.incarnation && !this.#cluster.isReplaced;
    return this.#cluster.standing(life) === 'dead' || isEarlier;
  }

  /** Does it wherever the thread is. Rejects as `here` does, but for another writer that comes between: it is tried again then. */
  async do<T>(deed: Deed<T>): Promise<T> {
    const until = this.#clock.mono() + PATIENCE_MS;
    let seize: WriterToken | undefined;
    for (;;) {
      const answer = await this.here(() => deed.here(seize), until);
      if (!isHeld(answer)) return answer;
      seize = this.isOver(answer.by) ? answer.token : undefined;
      if (seize !== undefined) continue;
      const leftMs = until - this.#clock.mono();
      if (leftMs <= 0) return deed.gaveUp();
      const said = await this.#unlessDead(answer.by, deed.there(answer.by.node, Math.min(leftMs, ASK_WITHIN_MS)));
      if (said !== null) return said;
      await this.#pause();
    }
  }

  /** Does `work`, again where another writer came between. */
  async here<T>(work: () => Promise<T>, until = this.#clock.mono() + ASK_WITHIN_MS): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isBetween(error) || this.#clock.mono() >= until) throw error;
        await this.#pause();
      }
    }
  }

  /** Null at once when that node's death is proven: it will not answer any more. */
  #unlessDead<T>(life: NodeLife, asked: Promise<T | null>): Promise<T | null> {
    return new Promise((resolve, reject) => {
      const undo = this.#cluster.onDeath((dead) => {
        if (dead.node === life.node && dead.incarnation === life.incarnation) resolve(null);
      });
      asked.then(resolve, reject).finally(undo);
    });
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#clock.after(AGAIN_WITHIN_MS * (0.2 + 0.8 * this.#random.share()), resolve));
  }
}

const isHeld = <T>(answer: T | HeldElsewhere): answer is HeldElsewhere => typeof answer === 'object' && answer !== null && 'by' in answer && 'token' in answer;

/** Another writer took the stream over while something was on its way to it. */
const isBetween = (error: unknown): boolean => SpillwayError.is(error) && error.code === 'SPILLWAY_STORE_BROKEN' && error.retry === 'now';

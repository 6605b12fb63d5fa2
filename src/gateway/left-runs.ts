import type { Cluster } from '../managers/cluster/cluster.ts';
import type { Clock } from '../ports/clock.ts';
import type { NodeLife } from '../ports/cluster.ts';
import type { Random } from '../ports/random.ts';
import type { RunRecord, Store, StreamKey } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { HeldElsewhere } from '../streams/sharing.ts';
import { inTurns } from './in-turns.ts';
import { nameOf } from './thread-name.ts';

/** After a death every node waits up to this long, so that not all of them take over the same runs at once. */
const SPREAD_MS = 1_000;
/** How often runs are looked for that nobody has, whatever was missed. */
const SWEEP_EVERY_MS = 60_000;
/** How soon a search that failed, or a node that could not be judged, is looked at again. */
const AGAIN_MS = 1_000;
/** Threads that are taken over at a time. */
const AT_ONCE = 4;

export interface LeftRunsDeps {
  readonly cluster: Cluster;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Takes a thread over if the life that has it is over. Not null: another life has it, as far as is known. */
  takeOver(key: StreamKey): Promise<HeldElsewhere | null>;
  standing(life: NodeLife): 'alive' | 'silent' | 'dead';
}

/** Finds the runs of nodes that are gone, and has them taken over: what ran gets its end, what waited its turn. The first node that
 *  claims a thread has it. */
export class LeftRuns implements Disposable {
  readonly #deps: LeftRunsDeps;
  /** Threads of lives that are neither known to live nor proven dead; null: of nobody, but they could not be taken over. */
  readonly #undecided = new Map<string, { readonly key: StreamKey; readonly by: NodeLife | null }>();
  readonly #stopHearing: () => void;
  #cancelSweep: () => void = () => {};
  #cancelAgain: (() => void) | null = null;
  #isEnded = false;

  constructor(deps: LeftRunsDeps) {
    this.#deps = deps;
    this.#stopHearing = deps.cluster.onDeath(() => this.#later(SPREAD_MS * deps.random.share()));
    this.#armSweep();
  }

  #armSweep(): void {
    this.#cancelSweep = this.#deps.clock.after(SWEEP_EVERY_MS * (0.8 + 0.4 * this.#deps.random.share()), () => {
      this.#later(0);
      this.#armSweep();
    });
  }

  /** Searches in `delayMs`, and again until the store answers. */
  #later(delayMs: number): void {
    if (this.#isEnded) return;
    this.#deps.clock.after(delayMs, () => {
      if (this.#isEnded) return;
      this.search().catch((error: unknown) => {
        this.#deps.telemetry.record({ severity: 'ERROR', event: 'recovery-failed', message: `Interrupted runs could not be looked up yet: ${String(error)}` });
        this.#later(AGAIN_MS);
      });
    });
  }

  /** Looks for runs whose node is not known to live, and takes over those of dead ones. Rejects while the store cannot be asked; a thread
   *  that alone makes trouble is looked at again by itself. */
  async search(): Promise<void> {
    const { cluster, store, random } = this.#deps;
    const open = await store.threads.openRuns(null);
    const living = new Set(cluster.nodes().flatMap(({ card, standing }, i) => (i > 0 && standing === 'alive' ? [card.node] : [])));
    // Also those under our own name: they may be of an earlier life. Our own are known at a glance.
    const left = new Map(open.flatMap((run) => (living.has(run.node) ? [] : [[nameOf(run), keyOf(run)] as const])));
    // Each node in an order of its own, so that they share the work.
    const keys = [...left.values()].map((key) => [random.share(), key] as const).sort(([a], [b]) => a - b);
    await inTurns(keys, AT_ONCE, ([, key]) => this.#take(key));
  }

  async #take(key: StreamKey): Promise<void> {
    if (this.#isEnded) return;
    const name = nameOf(key);
    try {
      const held = await this.#deps.takeOver(key);
      if (held === null || this.#deps.standing(held.by) === 'alive') this.#undecided.delete(name);
      else this.#decideLater(name, key, held.by);
    } catch (error) {
      this.#deps.telemetry.record({
        severity: 'ERROR',
        event: 'recovery-failed',
        message: `The interrupted runs of a conversation have no end yet: ${error instanceof Error ? error.message : String(error)}`,
      });
      this.#decideLater(name, key, null);
    }
  }

  #decideLater(name: string, key: StreamKey, by: NodeLife | null): void {
    this.#undecided.set(name, { key, by });
    this.#cancelAgain ??= this.#deps.clock.after(AGAIN_MS, () => {
      this.#cancelAgain = null;
      void this.#decide();
    });
  }

  /** Never rejects: `#take` tells of what fails. */
  async #decide(): Promise<void> {
    const { standing } = this.#deps;
    const due: StreamKey[] = [];
    for (const [name, { key, by }] of [...this.#undecided]) {
      const stands = by === null ? 'dead' : standing(by);
      if (stands === 'alive') this.#undecided.delete(name);
      else if (stands === 'dead') due.push(key);
      else this.#decideLater(name, key, by);
    }
    await inTurns(due, AT_ONCE, (key) => this.#take(key));
  }

  [Symbol.dispose](): void {
    this.#isEnded = true;
    this.#stopHearing();
    this.#cancelSweep();
    this.#cancelAgain?.();
  }
}

const keyOf = ({ user, thread }: RunRecord): StreamKey => ({ user, thread });

import { type Mono, mono } from '../../core/clocks.ts';
import { judgeNode } from '../../core/lease.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Beat, ClusterStore, NodeCard, NodeLife } from '../../ports/cluster.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { NodeId } from '../../protocol/ids.ts';

/** How often a node tells that it lives. */
const BEAT_EVERY_MS = 1_500;
/** Beats that fail in a row when the store counts as lost. */
const MISSED_BEATS = 2;
/** A difference of two looks at the store's clock that no delay explains. */
const CLOCK_STEP_MS = 1_000;
/** How long the others believe it. */
const CARD_TTL_MS = 5_000;
/** A node of which nothing has been seen for this long after its death is forgotten. */
const FORGET_AFTER_MS = 10 * 60_000;
const STRANGERS_REMEMBERED = 1_000;

/** `silent`: its key is not there, but the store cannot be believed yet. `dead`: it is proven. */
export type NodeStanding = 'alive' | 'silent' | 'dead';

/** A node as it is known here. */
export interface KnownNode {
  readonly card: NodeCard;
  readonly standing: NodeStanding;
  /** Milliseconds since its card was seen last. */
  readonly seenMsAgo: number;
}

interface Known {
  card: NodeCard;
  seenAt: Mono;
  isDead: boolean;
}

export interface NodesDeps {
  readonly cluster: ClusterStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** What this node tells of itself. */
  card(): NodeCard;
}

/** `back`: the store answers again after a failure; `epoch`: its data set is another one; `clock`: its clock has stepped, so that what
 *  should have lived on may have ended. */
export type Regained = 'back' | 'epoch' | 'clock';

/** What a node can be told of the others. */
export interface NodeListeners {
  /** A life that was not known before. */
  joined(card: NodeCard): void;
  /** The first beat was answered, and whoever it found was told of. */
  first(): void;
  /** A life that was known is over: crashed, stalled for longer than its key lives, or left. Told once. */
  died(life: NodeLife): void;
  regained(why: Regained): void;
  /** The store has answered no beat for two periods. */
  lost(detail: string): void;
}

/** Tells the others that this node lives, and knows who else does. */
export class Nodes {
  readonly #deps: NodesDeps;
  readonly #listeners: NodeListeners;
  /** The latest life of each name. */
  readonly #known = new Map<NodeId, Known>();
  /** Lives whose name another one has by now, and of which nothing has been told yet. */
  #former: NodeLife[] = [];
  readonly #self: NodeLife;
  #epoch: string | null = null;
  /** Since when the store has answered every beat with one and the same data set; null while it does not. */
  #stableSince: Mono | null = null;
  #storeOffset: number | null = null;
  #seenAt: Mono | null = null;
  /** When the last beat that was answered had begun. */
  #askedAt: Mono | null = null;
  /** Lives that were asked for and are not known, and when that was first. */
  readonly #strangers = new Map<string, Mono>();
  /** Beats in a row that failed. */
  #missed = 0;
  #running: Promise<void> = Promise.resolve();
  /** The beat that begins when the running one has ended. */
  #waiting: Promise<void> | null = null;
  #cancel: () => void = () => {};
  #isStopped = false;
  #isReplaced = false;

  constructor(deps: NodesDeps, listeners: NodeListeners) {
    this.#deps = deps;
    this.#listeners = listeners;
    const { node, incarnation } = deps.card();
    this.#self = { node, incarnation };
    this.#next(0);
  }

  // ---- who is there

  /** All nodes that are known, this one among them. */
  get all(): readonly KnownNode[] {
    const now = this.#now();
    const others = [...this.#known.values()].map(({ card, seenAt }) => ({ card, standing: this.standing(card), seenMsAgo: Math.round(now - seenAt) }));
    return [{ card: this.#deps.card(), standing: 'alive', seenMsAgo: 0 }, ...others];
  }

  /** How many nodes live, this one among them, as far as it is known; at least 1. */
  get living(): number {
    let living = 1;
    for (const { isDead } of this.#known.values()) if (!isDead) living++;
    return living;
  }

  /** The life that a name has now, as far as it is known. */
  lifeOf(node: NodeId): NodeLife | null {
    if (node === this.#self.node) return this.#self;
    const known = this.#known.get(node);
    return known === undefined ? null : { node, incarnation: known.card.incarnation };
  }

  /** Whether that life still runs, also of one that was never met: that may have begun since the last beat, so it is dead only if a
   *  later beat does not find it. While the store does not answer, nobody is dead who was not before. */
  standing(life: NodeLife): NodeStanding {
    const { node, incarnation } = life;
    if (node === this.#self.node && incarnation === this.#self.incarnation) return 'alive';
    const known = this.#known.get(node);
    if (known?.isDead === true && known.card.incarnation === incarnation) return 'dead';
    if (known?.card.incarnation !== incarnation && node !== this.#self.node && !this.#isLookedFor(incarnation)) return 'silent';
    const present = node === this.#self.node ? this.#self.incarnation : known !== undefined && known.seenAt === this.#seenAt ? known.card.incarnation : null;
    // Cards that a store told before it was lost prove nothing now.
    if (this.#stableSince === null) return 'silent';
    return judgeNode(
      { key: present === null ? 'absent' : 'present', incarnation: present, epochStableMs: (this.#seenAt ?? 0) - this.#stableSince },
      incarnation,
    );
  }

  /** Whether a beat that began after a life was first asked for has ended. */
  #isLookedFor(incarnation: string): boolean {
    const heardAt = this.#strangers.get(incarnation);
    if (heardAt !== undefined) return this.#askedAt !== null && this.#askedAt > heardAt;
    this.#strangers.set(incarnation, this.#now());
    for (const oldest of this.#strangers.keys()) {
      if (this.#strangers.size <= STRANGERS_REMEMBERED) break;
      this.#strangers.delete(oldest);
    }
    return false;
  }

  /** That life has moved its clients away, whatever its card said when it was seen last. */
  drained({ node, incarnation }: NodeLife): void {
    const known = this.#known.get(node);
    if (known?.card.incarnation === incarnation) known.card = { ...known.card, isDraining: true };
  }

  /** The store's clock, as the last beat told it. */
  storeNow(): number | null {
    return this.#storeOffset === null ? null : this.#now() + this.#storeOffset;
  }

  // ---- beats

  #now(): Mono {
    return mono(this.#deps.clock.mono());
  }

  #next(delayMs: number): void {
    if (this.#isStopped || this.#isReplaced) return;
    this.#cancel = this.#deps.clock.after(delayMs, () => {
      const startedAt = this.#now();
      // However long the store takes: the next beat is due one period after this one began.
      const again = (): void => this.#next(Math.max(0, BEAT_EVERY_MS - (this.#now() - startedAt)));
      this.beat().then(again, again);
    });
  }

  /** One beat, out of turn too, after one that is under way: what a later one found is never overruled by an earlier one. Never rejects. */
  beat(): Promise<void> {
    this.#waiting ??= this.#running.then(() => {
      this.#waiting = null;
      this.#running = this.#beat();
      return this.#running;
    });
    return this.#waiting;
  }

  async #beat(): Promise<void> {
    // It would take the name back from whoever has it now, or live on after its end.
    if (this.#isStopped || this.#isReplaced) return;
    const askedAt = this.#now();
    try {
      const beat = await this.#deps.cluster.beat(this.#deps.card(), CARD_TTL_MS);
      this.#missed = 0;
      if (!this.#isStopped) this.#take(beat, askedAt);
    } catch (error) {
      this.#stableSince = null;
      if (++this.#missed === MISSED_BEATS && !this.#isStopped) this.#tell(() => this.#listeners.lost(String(error)));
    }
  }

  #take(beat: Beat, askedAt: Mono): void {
    const now = this.#now();
    const isOther = this.#epoch !== null && beat.epoch !== this.#epoch;
    const isFirst = this.#epoch === null;
    const isBack = !isFirst && this.#stableSince === null;
    this.#epoch = beat.epoch;
    const offset = beat.now - (askedAt + now) / 2;
    const hasStepped = this.#storeOffset !== null && Math.abs(offset - this.#storeOffset) > CLOCK_STEP_MS;
    this.#seenAt = now;
    this.#askedAt = askedAt;
    this.#storeOffset = offset;
    // A clock that stepped ends the keys of nodes that live.
    if (isOther || hasStepped || this.#stableSince === null) this.#stableSince = now;
    for (const card of beat.nodes) if (card.node !== this.#self.node) this.#meet(card, now);
    this.#bury(now);
    if (isFirst) this.#tell(() => this.#listeners.first());
    if (isOther || isBack || hasStepped) this.#tell(() => this.#listeners.regained(isOther ? 'epoch' : isBack ? 'back' : 'clock'));
  }

  #meet(card: NodeCard, now: Mono): void {
    const known = this.#known.get(card.node);
    if (known?.card.incarnation === card.incarnation) {
      const wasDead = known.isDead;
      this.#known.set(card.node, { card, seenAt: now, isDead: false });
      // It stalled for longer than its key lives: it was dead for the others, and lives.
      if (wasDead) this.#tell(() => this.#listeners.joined(card));
      return;
    }
    if (known !== undefined && !known.isDead) {
      this.#former.push(lifeIn(known.card));
      this.#strangers.set(known.card.incarnation, known.seenAt);
    }
    this.#known.set(card.node, { card, seenAt: now, isDead: false });
    this.#tell(() => this.#listeners.joined(card));
  }

  #bury(now: Mono): void {
    const over = this.#former.filter((life) => this.standing(life) === 'dead');
    this.#former = this.#former.filter((life) => !over.includes(life));
    for (const life of over) this.#tell(() => this.#listeners.died(life));
    for (const [node, known] of this.#known) {
      if (known.isDead) {
        if (now - known.seenAt > FORGET_AFTER_MS) this.#known.delete(node);
      } else if (this.standing(known.card) === 'dead') {
        known.isDead = true;
        this.#tell(() => this.#listeners.died(lifeIn(known.card)));
      }
    }
  }

  #tell(say: () => void): void {
    try {
      say();
    } catch (error) {
      this.#deps.telemetry.record({ severity: 'ERROR', event: 'listener-failed', message: String(error) });
    }
  }

  // ---- the end

  /** Whether another life has our name. */
  get isReplaced(): boolean {
    return this.#isReplaced;
  }

  /** Another life has our name. Whoever started later keeps it: this one tells nobody any more that it lives, so that the others do
   *  not see two lives take turns. It serves on. */
  replaced(): void {
    this.#isReplaced = true;
    // It hears no more of others either: nobody is dead for it.
    this.#stableSince = null;
    this.#cancel();
  }

  /** Ends beating and tells the others that this node is gone. Never rejects. */
  async leave(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    // A store that cannot be asked forgets the card by itself.
    await this.#deps.cluster.leave(this.#self).catch(() => {});
  }
}

const lifeIn = ({ node, incarnation }: NodeCard): NodeLife => ({ node, incarnation });

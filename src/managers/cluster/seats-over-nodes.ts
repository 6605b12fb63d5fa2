import { planCleanup } from '../../core/cleanup.ts';
import { lingerMs } from '../../core/levels.ts';
import type { NodeLife } from '../../ports/cluster.ts';
import type { LetterAnswer, LetterBody } from '../../ports/node-letters.ts';
import type { SeatFacts } from '../../ports/store.ts';
import type { ManagerId, UserId } from '../../protocol/ids.ts';
import { ambiguousHere, probeRound } from '../admission/probe-round.ts';
import { evict, partFrom } from '../cleanup/evict.ts';
import type { Context } from '../context.ts';
import type { VictimRecord } from '../events.ts';
import type { Cluster } from './cluster.ts';
import type { Digests } from './digests.ts';

/** Other nodes hear of more or fewer seats of a user at most once in this time. */
const TELL_EVERY_MS = 1_000;
/** The end of a seat whose holder has not arrived here is remembered so long: the letter may be faster than the store's own answer. */
const EARLY_MS = 5_000;
const EARLY_REMEMBERED = 1_000;

interface SeatsDeps {
  readonly digests: Digests;
  /** Whether that manager waits in its user's queue here. */
  waits(user: UserId, manager: ManagerId): boolean;
  /** Whether anybody of the user does. */
  waitsAnybody(user: UserId): boolean;
  /** Seats of a user changed elsewhere. */
  changed(user: UserId): void;
}

/** What the nodes that hold seats of one user ask and tell each other: to ask applications, to give up managers, and that something has
 *  changed. */
export class SeatsOverNodes {
  readonly #context: Context;
  readonly #cluster: Cluster;
  readonly #deps: SeatsDeps;
  readonly #undo: readonly (() => void)[];
  /** Whose change is told soon, and when one was told last. */
  readonly #telling = new Map<UserId, () => void>();
  readonly #toldAt = new Map<UserId, number>();
  readonly #freed = new Set<UserId>();
  /** Each ends the one before. */
  #looks = 0;
  readonly #early = new Map<ManagerId, { readonly body: LetterBody<'evicted'>; readonly until: number }>();

  constructor(context: Context, cluster: Cluster, deps: SeatsDeps) {
    this.#context = context;
    this.#cluster = cluster;
    this.#deps = deps;
    this.#undo = [
      cluster.handle('evict', (body) => this.#evict(body)),
      cluster.handle('evicted', (body) => this.#evicted(body)),
      cluster.handle('probe', (body) => this.#probe(body)),
      cluster.handle('seats-changed', (body) => this.#changedElsewhere(body)),
      cluster.onDeath((life) => this.#died(life)),
      context.events.on('manager-seated', ({ managerId }) => this.#arrived(managerId)),
    ];
  }

  // ---- what others ask

  /** By what is seen here and now: who gave a sign of life since the asker was told is spared. Not in the user's lane: two nodes that ask
   *  each other must not wait for each other. */
  async #evict({ user, level, trigger, p, label, detail, managers }: LetterBody<'evict'>): Promise<LetterAnswer<'evict'>> {
    const { registry, options } = this.#context;
    const victims: VictimRecord[] = [];
    for (const { manager: id, token } of managers) {
      const manager = registry.find(id);
      if (manager?.leaving) await manager.leaving;
      const seen = manager?.candidate() ?? null;
      if (seen === null || seen.token !== token || seen.userId !== user) continue;
      const plan = planCleanup({ level, need: 1, liveMax: 1, p, trigger, userId: user, requester: null, candidates: [seen] }, options);
      const victim = plan.victims[0];
      if (victim === undefined) continue;
      const record = await evict(this.#context, victim, { level, label, isAsked: true, ...(detail === undefined ? {} : { detail }) });
      if (record !== null) victims.push(record);
    }
    return { victims };
  }

  async #evicted(body: LetterBody<'evicted'>): Promise<void> {
    const { registry, options } = this.#context;
    const { user, manager: id, token, level, reason, label, detail } = body;
    const manager = registry.find(id);
    if (manager?.leaving) await manager.leaving;
    if (manager === undefined || manager.seat === null || manager.seat.token < token) {
      this.#remember(body);
      return;
    }
    const seen = manager.candidate();
    if (seen === null || seen.token !== token || seen.userId !== user) return;
    const { verdict, version } = seen;
    const victim = { managerId: id, version, token, verdict, reason, lingerMs: verdict.proof ? 0 : lingerMs(level, options) };
    partFrom(this.#context, manager, victim, { level, label, ...(detail === undefined ? {} : { detail }) });
  }

  #remember(body: LetterBody<'evicted'>): void {
    const now = this.#context.mono();
    for (const [id, { until }] of this.#early) if (until <= now || this.#early.size >= EARLY_REMEMBERED) this.#early.delete(id);
    this.#early.set(body.manager, { body, until: now + EARLY_MS });
  }

  /** After whoever seated it has finished. */
  #arrived(id: ManagerId): void {
    const early = this.#early.get(id);
    if (early === undefined) return;
    this.#early.delete(id);
    const { clock, mono } = this.#context;
    if (early.until > mono() && this.#context.registry.find(id)?.seat?.token === early.body.token)
      clock.soon(() => this.#guarded(this.#evicted(early.body), early.body.user));
  }

  async #probe({ user, deadlineMs }: LetterBody<'probe'>): Promise<LetterAnswer<'probe'>> {
    const asked = await probeRound(this.#context, ambiguousHere(this.#context, user), deadlineMs);
    await this.#deps.digests.tell([user]);
    return { asked };
  }

  // ---- what others are told

  /** Seats of a user changed here: the other nodes that hold some learn it, so that they look after it as near its limit as it is. */
  changed(user: UserId): void {
    if (this.#telling.has(user) || this.#context.elsewhere.count(user) === 0) return;
    const { clock, mono } = this.#context;
    const waitMs = Math.max(0, (this.#toldAt.get(user) ?? Number.NEGATIVE_INFINITY) + TELL_EVERY_MS - mono());
    this.#telling.set(
      user,
      clock.after(waitMs, () => {
        this.#telling.delete(user);
        this.#toldAt.delete(user);
        this.#toldAt.set(user, mono());
        for (const [other, at] of this.#toldAt) {
          if (mono() - at < TELL_EVERY_MS) break;
          this.#toldAt.delete(other);
        }
        this.#tell(user, this.#context.elsewhere.nodesOf(user), false);
      }),
    );
  }

  /** The store gave a seat back. Where its head waits elsewhere, all nodes hear of it: nobody knows at which it waits. */
  freed(user: UserId, { tickets }: SeatFacts): void {
    const head = tickets[0];
    if (head === undefined || this.#freed.has(user) || this.#deps.waits(user, head.id)) return;
    this.#freed.add(user);
    this.#context.clock.soon(() => {
      this.#freed.delete(user);
      const living = this.#cluster.nodes().filter(({ card, standing }) => standing === 'alive' && card.node !== this.#context.node);
      this.#tell(
        user,
        living.map(({ card }) => card.node),
        true,
      );
    });
  }

  /** The store was not asked for a while, and letters got lost: what users who are here hold elsewhere is asked for anew, and where that is
   *  news all hear of it. One after the other, so that the store is not asked about everybody at once. Rejects if it does not answer. */
  async lookAgain(): Promise<void> {
    const { registry, elsewhere, store, seatLimits, cutOff } = this.#context;
    const look = ++this.#looks;
    for (const user of [...registry.users]) {
      if (look !== this.#looks || cutOff?.isCutOff === true) return;
      if (registry.of(user).size === 0) continue;
      const before = elsewhere.count(user);
      await store.seats.facts(user, seatLimits);
      if (elsewhere.count(user) !== before) this.#context.changed(user);
    }
  }

  #tell(user: UserId, nodes: readonly LetterNode[], freed: boolean): void {
    for (const node of nodes) void this.#cluster.tell(node, 'seats-changed', { user, freed });
  }

  async #changedElsewhere({ user, freed }: LetterBody<'seats-changed'>): Promise<void> {
    const { registry, store, seatLimits } = this.#context;
    if (registry.of(user).size === 0 && !this.#deps.waitsAnybody(user)) return;
    // Whoever waits looks at the store itself.
    if (!freed) await store.seats.facts(user, seatLimits);
    this.#deps.changed(user);
  }

  /** The seats that it held may be taken now. Whoever waits is served first; the others are told one by one, so that the store is not
   *  asked about everybody at once. */
  #died(life: NodeLife): void {
    const users = [...this.#context.elsewhere.usersOf(life)];
    const isWaited = (user: UserId): boolean => this.#deps.waitsAnybody(user);
    for (const user of users.filter(isWaited)) this.#deps.changed(user);
    for (const [i, user] of users.filter((other) => !isWaited(other)).entries()) this.#context.clock.after(i, () => this.#deps.changed(user));
  }

  #guarded(work: Promise<void>, user: UserId): void {
    work.catch((error: unknown) => this.#context.telemetry.record({ severity: 'WARNING', event: 'letter-failed', message: String(error), user }));
  }

  stop(): void {
    this.#looks++;
    for (const undo of this.#undo) undo();
    for (const cancel of this.#telling.values()) cancel();
    this.#telling.clear();
  }
}

type LetterNode = NodeLife['node'];

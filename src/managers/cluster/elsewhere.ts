import { type Breaker, CLOSED, stepBreaker } from '../../core/breaker.ts';
import type { Attentive, Mono } from '../../core/clocks.ts';
import type { Options } from '../../core/options.ts';
import { type Owner, standIn } from '../../core/stand-in.ts';
import type { Candidate } from '../../core/victims.ts';
import type { NodeLife } from '../../ports/cluster.ts';
import type { SeatDigest, SeatFacts } from '../../ports/store.ts';
import type { ManagerId, NodeId, UserId } from '../../protocol/ids.ts';
import type { Cluster } from './cluster.ts';

/** A node that left a question without an answer is asked nothing for this long; who fails again and again, for longer. */
const SILENT_FOR_MS = 1_000;
/** What was told of a user who has nobody here is forgotten after this time. */
const FORGET_AFTER_MS = 60_000;
/** Users whose own seats are remembered as the store told them last: more than are looked at side by side. */
const OWN_REMEMBERED = 1_000;

/** A seat that another process holds. */
export interface SeatElsewhere {
  readonly digest: SeatDigest;
  readonly owner: Owner;
}

interface Known {
  readonly digests: readonly SeatDigest[];
  /** The store's clock when it told them, and ours. */
  readonly storeNow: number;
  readonly at: Mono;
}

interface Hearing {
  readonly breaker: Breaker;
  readonly silentUntil: Mono;
}

interface ElsewhereDeps {
  readonly life: NodeLife;
  /** Null on a store of one process: nothing is elsewhere then. */
  readonly cluster: Pick<Cluster, 'standing' | 'isReplaced'> | null;
  readonly options: Options;
  now(): Attentive;
  mono(): Mono;
  /** Whether somebody of the user is here. */
  isHere(user: UserId): boolean;
  /** A user has more or fewer seats elsewhere. */
  changed(user: UserId): void;
}

/** The seats of users that other nodes hold, as the store's answers told last: each of them is noted on its way, so that whoever has just
 *  asked the store decides from what it said. */
export class Elsewhere {
  readonly #deps: ElsewhereDeps;
  readonly #known = new Map<UserId, Known>();
  readonly #hearings = new Map<NodeId, Hearing>();
  /** Tokens of the seats that this node holds, by user; the latest last. */
  readonly #ours = new Map<UserId, readonly number[]>();
  #sweep = this.#known.entries();

  constructor(deps: ElsewhereDeps) {
    this.#deps = deps;
  }

  /** What the store answered about a user. */
  note(user: UserId, { seats, now }: SeatFacts): void {
    const { cluster, life, mono, changed } = this.#deps;
    if (cluster === null) return;
    const before = this.count(user);
    const isOurs = ({ incarnation, node }: SeatDigest): boolean => incarnation === life.incarnation && node === life.node;
    const digests = seats.filter((digest) => !isOurs(digest));
    this.#remember(user, seats.filter(isOurs));
    if (digests.length === 0) this.#known.delete(user);
    else this.#known.set(user, { digests, storeNow: now, at: mono() });
    this.#visitNext();
    if (before !== digests.length) changed(user);
  }

  #remember(user: UserId, own: readonly SeatDigest[]): void {
    this.#ours.delete(user);
    this.#ours.set(
      user,
      own.map(({ token }) => token),
    );
    for (const oldest of this.#ours.keys()) {
      if (this.#ours.size <= OWN_REMEMBERED) break;
      this.#ours.delete(oldest);
    }
  }

  /** Whether the store's latest answer about a user leaves it open that a manager of this node holds its seat. One that it did not name has
   *  lost its seat to another node, which is on its way to tell, or will be put back: either way it is not ours to give. */
  mayHold(user: UserId, token: number): boolean {
    return this.#ours.get(user)?.includes(token) ?? true;
  }

  /** Each note looks at one user, so that nobody is remembered for ever. */
  #visitNext(): void {
    const next = this.#sweep.next();
    if (next.done === true) {
      this.#sweep = this.#known.entries();
      return;
    }
    const [user, { at }] = next.value;
    if (this.#deps.mono() - at > FORGET_AFTER_MS && !this.#deps.isHere(user)) this.#known.delete(user);
  }

  // ---- who is there

  /** Seats that the user holds elsewhere, the dead ones too. */
  count(user: UserId): number {
    return this.#known.get(user)?.digests.length ?? 0;
  }

  /** Of them: dead by proof. */
  dead(user: UserId): number {
    return this.count(user) === 0 ? 0 : this.candidates(user).filter(({ verdict }) => verdict.proof).length;
  }

  of(user: UserId): readonly SeatElsewhere[] {
    return this.#known.get(user)?.digests.map((digest) => ({ digest, owner: this.#ownerOf(digest) })) ?? [];
  }

  find(user: UserId, manager: ManagerId): SeatElsewhere | null {
    return this.of(user).find(({ digest }) => digest.manager === manager) ?? null;
  }

  /** As a plan here sees them now. */
  candidates(user: UserId): readonly Candidate[] {
    const known = this.#known.get(user);
    if (known === undefined) return [];
    const { options, now, mono } = this.#deps;
    const storeNow = known.storeNow + (mono() - known.at);
    return known.digests.map((digest) => {
      const told = { ...digest, toldAgoMs: storeNow - digest.toldAt, seatedAgoMs: storeNow - digest.seatedAt };
      return standIn(user, told, this.#ownerOf(digest), options, now());
    });
  }

  /** How long ago the digest of a manager was told. */
  toldAgoMs(user: UserId, { toldAt }: SeatDigest): number {
    const known = this.#known.get(user);
    return known === undefined ? 0 : known.storeNow + (this.#deps.mono() - known.at) - toldAt;
  }

  /** The living nodes that hold seats of the user. */
  nodesOf(user: UserId): readonly NodeId[] {
    const nodes = new Set<NodeId>();
    for (const { digest, owner } of this.of(user)) if (owner !== 'dead') nodes.add(digest.node);
    return [...nodes];
  }

  /** Users that have a seat in this life of a node, as far as it is known. */
  usersOf(life: NodeLife): readonly UserId[] {
    return [...this.#known].filter(([, { digests }]) => digests.some((d) => d.node === life.node && d.incarnation === life.incarnation)).map(([user]) => user);
  }

  #ownerOf({ node, incarnation }: SeatDigest): Owner {
    const { cluster, life } = this.#deps;
    if (cluster === null) return 'dead';
    // What an earlier life of this node held, nobody holds; of a later one, which has our name, nothing is known.
    if (node === life.node) return cluster.isReplaced ? 'silent' : 'dead';
    const standing = cluster.standing({ node, incarnation });
    if (standing === 'alive') return this.#isSilent(node) ? 'silent' : 'answering';
    return standing;
  }

  // ---- who answers

  #isSilent(node: NodeId): boolean {
    const hearing = this.#hearings.get(node);
    if (hearing === undefined) return false;
    const now = this.#deps.mono();
    return now < hearing.silentUntil || stepBreaker(hearing.breaker, 'tick', now).is === 'open';
  }

  /** How a question to a node ended. Who left it without an answer is unknown for a while. */
  heard(node: NodeId, did: 'answer' | 'silent'): void {
    const now = this.#deps.mono();
    const before = this.#hearings.get(node);
    if (did === 'answer' && before === undefined) return;
    const breaker = stepBreaker(stepBreaker(before?.breaker ?? CLOSED, 'tick', now), did === 'answer' ? 'success' : 'failure', now);
    if (breaker.is === 'closed' && breaker.failures.length === 0) this.#hearings.delete(node);
    else this.#hearings.set(node, { breaker, silentUntil: did === 'answer' ? now : ((now + SILENT_FOR_MS) as Mono) });
  }
}

/** `here` and what stands for those that other nodes hold. Of a manager that is known at both ends for a moment, since it was taken over,
 *  the newer seat counts. */
export function withElsewhere(
  { elsewhere }: { readonly elsewhere: Pick<Elsewhere, 'candidates'> },
  user: UserId,
  here: readonly Candidate[],
): readonly Candidate[] {
  const there = elsewhere.candidates(user);
  if (there.length === 0) return here;
  const newest = new Map<ManagerId, number>();
  for (const { managerId, token } of [...here, ...there]) newest.set(managerId, Math.max(token, newest.get(managerId) ?? 0));
  return [...here, ...there].filter(({ managerId, token }) => newest.get(managerId) === token);
}

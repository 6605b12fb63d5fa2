import { nowMs } from '../support/lab/time.ts';
import type { FaultGateway } from './fault-gateway.ts';
import { heldBy, keyOf } from './kernel-table.ts';
import type { Subject } from './row.ts';

/** The three instants of a fault, in milliseconds of this process; null: not yet. */
interface Instants {
  readonly injectedAt: number;
  noticedAt: number | null;
  /** As the gateway said it: `zombie`, `inactive` or how its seat ended, with the reason. */
  noticed: string | null;
  socketReleasedAt: number | null;
  seatReleasedAt: number | null;
  /** First seen as `suspect`. */
  suspectAt: number | null;
  /** The gateway once said that it could not tell because it hardly ran itself. */
  wasSelfSlow: boolean;
}

/** A client that is about to break. */
export interface Aim {
  readonly subject: Subject;
  readonly manager: string | null;
  readonly sockets: readonly string[];
  /** Of its user, when the fault was injected. */
  readonly effective: number;
}

export interface Watched extends Aim, Instants {}

const LOOK_EVERY_MS = 200;
/** A gateway that is stopped on purpose answers later. */
const ANSWER_WITHIN_MS = 120_000;

/** How a client ends its own session, or an operator does. */
const BY_THEMSELVES = new Set(['client-closed', 'parked', 'user-freed', 'admin-evicted', 'superseded']);
/** The connection ended, by whomever: no opinion of the gateway. */
const LOST = 'transport-lost';

const SELF_SLOW = 'self-slow';

interface ManagerLine {
  readonly managerId: string;
  readonly verdict: string;
  readonly reason: string;
}

/** Looks at the gateway's admin API and at the kernel every 200 ms and notes when each fault was noticed and what it held was given back. */
export class Watcher implements AsyncDisposable {
  readonly watched: Watched[] = [];
  /** Managers of which the gateway said that they are dead though their connection had not ended by itself, with what it said first. */
  readonly accused = new Map<string, string>();
  /** When it said so. */
  readonly accusedAt = new Map<string, number>();
  readonly #gateway: FaultGateway;
  readonly #stopped = new AbortController();
  readonly #loop: Promise<void>;
  #cursor: string | null = null;

  constructor(gateway: FaultGateway) {
    this.#gateway = gateway;
    this.#loop = this.#run();
  }

  /** What it will be asked about once it breaks. Call it before. */
  async aim(subject: Subject): Promise<Aim> {
    const user = await this.#gateway.admin(`users/${encodeURIComponent(subject.user)}`);
    const sockets = subject.sockets().map(keyOf);
    if (subject.manager() !== null && sockets.length === 0) throw new Error(`Expected ${subject.thread} to have a connection before it breaks, it has none.`);
    return { subject, manager: subject.manager(), sockets, effective: user?.effective ?? 0 };
  }

  /** From now on this fault is looked for, which was injected at `injectedAt`. */
  watch(aim: Aim, injectedAt: number): Watched {
    const watched: Watched = {
      ...aim,
      // Who is no manager yet has dialled with the fault.
      sockets: aim.manager === null ? aim.subject.sockets().map(keyOf) : aim.sockets,
      injectedAt,
      noticedAt: null,
      noticed: null,
      socketReleasedAt: null,
      seatReleasedAt: null,
      suspectAt: null,
      wasSelfSlow: false,
    };
    this.watched.push(watched);
    return watched;
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const startedAt = nowMs();
      try {
        if (this.#gateway.isRunning) await this.#look();
      } catch (error) {
        // It is being killed or restarted: the next look tells.
        if (this.#gateway.isRunning && !(error instanceof TypeError)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(10, startedAt + LOOK_EVERY_MS - nowMs())));
    }
  }

  async #look(): Promise<void> {
    const [zombies, inactive, suspects, unknown] = await Promise.all(
      (['zombie', 'inactive', 'suspect', 'unknown'] as const).map((verdict) => this.#managers(verdict)),
    );
    const dead = new Map<string, string>();
    const ended = new Set<string>();
    for (const { managerId, reason } of await this.#endedManagers()) {
      if (BY_THEMSELVES.has(reason)) continue;
      dead.set(managerId, `ended: ${reason}`);
      ended.add(managerId);
    }
    for (const { managerId, verdict, reason } of [...(zombies ?? []), ...(inactive ?? [])]) dead.set(managerId, `${verdict}: ${reason}`);
    const at = nowMs();
    for (const [manager, what] of dead) {
      if (what.endsWith(`: ${LOST}`) || this.accused.has(manager)) continue;
      this.accused.set(manager, what);
      this.accusedAt.set(manager, at);
    }
    const suspected = new Set((suspects ?? []).map(({ managerId }) => managerId));
    const unsure = new Set((unknown ?? []).filter(({ reason }) => reason === SELF_SLOW).map(({ managerId }) => managerId));
    const open = this.watched.filter((one) => one.socketReleasedAt === null || one.seatReleasedAt === null);
    if (open.length === 0) return;
    const held = heldBy(this.#gateway.pid, this.#gateway.port);
    for (const one of open) {
      if (one.manager !== null && suspected.has(one.manager)) one.suspectAt ??= at;
      if (one.manager !== null && unsure.has(one.manager)) one.wasSelfSlow = true;
      const said = one.manager === null ? undefined : dead.get(one.manager);
      if (said !== undefined && one.noticedAt === null) {
        one.noticedAt = at;
        one.noticed = said;
      }
      if (one.socketReleasedAt === null && !one.sockets.some((socket) => held.has(socket))) one.socketReleasedAt = at;
      // Who never said hello has no seat to give back: it is noticed by being closed.
      if (one.manager === null && one.socketReleasedAt !== null) {
        one.noticedAt ??= one.socketReleasedAt;
        one.noticed ??= 'closed';
        one.seatReleasedAt ??= one.socketReleasedAt;
      }
      if (one.manager !== null && ended.has(one.manager)) one.seatReleasedAt ??= at;
      if (one.seatReleasedAt === null && one.noticedAt !== null) {
        const user = await this.#gateway.admin(`users/${encodeURIComponent(one.subject.user)}`, { withinMs: ANSWER_WITHIN_MS });
        if ((user?.effective ?? 0) < Math.max(1, one.effective)) one.seatReleasedAt = nowMs();
      }
    }
  }

  async #managers(verdict: string): Promise<readonly ManagerLine[]> {
    const found: ManagerLine[] = [];
    let cursor: string | null = null;
    do {
      const page: { managers: ManagerLine[]; nextCursor: string | null } = await this.#gateway.admin(
        `managers?verdict=${verdict}&limit=500${cursor === null ? '' : `&cursor=${cursor}`}`,
        { withinMs: ANSWER_WITHIN_MS },
      );
      found.push(...page.managers);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return found;
  }

  /** Those since the last look: a seat may be taken between two looks, and how it ended says why. */
  async #endedManagers(): Promise<readonly { readonly managerId: string; readonly reason: string }[]> {
    const path = this.#cursor === null ? 'events?type=manager-ended&limit=1' : `events?type=manager-ended&limit=1000&cursor=${this.#cursor}`;
    const page = (await this.#gateway.admin(path, { withinMs: ANSWER_WITHIN_MS })) as {
      readonly events: readonly { readonly data: { readonly managerId: string; readonly reason: string } }[];
      readonly nextCursor: string;
    };
    const isFirst = this.#cursor === null;
    this.#cursor = page.nextCursor;
    return isFirst ? [] : page.events.map(({ data }) => data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
  }
}

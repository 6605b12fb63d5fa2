import { attentive } from '../../src/core/clocks.ts';
import type { Evidence } from '../../src/core/evidence.ts';
import { judge, type Verdict } from '../../src/core/judge.ts';
import { appDeadMs, pressure } from '../../src/core/pressure.ts';
import { WELL } from '../../src/core/self-health.ts';
import type { WebSocketManager } from '../../src/managers/manager.ts';
import type { ManagerId, UserId } from '../../src/protocol/ids.ts';
import type { VerdictName } from '../../src/protocol/messages.ts';
import type { SimulatedClient } from './client.ts';
import type { VirtualConnection } from './virtual-transport.ts';
import type { World } from './world.ts';

interface Silent {
  readonly connection: VirtualConnection;
  readonly what: 'application' | 'transport';
  /** Attentive time. */
  readonly since: number;
  /** The lowest pressure since. */
  pressure: number;
  isFound: boolean;
}

/** From better to worse. `unknown` accuses nobody. */
const RANK: Readonly<Record<VerdictName, number>> = { healthy: 0, idle: 0, unknown: 1, suspect: 2, zombie: 3, inactive: 4 };
/** How long a page must have been well before its verdict is held against us. */
const WELL_FOR_MS = 3_000;
/** Near enough that no patience is ever over. */
const NEAR_MS = 150;
/** The wheel's bucket, the spacing of probes and a look every now and then. */
const SLACK_MS = 700;
/** After a stall of ours findings are void until we are well, and then everybody is asked again. */
const AFTER_STALL_MS = 6_500;
/** A mass freeze is doubted once. */
const DOUBT_MS = 4_500;
/** Attention that one late tick may claim, and the tick. */
const CREDIT_MS = 40;

/** Verdicts against the truth: what the world did to each page. */
export class Verdicts {
  readonly #world: World;
  readonly #silent = new Map<SimulatedClient, Silent>();
  /** The beginning of our last stall, monotonic. */
  #stalledFrom = Number.NEGATIVE_INFINITY;
  /** The end of our last stall, attentive. */
  #stalledAt = Number.NEGATIVE_INFINITY;

  constructor(world: World) {
    this.#world = world;
  }

  get #now(): number {
    return this.#world.factory.now();
  }

  #pressure(user: UserId): number {
    const { factory } = this.#world;
    const { perUser, perNode } = factory.options.limits;
    return pressure({ seats: factory.list(user).length, soft: perUser }, { seats: [...factory.all()].length, perNode });
  }

  fellSilent(page: SimulatedClient, what: Silent['what']): void {
    const { connection } = page;
    if (connection === null) return;
    const before = this.#silent.get(page);
    if (before?.connection === connection && before.what === 'transport') return;
    this.#silent.set(page, { connection, what, since: this.#now, pressure: Number.POSITIVE_INFINITY, isFound: false });
  }

  spoke(page: SimulatedClient): void {
    this.#silent.delete(page);
  }

  crashed(): void {
    this.#silent.clear();
    this.#stalledAt = Number.NEGATIVE_INFINITY;
  }

  /** A page heard nothing for so long that it gave the connection up. */
  heardNothing(page: SimulatedClient): void {
    const { clock } = this.#world;
    const isOurs =
      !clock.isStalled && page.isWell(WELL_FOR_MS) && page.state === 'ready' && clock.now - clock.stalledUntil > WELL_FOR_MS && page.traits.rttMs <= NEAR_MS;
    if (isOurs) this.#world.violated('heartbeat', `${page.name} is well and heard nothing for ${this.#world.options.clientTimeoutMs} ms`);
  }

  /** I8: somebody was called dead and lost its seat. */
  buried(id: ManagerId, reason: string): void {
    for (const page of this.#world.clients())
      if (page.manager === id && this.#isInnocent(page)) this.#world.violated('I8', `${page.name} is well and lost its seat by ${reason}`);
  }

  #isInnocent(page: SimulatedClient): boolean {
    const { clock } = this.#world;
    // What came to an end while we stalled is read only after it.
    if (clock.now - clock.stalledUntil < WELL_FOR_MS && page.troubledAt > this.#stalledFrom - WELL_FOR_MS) return false;
    return page.state === 'ready' && page.traits.rttMs <= NEAR_MS && page.traits.frameMs === 0 && page.traits.wakesEveryMs === null && page.isWell(WELL_FOR_MS);
  }

  inspect(): void {
    for (const page of this.#world.clients()) {
      if (page.state !== 'ready') continue;
      const silent = this.#silent.get(page);
      if (silent !== undefined) this.#lookAtSilent(page, silent);
      else if (this.#isInnocent(page)) this.#lookAtInnocent(page);
    }
  }

  #lookAtInnocent(page: SimulatedClient): void {
    const manager = this.#world.managerOf(page);
    if (manager === null) return;
    const { is, reason } = seenOf(manager);
    if (RANK[is] >= RANK.suspect) this.#world.violated('I8', `${page.name} is well and ${manager.id} is called ${is} (${reason})`);
  }

  /** I10 */
  #lookAtSilent(page: SimulatedClient, silent: Silent): void {
    const { factory } = this.#world;
    if (page.connection !== silent.connection || silent.isFound) return;
    const manager = this.#world.managerOf(page);
    if (manager === null || manager.evidence.link.is !== 'open') {
      silent.isFound = true;
      return;
    }
    const { options } = factory;
    silent.pressure = Math.min(silent.pressure, this.#pressure(page.traits.user));
    const isApplication = silent.what === 'application';
    if (isApplication && seenOf(manager).is === 'zombie') {
      silent.isFound = true;
      return;
    }
    const boundMs = isApplication ? appDeadMs(silent.pressure, options) : options.health.transportDeadMs;
    const doubtMs = this.#silent.size >= 5 ? DOUBT_MS : 0;
    // The inbox of a slow page and what was under way may have been its last signs.
    const lastSignMs = page.traits.rttMs + 20 * page.traits.frameMs;
    // Who does not read may still speak.
    const since = isApplication ? silent.since : Math.max(silent.since, manager.evidence.inboundAt);
    const due =
      Math.max(since + lastSignMs + boundMs + options.health.confirmMaxMs, this.#stalledAt + AFTER_STALL_MS + options.health.confirmMaxMs) + SLACK_MS + doubtMs;
    if (this.#now <= due) return;
    silent.isFound = true;
    const { is, reason } = seenOf(manager);
    this.#world.violated(
      'I10',
      `${page.name} is silent (${silent.what}) for ${Math.round(this.#now - silent.since)} ms, and ${manager.id} is ${is} (${reason})`,
    );
  }

  /** I9: we do nothing for a while; that makes nobody look worse. */
  stalling(forMs: number): void {
    const { clock } = this.#world;
    if (clock.isStalled) return;
    const compare = this.#remember(`our stall of ${forMs} ms`);
    this.#stalledFrom = clock.now;
    clock.touch();
    clock.stall(forMs);
    clock.afterwards(forMs, () => {
      this.#stalledAt = this.#now;
      compare();
    });
  }

  /** I9: what the wall shows is nobody's fault. */
  settingWall(byMs: number): void {
    const { clock } = this.#world;
    if (clock.isStalled) return;
    const compare = this.#remember(`a wall clock set by ${byMs} ms`);
    clock.touch();
    clock.setWall(byMs);
    clock.afterwards(20, compare);
  }

  /** How everybody looks now; what is returned compares it with how they look then. */
  #remember(what: string): () => void {
    const { factory } = this.#world;
    const before = [...factory.all()].flatMap((manager) => {
      const { attachment, evidence, verdict } = manager;
      return attachment === null ? [] : [{ manager, attachment, evidence, verdict }];
    });
    const pressures = new Map(before.map(({ manager }) => [manager.user.userId, this.#pressure(manager.user.userId)]));
    const now = this.#now;
    const deadMs = factory.options.health.transportDeadMs;
    return () => {
      if (factory !== this.#world.factory) return;
      for (const { manager, attachment, evidence, verdict } of before) {
        const { link } = manager.evidence;
        if (manager.attachment !== attachment || manager.seat === null) {
          const isAccused = link.is === 'lost' && link.reason !== 'transport-lost';
          if (isAccused && !isNearlyDead(evidence, now, deadMs)) this.#world.violated('I9', `${manager.id} lost its transport (${link.reason}) by ${what}`);
          continue;
        }
        const after = manager.verdict;
        // A round trip measured meanwhile may change what is patience; time that would have passed in any case may have passed.
        const { srttMs, rttvarMs } = manager.evidence;
        const p = Math.max(pressures.get(manager.user.userId) ?? 1, this.#pressure(manager.user.userId));
        const inAnyCase = judge({ ...evidence, srttMs, rttvarMs }, verdict, WELL, p, factory.options, attentive(now + CREDIT_MS));
        const wasPardoned = verdict.is === 'unknown' && verdict.reason !== 'not-asked';
        if (RANK[after.is] > Math.max(RANK.unknown, RANK[verdict.is], RANK[inAnyCase.is]) && !wasPardoned)
          this.#world.violated('I9', `${what} made ${manager.id} ${say(after)}, which was ${say(verdict)}`);
      }
    };
  }
}

const say = ({ is, reason }: Verdict): string => `${is} (${reason})`;
const isNearlyDead = (e: Evidence, now: number, deadMs: number): boolean => now - Math.max(e.pongAt, e.ackAt, e.answerAt, e.inboundAt) >= deadMs - CREDIT_MS;

/** What it would be judged now. Looking gives no verdict: that is the tower's business. */
const seenOf = (manager: WebSocketManager): Verdict => manager.glance()?.verdict ?? manager.verdict;

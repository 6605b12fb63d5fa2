import type { Admission } from '../../src/managers/admission/admission.ts';
import type { CleanupReport } from '../../src/managers/events.ts';
import type { WebSocketManagerFactory } from '../../src/managers/factory.ts';
import type { ServerFrame } from '../../src/protocol/frames.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import type { SimulatedClient } from './client.ts';
import type { Hello } from './client-world.ts';
import type { Attempt } from './door.ts';
import { Evictions } from './evictions.ts';
import { Figures } from './figures.ts';
import { checkAtRest } from './rest.ts';
import { Story } from './story.ts';
import { Verdicts } from './verdicts.ts';
import type { OpenSocket, World } from './world.ts';

export interface Violation {
  readonly invariant: string;
  readonly at: number;
  readonly detail: string;
}

export interface Counts {
  admissions: number;
  persons: number;
  queued: number;
  refused: number;
  rejected: number;
  evictions: number;
  living: number;
  longestMs: number;
  longestQueuedMs: number;
  applied: number;
  crashes: number;
}

/** An attempt that has not ended. */
interface Open {
  readonly client: SimulatedClient;
  readonly hello: Hello;
  /** On the attentive clock of the process. */
  readonly startedAt: number;
  readonly startedMono: number;
  queuedAt: number | null;
}

const INSPECT_EVERY_MS = 200;
/** Decisions are due within this time by the policy. */
const SLA_MS = 500;
/** Calls on the store that one admission may need, each of which may take its time. */
const CALLS = 15;
const VIOLATIONS_MAX = 20;

/** Holds what happens against what must hold. */
export class Watcher {
  readonly violations: Violation[] = [];
  readonly counts: Counts = {
    admissions: 0,
    persons: 0,
    queued: 0,
    refused: 0,
    rejected: 0,
    evictions: 0,
    living: 0,
    longestMs: 0,
    longestQueuedMs: 0,
    applied: 0,
    crashes: 0,
  };
  readonly #world: World;
  readonly #open = new Set<Open>();
  readonly #acts = new Map<UserId, number>();
  readonly #displaced = new Map<UserId, number>();
  readonly verdicts: Verdicts;
  readonly story: Story;
  readonly #evictions: Evictions;
  readonly #figures: Figures;

  constructor(world: World) {
    this.#world = world;
    this.verdicts = new Verdicts(world);
    this.story = new Story(world);
    this.#evictions = new Evictions(world);
    this.#figures = new Figures(world);
    this.#inspectLater();
  }

  violated(invariant: string, detail: string): void {
    if (this.#world.isOver) return;
    this.#world.trace(() => `VIOLATION of ${invariant}: ${detail}`);
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push({ invariant, at: this.#world.clock.now, detail });
  }

  follow(factory: WebSocketManagerFactory): void {
    this.#figures.follow(factory);
    factory.on('admission-ended', (record) => {
      this.#world.trace(
        () =>
          `admission of ${record.managerId} (${record.user}, ${record.intent}) ended ${record.outcome}${record.reason ? ` ${record.reason}` : ''} after ${record.durationMs} ms`,
      );
    });
    factory.on('cleanup-finished', (report) => this.#cleaned(report));
    factory.on('manager-ended', ({ managerId, user, reason }) => {
      this.#world.trace(() => `${managerId} of ${user} ended: ${reason}`);
      this.#evictions.ended(managerId);
      if (reason === 'ack-timeout' || reason === 'probe-timeout' || reason === 'unresponsive') this.verdicts.buried(managerId, reason);
      // Only a tombstone or a newer token drops a live manager; neither comes from a store that forgot it.
      if (reason === 'superseded' && this.#world.store.seatsFailedAt === Number.NEGATIVE_INFINITY)
        this.violated('I21', `${managerId} was dropped as superseded, and nobody had taken its seat`);
    });
  }

  #cleaned(report: CleanupReport): void {
    this.#world.trace(
      () =>
        `cleanup of ${report.user} (${report.trigger}): ${report.levels.map((l) => `${l.level} ${l.freed}/${l.examined}`).join(', ')}; ${report.victims.map((v) => `${v.managerId} ${v.verdict} ${v.reason}`).join(', ')}`,
    );
    for (const victim of report.victims) {
      this.counts.evictions++;
      const isLiving = victim.verdict !== 'inactive' && victim.verdict !== 'zombie';
      if (!isLiving) continue;
      this.counts.living++;
      if (report.trigger === 'proactive') this.violated('I6', `${victim.managerId} was alive (${victim.verdict}) and went in a background pass`);
      if (report.trigger === 'admission') this.#displaced.set(report.user, (this.#displaced.get(report.user) ?? 0) + 1);
      if (victim.verdict === 'healthy' && victim.level !== 'force') this.violated('I6', `${victim.managerId} was healthy and went at ${victim.level}`);
    }
    // I17: no ping-pong.
    const displaced = this.#displaced.get(report.user) ?? 0;
    const acts = this.#acts.get(report.user) ?? 0;
    if (displaced > acts) this.violated('I17', `${displaced} living managers of ${report.user} gave way to ${acts} acts of the person`);
  }

  // ---- admissions

  attempt(client: SimulatedClient, hello: Hello, socket: OpenSocket): Attempt {
    const { counts } = this;
    const { user } = client.traits;
    const isPersons = hello.intent === 'user';
    counts.admissions++;
    if (isPersons) {
      counts.persons++;
      this.#acts.set(user, (this.#acts.get(user) ?? 0) + 1);
    }
    const open: Open = { client, hello, startedAt: this.#world.factory.now(), startedMono: this.#world.clock.now, queuedAt: null };
    this.#open.add(open);
    const over = (): void => {
      this.#open.delete(open);
      this.#checkTimes(open);
    };
    const away = (): void => {
      if (!this.#world.plan.attended) socket.isCounted = false;
    };
    return {
      client,
      hello,
      decided: (admission) => {
        this.#checkTimes(open);
        counts.longestMs = Math.max(counts.longestMs, this.#world.clock.now - open.startedMono);
        if (admission.kind === 'queued') {
          counts.queued++;
          open.queuedAt = this.#world.factory.now();
          return;
        }
        over();
        this.#tell(open, admission);
        if (admission.kind === 'retry') away();
      },
      ended: (end) => {
        over();
        counts.longestQueuedMs = Math.max(counts.longestQueuedMs, this.#world.clock.now - open.startedMono);
        this.#tell(open, end);
        if (end.kind === 'retry') {
          away();
          if (isPersons && !this.#isCrowded && !this.#isDisplacing(user))
            this.violated('I1', `${client.name}, a person, waited in the queue and was sent away: ${end.reason}`);
        }
      },
      rejected: (error) => {
        over();
        away();
        counts.rejected++;
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        if (this.#world.store.seatsFailedAt < open.startedMono) this.violated('I1', `${client.name} was rejected although the store answered: ${text}`);
      },
      left: () => {
        over();
        away();
      },
    };
  }

  /** The node itself has a limit that is reached. */
  get #isCrowded(): boolean {
    return this.#world.plan.options.limits?.perNode !== undefined;
  }

  /** Who claims too often that a person asked counts as a reconnect by itself. */
  #isDisplacing(user: UserId): boolean {
    const { displacement } = this.#world.plan.options;
    // Under a small limit a few are enough, and a pass tells of them at its end.
    return (displacement?.perMinute ?? 60) < 60 || (this.#displaced.get(user) ?? 0) >= 60;
  }

  #tell(open: Open, end: Exclude<Admission, { kind: 'queued' }>): void {
    if (end.kind === 'retry') this.counts.refused++;
    this.#world.trace(() =>
      end.kind === 'seated'
        ? `${open.client.name} is seated as ${end.manager.id}: ${end.how}, ${end.resume}`
        : `${open.client.name} is to come back in ${Math.round(end.retryAfterMs)} ms: ${end.reason}`,
    );
  }

  /** I1, also of those that never end. */
  #checkTimes(open: Open): void {
    if (open.hello.intent !== 'user' || this.#isDisplacing(open.client.traits.user)) return;
    const now = this.#world.factory.now();
    // A store that fails is asked again for as long as an admission may take.
    const troubleMs = this.#world.store.seatsFailedAt >= open.startedMono ? 3 * SLA_MS : 0;
    const storeMs = troubleMs + CALLS * Math.max(this.#world.plan.storeDelayMs, ...this.#world.plan.storeTroubles.map((t) => t.health.delayMs));
    if (open.queuedAt === null) {
      const tookMs = now - open.startedAt;
      if (tookMs > SLA_MS + storeMs + 50) this.#late(open, `waited ${Math.round(tookMs)} ms for a decision`);
      return;
    }
    const tookMs = now - open.queuedAt;
    const { waitMs } = this.#world.factory.options.queue;
    // At a full node whoever holds only seats that are pinned or promised waits for these promises, too.
    const gateMs = this.#isCrowded ? this.#world.factory.options.cleanup.seatPromiseMs : 0;
    if (tookMs > waitMs + gateMs + SLA_MS + storeMs + 50) this.#late(open, `waited ${Math.round(tookMs)} ms in the queue, which ends after ${waitMs} ms`);
  }

  #late(open: Open, what: string): void {
    this.violated('I1', `${open.client.name}, a person, ${what}`);
    this.#open.delete(open);
  }

  // ---- what the world tells

  opened(page: SimulatedClient): void {
    page.reader.gapped = (gap) => this.gapped(page, gap);
    page.heardNothing = () => this.verdicts.heardNothing(page);
    page.cutOff = () => this.#evictions.cutOff(page);
  }
  gapped(page: SimulatedClient, gap: Extract<ServerFrame, { type: 'gap' }>): void {
    this.story.gapped(page, gap);
  }
  applied(client: SimulatedClient, from: number, to: number, data: unknown): void {
    this.counts.applied += to - from + 1;
    this.story.applied(client, from, to, data);
  }
  fellSilent(page: SimulatedClient, what: 'application' | 'transport'): void {
    this.verdicts.fellSilent(page, what);
  }
  spoke(page: SimulatedClient): void {
    this.verdicts.spoke(page);
  }
  personFrees(user: UserId): void {
    this.#acts.set(user, (this.#acts.get(user) ?? 0) + 1);
  }
  trimmed(): void {
    this.story.trimmed();
  }
  stalling(forMs: number): void {
    this.#world.trace(() => `the process stalls for ${forMs} ms`);
    this.verdicts.stalling(forMs);
  }
  settingWall(byMs: number): void {
    this.verdicts.settingWall(byMs);
  }

  crashed(): void {
    this.counts.crashes++;
    this.#open.clear();
    this.verdicts.crashed();
    this.#evictions.crashed();
  }

  // ---- looking around

  #inspectLater(): void {
    this.#world.clock.world(INSPECT_EVERY_MS, () => {
      if (!this.#world.clock.isStalled) {
        for (const open of this.#open) this.#checkTimes(open);
        // First: it looks without judging, and whoever judges after it hides what lags.
        this.#figures.inspect();
        this.verdicts.inspect();
        this.story.inspect();
        this.#evictions.inspect();
      }
      this.#inspectLater();
    });
  }

  /** Nobody has done anything for a while: everything must fit. */
  async atRest(): Promise<void> {
    for (const open of this.#open) if (open.queuedAt === null) this.violated('I1', `the attempt of ${open.client.name} never ended`);
    await checkAtRest(this.#world);
    this.#figures.atRest();
  }
}

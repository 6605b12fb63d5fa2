import type { WebSocketManagerFactory } from '../../src/managers/factory.ts';
import type { WebSocketManager } from '../../src/managers/manager.ts';
import type { Gauges, SpillwayEvents } from '../../src/ports/events.ts';
import type { ManagerId } from '../../src/protocol/ids.ts';
import type { VerdictName } from '../../src/protocol/messages.ts';
import type { World } from './world.ts';

/** How long a verdict may lag behind the evidence: a second, or with short times a tenth of it, and the pace of the tower and of this look. */
const LAG_MS = { default: 1_000 + 100 + 200, fast: 100 + 50 + 200 } as const;
/** After a stall of ours health falls and heals step by step, and everybody is looked at anew. */
const AFTER_STALL_MS = 3_000;

/** What was told of one life of the process. */
interface Told {
  seated: number;
  ended: number;
  entered: number;
  left: number;
  questioned: number;
  readonly verdicts: Map<ManagerId, VerdictName>;
  readonly bursts: Map<string, 'active' | 'debt'>;
}

const nothing = (): Told => ({ seated: 0, ended: 0, entered: 0, left: 0, questioned: 0, verdicts: new Map(), bursts: new Map() });

/** Figures that are kept up against a look at everybody, and events against what they tell of: each exactly once. */
export class Figures {
  readonly #world: World;
  #told = nothing();
  #factory: WebSocketManagerFactory | null = null;
  /** Since when, by attentive time, a manager would be judged otherwise than it was, and how. */
  readonly #lagging = new Map<WebSocketManager, { readonly seen: VerdictName; readonly since: number }>();

  constructor(world: World) {
    this.#world = world;
  }

  follow(factory: WebSocketManagerFactory): void {
    const told = nothing();
    this.#told = told;
    this.#factory = factory;
    this.#lagging.clear();
    factory.on('manager-seated', ({ resume }) => {
      if (resume !== 'attached') told.seated++;
    });
    factory.on('manager-ended', ({ managerId, reason }) => {
      told.verdicts.delete(managerId);
      if (reason !== 'ghost') told.ended++;
    });
    factory.on('queue-entered', () => told.entered++);
    factory.on('queue-left', () => told.left++);
    factory.on('verdict-changed', (event) => this.#changed(told, event));
    factory.on('burst-changed', ({ user, to }) => {
      if ((told.bursts.get(user) ?? 'none') === to) this.#world.violated('figures', `the burst of ${user} was told to be ${to} twice`);
      if (to === 'none') told.bursts.delete(user);
      else told.bursts.set(user, to);
    });
  }

  #changed({ verdicts }: Told, { managerId, verdict, was }: SpillwayEvents['verdict-changed']): void {
    const before = verdicts.get(managerId) ?? null;
    if (was !== before || verdict === was) this.#world.violated('figures', `${managerId} was told to be ${verdict} after ${was}; before, ${before} was told`);
    verdicts.set(managerId, verdict);
  }

  /** At any instant between two turns of the event loop. */
  inspect(): void {
    const factory = this.#factory;
    if (factory === null) return;
    const gauges = factory.telemetry.gauges();
    const found = scan(factory);
    for (const [name, value] of Object.entries(found)) {
      const kept = figureOf(gauges, name);
      if (kept !== value) this.#world.violated('figures', `${name}: ${kept} is kept, a look at everybody finds ${value}`);
    }
    const told = this.#told;
    const places = factory.queue().length;
    // At the gate several attempts of one client share a place, and who was pushed out of one is told in the next pass.
    if (sum(gauges.queueLength) < places) this.#world.violated('figures', `${sum(gauges.queueLength)} are told to wait for ${places} places`);
    if (sum(gauges.queueLength) !== told.entered - told.left)
      this.#world.violated('figures', `${sum(gauges.queueLength)} wait; told of ${told.entered} who came and ${told.left} who went`);
    this.#inspectLag(factory);
  }

  #inspectLag(factory: WebSocketManagerFactory): void {
    const now = factory.now();
    const isAfterStall = this.#world.clock.now - this.#world.clock.stalledUntil < AFTER_STALL_MS;
    for (const manager of factory.all()) {
      const given = manager.group?.verdict;
      const seen = manager.glance()?.verdict.is;
      if (given === seen || seen === undefined || isAfterStall) {
        this.#lagging.delete(manager);
        continue;
      }
      const known = this.#lagging.get(manager);
      const since = known?.seen === seen ? known.since : now;
      this.#lagging.set(manager, { seen, since });
      if (now - since <= LAG_MS[factory.options.timing]) continue;
      this.#lagging.delete(manager);
      this.#world.violated('figures', `${manager.id} is told to be ${given} and has been ${seen} for ${Math.round(now - since)} ms`);
    }
  }

  /** Nothing is under way. */
  atRest(): void {
    this.inspect();
    const { seated, ended } = this.#told;
    if (this.#factory === null) return;
    const { seats, queueLength } = this.#factory.telemetry.gauges();
    if (this.#factory.queue().length === 0 && queueLength.length > 0) this.#world.violated('figures', `${sum(queueLength)} are told to wait, and nobody does`);
    if (seated - ended !== seats) this.#world.violated('figures', `${seats} hold seats; told of ${seated} who were seated and ${ended} who ended`);
  }
}

const sum = (parts: readonly { readonly count: number }[]): number => parts.reduce((total, { count }) => total + count, 0);

function figureOf(gauges: Gauges, name: string): number {
  if (!name.includes(' ')) return gauges[name as 'seats'];
  const [verdict, tier] = name.split(' ');
  return gauges.managers.find((m) => m.verdict === verdict && m.tier === tier)?.count ?? 0;
}

/** The same figures, by looking at everybody. */
function scan(factory: WebSocketManagerFactory): Record<string, number> {
  const { perUser } = factory.options.limits;
  const found: Record<string, number> = { seats: 0, effectiveSeats: 0, users: 0, usersAtLimit: 0, unackedEvents: 0, bufferedBytes: 0 };
  const count = (name: string, by = 1): void => {
    found[name] = (found[name] ?? 0) + by;
  };
  const seats = new Map<string, number>();
  for (const { verdict, tier } of factory.telemetry.gauges().managers) found[`${verdict} ${tier}`] = 0;
  for (const manager of factory.all()) {
    if (manager.seat === null) continue;
    const { userId, tier } = manager.user;
    seats.set(userId, (seats.get(userId) ?? 0) + 1);
    count('seats');
    const { attachment, group } = manager;
    count(`${group?.verdict} ${tier}`);
    const isDead = group?.verdict === 'zombie' || group?.verdict === 'inactive';
    if (!isDead && manager.leaving === null) count('effectiveSeats');
    for (const s of attachment?.delivery.subscriptions.values() ?? []) count('unackedEvents', s.owed.events);
    count('bufferedBytes', attachment?.transport.unsentBytes ?? 0);
  }
  found.users = seats.size;
  found.usersAtLimit = [...seats.values()].filter((held) => held >= perUser).length;
  return found;
}

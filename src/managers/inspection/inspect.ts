import { mono } from '../../core/clocks.ts';
import { applicationAt } from '../../core/evidence.ts';
import { patienceMs } from '../../core/patience.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ManagerId, Tier, UserId } from '../../protocol/ids.ts';
import type { VerdictName } from '../../protocol/messages.ts';
import type { Bursts } from '../cleanup/bursts.ts';
import type { Context } from '../context.ts';
import type { WebSocketManager } from '../manager.ts';
import type { ByVerdict, Explanation, FactoryStatus, HealthReport, ManagerHealth, QueuedTicket, UserStatus, UserSummary } from '../reports.ts';
import { allOf, explanationOf, healthOf } from './explain.ts';

/** Managers that are looked at before others get their turn of the event loop. */
const SLICE = 256;
/** Evidence and questions this young are not followed by another question. */
const PROBE_SPACING_MS = 500;
const LOOK_EVERY_MS = 10;

const noVerdicts = (): Record<VerdictName, number> => ({ healthy: 0, idle: 0, suspect: 0, zombie: 0, inactive: 0, unknown: 0 });

/** Lets reads and timers that are due go first. */
export const loopTurn = (clock: Clock): Promise<void> => new Promise((resolve) => clock.soon(resolve));

interface Sources {
  readonly bursts: Bursts;
  /** Everybody who waits for a seat. */
  waiting(): readonly QueuedTicket[];
  /** How many wait. */
  queued(): number;
  /** Whether seats cannot be asked for. */
  isStoreLost(): boolean;
  /** Managers made so far. */
  created(): number;
}

/** Answers how things stand. It evicts nobody and refreshes no evidence. */
export class Inspection {
  readonly #context: Context;
  readonly #sources: Sources;

  constructor(context: Context, sources: Sources) {
    this.#context = context;
    this.#sources = sources;
  }

  /** Looks at nobody: each figure is kept up where it changes. */
  status(): FactoryStatus {
    const { registry, sockets, options, counters, standing } = this.#context;
    return {
      limits: { perUser: options.limits.perUser, burst: options.limits.burst.perUser, perNode: options.limits.perNode },
      users: registry.userCount,
      usersAtLimit: registry.usersAtLimit,
      seats: standing.seats,
      effective: standing.effective,
      sockets: sockets.open,
      quarantined: sockets.quarantined,
      managersByVerdict: standing.byVerdict,
      burst: this.#sources.bursts.count,
      queued: this.#sources.queued(),
      storeFailOpen: this.#sources.isStoreLost(),
      created: this.#sources.created(),
      ...counters.now,
    };
  }

  /** Everybody's verdict. Nobody waits for it: the event loop turns every few hundred managers. */
  async healthCheck(): Promise<HealthReport> {
    const counts = noVerdicts();
    const managers: ManagerHealth[] = [];
    for (const [i, manager] of [...this.#context.registry.all()].entries()) {
      if (i % SLICE === SLICE - 1) await loopTurn(this.#context.clock);
      const candidate = manager.candidate();
      if (candidate === null) continue;
      counts[candidate.verdict.is]++;
      managers.push(healthOf(this.#context, candidate));
    }
    return { checked: managers.length, ...counts, managers };
  }

  users(): readonly UserSummary[] {
    const { registry } = this.#context;
    const queued = new Map<UserId, QueuedTicket[]>();
    for (const ticket of this.#sources.waiting()) queued.set(ticket.user, [...(queued.get(ticket.user) ?? []), ticket]);
    return [...new Set([...registry.users, ...queued.keys()])].map((user) => this.summary(user, queued.get(user) ?? []));
  }

  /** `tickets`: those of this user. */
  summary(user: UserId, tickets: readonly QueuedTicket[] = this.#ticketsOf(user)): UserSummary {
    const { registry, sockets } = this.#context;
    const { seats, effective, verdicts } = tally(registry.of(user));
    return { user, tier: this.tierOf(user, tickets), seats, effective, sockets: sockets.of(user), queued: tickets.length, verdicts };
  }

  tierOf(user: UserId, tickets: readonly QueuedTicket[] = this.#ticketsOf(user)): Tier {
    return this.#context.tiers.of(user, tierOf(this.#context.registry.of(user), tickets));
  }

  #ticketsOf(user: UserId): readonly QueuedTicket[] {
    return this.#sources.waiting().filter((ticket) => ticket.user === user);
  }

  /** Null: nobody of that user is here. */
  async user(user: UserId): Promise<UserStatus | null> {
    const { store, seatLimits, registry, sockets, options } = this.#context;
    const { burst } = await store.seats.facts(user, seatLimits);
    const queued = this.#ticketsOf(user);
    const held = registry.of(user);
    if (held.size === 0 && queued.length === 0 && sockets.of(user) === 0) return null;
    const { seats, effective } = tally(held);
    const peers = allOf(this.#context, user);
    const managers = [...held].map((m) => explanationOf(this.#context, m, peers)).filter((e) => e !== null);
    return {
      user,
      tier: this.tierOf(user, queued),
      limit: options.limits.perUser,
      seats,
      effective,
      sockets: sockets.of(user),
      quarantined: sockets.quarantinedOf(user),
      burst,
      queued,
      managers: managers.sort((a, b) => a.rank.position - b.rank.position),
    };
  }

  queue(): readonly QueuedTicket[] {
    return this.#sources.waiting();
  }

  explain(id: ManagerId): Explanation | null {
    const manager = this.#context.registry.find(id);
    return manager ? explanationOf(this.#context, manager) : null;
  }

  /** Asks one application now and explains what is known after its answer, or after its patience. */
  async probe(id: ManagerId): Promise<Explanation | null> {
    const manager = this.#context.registry.find(id);
    if (!manager) return null;
    await this.#ask(manager);
    return this.explain(id);
  }

  async #ask(manager: WebSocketManager): Promise<void> {
    const { attachment, evidence } = manager;
    const { options, clock } = this.#context;
    if (!attachment || evidence.class === 'unverifiable') return;
    const before = applicationAt(evidence);
    const now = this.#context.now();
    if (now - before < PROBE_SPACING_MS) return;
    if (evidence.probe === null || now - evidence.probe.askedAt >= PROBE_SPACING_MS) attachment.probe();
    const patience = Math.min(patienceMs(manager.evidence, this.#context.self(manager.user.userId).score, options), options.health.confirmMaxMs);
    const until = mono(this.#context.mono() + patience);
    while (manager.attachment === attachment && applicationAt(manager.evidence) <= before && this.#context.mono() < until) {
      await new Promise<void>((resolve) => clock.after(LOOK_EVERY_MS, resolve));
    }
  }
}

interface Tally {
  readonly seats: number;
  readonly effective: number;
  readonly verdicts: ByVerdict;
}

function tally(managers: Iterable<WebSocketManager>): Tally {
  const verdicts = noVerdicts();
  let seats = 0;
  let effective = 0;
  for (const manager of managers) {
    if (manager.seat === null) continue;
    const { verdict } = manager;
    verdicts[verdict.is]++;
    seats++;
    if (!verdict.proof && manager.leaving === null) effective++;
  }
  return { seats, effective, verdicts };
}

/** All managers of a user have one tier, unless it was changed while some of them were open: the newest counts. */
function tierOf(managers: Iterable<WebSocketManager>, tickets: readonly QueuedTicket[]): string {
  let tier = '';
  for (const manager of managers) tier = manager.user.tier;
  return tickets.at(-1)?.tier ?? tier;
}

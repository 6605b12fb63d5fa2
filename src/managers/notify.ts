import type { Burst } from '../core/burst.ts';
import type { SeatFacts } from '../ports/store.ts';
import type { Tier, UserId } from '../protocol/ids.ts';
import type { Limits, NoticeKind } from '../protocol/messages.ts';
import { burstNotice, limitNearNotice, type NoticeBody, queueNotice } from '../protocol/texts.ts';
import type { Context } from './context.ts';
import type { WebSocketManager } from './manager.ts';

/** At most one round of `limits` frames a user in this time. */
const LIMITS_EVERY_MS = 1_000;
const LIMIT_NEAR = 0.7;

interface Told {
  version: number;
  isShown: boolean;
}

/** Tells people about room: `limits` on change, and notices in plain words. */
export class Notifier {
  readonly #context: Context;
  readonly #waiting: (user: UserId) => number;
  readonly #told = new Map<UserId, Map<NoticeKind, Told>>();
  readonly #scheduled = new Set<UserId>();
  readonly #saidAt = new Map<UserId, number>();

  constructor(context: Context, waiting: (user: UserId) => number) {
    this.#context = context;
    this.#waiting = waiting;
  }

  /** Room of a user, as frames and pages show it; without facts of the store, as far as it is known here. */
  limits(user: UserId, tier: Tier, facts: SeatFacts | null): Limits {
    const { options, clock, registry, sockets } = this.#context;
    let dead = 0;
    let held = 0;
    for (const m of registry.of(user)) {
      if (m.seat === null) continue;
      held++;
      if (m.verdict.proof) dead++;
    }
    const used = facts?.seats.length ?? held;
    return {
      soft: options.limits.perUser,
      burst: options.limits.burst.perUser,
      used,
      effective: Math.max(0, used - dead),
      sockets: sockets.of(user),
      queued: facts?.tickets.length ?? this.#waiting(user),
      burstUntil: facts === null ? null : burstUntil(facts.burst, facts.now, clock.wall()),
      tier,
    };
  }

  /** Seats, queue or burst changed: everybody of the user hears of it, at most once a second. */
  changed(user: UserId): void {
    if (this.#scheduled.has(user)) return;
    this.#scheduled.add(user);
    const waitMs = Math.max(0, (this.#saidAt.get(user) ?? -LIMITS_EVERY_MS) + LIMITS_EVERY_MS - this.#context.mono());
    this.#context.clock.after(waitMs, () => {
      this.#scheduled.delete(user);
      this.#saidAt.set(user, this.#context.mono());
      this.#tell(user).catch((error: unknown) => this.#context.telemetry.record({ severity: 'WARNING', event: 'limits-not-told', message: String(error) }));
    });
  }

  /** Notices that must be seen at once: a burst, a queue. */
  urgent(user: UserId, facts: SeatFacts): void {
    this.#notices(user, facts);
  }

  async #tell(user: UserId): Promise<void> {
    const managers = [...this.#context.registry.of(user)].filter((m) => m.attachment !== null);
    if (managers.length === 0) {
      this.#told.delete(user);
      this.#saidAt.delete(user);
      return;
    }
    const facts = await this.#context.store.seats.facts(user, this.#context.seatLimits);
    for (const m of managers) m.tellLimits(this.limits(user, m.user.tier, facts));
    this.#notices(user, facts);
  }

  #notices(user: UserId, facts: SeatFacts): void {
    const { options, clock } = this.#context;
    const used = facts.seats.length;
    const soft = options.limits.perUser;
    const until = burstUntil(facts.burst, facts.now, clock.wall());
    const near = used >= LIMIT_NEAR * soft && until === null;
    this.#show(user, 'limit-near', near ? limitNearNotice({ used, limit: soft }) : null);
    const burst = until === null ? null : burstNotice({ used, limit: soft, burst: options.limits.burst.perUser, untilAt: until, leftMs: until - clock.wall() });
    this.#show(user, 'burst', burst);
    const waiting = Math.max(facts.tickets.length, this.#waiting(user));
    const first = facts.tickets[0];
    this.#show(user, 'queue', waiting === 0 ? null : queueNotice({ waiting, etaMs: Math.max(0, Math.round((first?.deadline ?? facts.now) - facts.now)) }));
  }

  #show(user: UserId, kind: NoticeKind, body: NoticeBody | null): void {
    const kinds = this.#told.get(user) ?? new Map<NoticeKind, Told>();
    const told = kinds.get(kind) ?? { version: 0, isShown: false };
    if (body === null && !told.isShown) return;
    this.#told.set(user, kinds.set(kind, { version: told.version + 1, isShown: body !== null }));
    const cleared = body === null ? ({ kind, level: 'info', text: '', actions: [], data: {}, cleared: true } as const) : body;
    for (const m of this.#context.registry.of(user)) m.notify({ id: kind, version: told.version + 1, ...cleared });
  }

  /** To one session alone. */
  one(manager: WebSocketManager, body: NoticeBody): void {
    manager.notify({ id: `${body.kind}-${manager.serial}`, version: 1, ...body });
  }
}

/** When a running lease ends, by the wall. */
export const burstUntil = (burst: Burst, storeNow: number, wall: number): number | null =>
  burst.in === 'active' ? Math.round(wall + (burst.until - storeNow)) : null;

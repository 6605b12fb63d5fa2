import type { Burst } from '../core/burst.ts';
import type { SeatFacts } from '../ports/store.ts';
import type { Tier, UserId } from '../protocol/ids.ts';
import type { Limits, NoticeKind } from '../protocol/messages.ts';
import { burstNotice, limitNearNotice, NEAR_SHARE, type NoticeBody, queueNotice } from '../protocol/texts.ts';
import type { Context } from './context.ts';
import type { Attachment } from './delivery/attachment.ts';
import type { WebSocketManager } from './manager.ts';

/** At most one round of `limits` frames a user in this time. */
const LIMITS_EVERY_MS = 1_000;
/** A person reads within this time what has become true, and no longer what has ceased to be. */
const NOTICES_EVERY_MS = 100;
/** Ends that differ by less are the same end, read twice by two clocks. */
const SAME_END_MS = 1_000;

/** What holds for a user now; `body` null: nothing any more. */
interface Said {
  readonly version: number;
  readonly body: NoticeBody | null;
}

/** One kind of round: at most one in `everyMs`, the first at once. */
interface Rounds {
  readonly everyMs: number;
  readonly scheduled: Set<UserId>;
  readonly at: Map<UserId, number>;
}

const rounds = (everyMs: number): Rounds => ({ everyMs, scheduled: new Set(), at: new Map() });

/** Tells people about room: `limits` on change, and notices in plain words: what, why, until when, and what to do. */
export class Notifier {
  readonly #context: Context;
  readonly #waiting: (user: UserId) => number;
  readonly #said = new Map<UserId, Map<NoticeKind, Said>>();
  /** What each transport was told, for a new one knows nothing. */
  readonly #heard = new WeakMap<Attachment, Map<NoticeKind, number>>();
  /** Wakes when a burst ends, which nothing else announces. */
  readonly #ends = new Map<UserId, { readonly until: number; readonly cancel: () => void }>();
  readonly #limits = rounds(LIMITS_EVERY_MS);
  readonly #notices = rounds(NOTICES_EVERY_MS);

  constructor(context: Context, waiting: (user: UserId) => number) {
    this.#context = context;
    this.#waiting = waiting;
  }

  /** Room of a user, as frames and pages show it; without facts of the store, as far as it is known here. */
  limits(user: UserId, tier: Tier, facts: SeatFacts | null): Limits {
    const { options, clock, registry, sockets, elsewhere } = this.#context;
    let dead = elsewhere.dead(user);
    let held = elsewhere.count(user);
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

  /** Seats, queue or burst changed: everybody of the user hears of it. */
  changed(user: UserId): void {
    this.#schedule(user, this.#limits, (managers, facts) => {
      for (const m of managers) m.tellLimits(this.limits(user, m.user.tier, facts));
      this.urgent(user, facts);
    });
    const { registry, elsewhere, options } = this.#context;
    const seats = registry.of(user).size + elsewhere.count(user);
    const mayHaveNews = this.#said.has(user) || this.#waiting(user) > 0 || seats >= NEAR_SHARE * options.limits.perUser;
    if (mayHaveNews) this.#schedule(user, this.#notices, (_, facts) => this.urgent(user, facts));
  }

  #schedule(user: UserId, round: Rounds, tell: (managers: readonly WebSocketManager[], facts: SeatFacts) => void): void {
    if (round.scheduled.has(user)) return;
    round.scheduled.add(user);
    const { clock, telemetry } = this.#context;
    const now = this.#context.mono();
    clock.after(Math.max(0, (round.at.get(user) ?? now - round.everyMs) + round.everyMs - now), () => {
      round.scheduled.delete(user);
      round.at.set(user, this.#context.mono());
      this.#tell(user, round, tell).catch((error: unknown) => telemetry.record({ severity: 'WARNING', event: 'limits-not-told', message: String(error) }));
    });
  }

  async #tell(user: UserId, round: Rounds, tell: (managers: readonly WebSocketManager[], facts: SeatFacts) => void): Promise<void> {
    const managers = [...this.#context.registry.of(user)].filter((m) => m.attachment !== null);
    if (managers.length > 0) {
      tell(managers, await this.#context.store.seats.facts(user, this.#context.seatLimits));
      return;
    }
    round.at.delete(user);
    this.#said.delete(user);
    this.#wakeAt(user, null);
  }

  /** Shows every notice that holds by `facts`, and takes back those that do not any more. */
  urgent(user: UserId, facts: SeatFacts): void {
    const { options, clock } = this.#context;
    const { perUser: soft, burst } = options.limits;
    const used = facts.seats.length;
    const until = burstUntil(facts.burst, facts.now, clock.wall());
    // One session alone is near no limit that anybody could keep away from.
    const isNear = used > 1 && used >= NEAR_SHARE * soft && until === null;
    this.#show(user, 'limit-near', isNear ? limitNearNotice({ used, limit: soft }) : null);
    const lease = until === null ? null : burstNotice({ used, limit: soft, burst: burst.perUser, untilAt: until, leftMs: until - clock.wall() });
    this.#show(user, 'burst', lease);
    const waiting = Math.max(facts.tickets.length, this.#waiting(user));
    const etaMs = Math.max(0, Math.round((facts.tickets[0]?.deadline ?? facts.now) - facts.now));
    this.#show(user, 'queue', waiting === 0 ? null : queueNotice({ waiting, etaMs, untilAt: clock.wall() + etaMs }));
    this.#wakeAt(user, until);
  }

  #wakeAt(user: UserId, until: number | null): void {
    const known = this.#ends.get(user);
    if (until !== null && known !== undefined && Math.abs(known.until - until) < SAME_END_MS) return;
    known?.cancel();
    this.#ends.delete(user);
    if (until === null) return;
    const wake = (): void => {
      this.#ends.delete(user);
      this.changed(user);
    };
    this.#ends.set(user, { until, cancel: this.#context.clock.after(until - this.#context.clock.wall(), wake) });
  }

  /** Tells those who do not know it yet. What a person has put away comes back only when it says something else. */
  #show(user: UserId, kind: NoticeKind, body: NoticeBody | null): void {
    const kinds = this.#said.get(user) ?? new Map<NoticeKind, Said>();
    const before = kinds.get(kind);
    if (before === undefined && body === null) return;
    const version = (before?.version ?? 0) + (before === undefined || !saysTheSame(before.body, body) ? 1 : 0);
    this.#said.set(user, kinds.set(kind, { version, body }));
    for (const { attachment } of this.#context.registry.of(user)) {
      if (attachment === null) continue;
      const heard = this.#heard.get(attachment) ?? new Map<NoticeKind, number>();
      const known = heard.get(kind);
      if (known === version || (known === undefined && body === null)) continue;
      this.#heard.set(attachment, heard.set(kind, version));
      const said = body ?? ({ kind, level: 'info', text: '', actions: [], data: {}, cleared: true } as const);
      attachment.notify({ id: kind, version, ...said });
    }
  }

  /** To one session alone. */
  one(manager: WebSocketManager, body: NoticeBody): void {
    manager.notify({ id: `${body.kind}-${manager.serial}`, version: 1, ...body });
  }
}

/** Times that run down are no news: the page counts them by itself. */
function saysTheSame(a: NoticeBody | null, b: NoticeBody | null): boolean {
  if (a === null || b === null) return a === b;
  if (Math.abs((a.until ?? 0) - (b.until ?? 0)) >= SAME_END_MS) return false;
  const lasting = ({ data: { etaMs: _, ...data } }: NoticeBody): string => JSON.stringify(data);
  return lasting(a) === lasting(b);
}

/** When a running lease ends, by the wall. */
export const burstUntil = (burst: Burst, storeNow: number, wall: number): number | null =>
  burst.in === 'active' ? Math.round(wall + (burst.until - storeNow)) : null;

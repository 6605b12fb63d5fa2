import type { Mono } from '../core/clocks.ts';
import { quietMs } from '../core/evidence.ts';
import type { Verdict } from '../core/judge.ts';
import { onRenew } from '../core/lease.ts';
import { newId } from '../ports/random.ts';
import type { SeatDigest, SeatStore } from '../ports/store.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { UserId } from '../protocol/ids.ts';
import type { EvictReason } from '../protocol/reasons.ts';
import { isHereLast, tellTakenOver } from './cluster/take-over.ts';
import type { Context } from './context.ts';
import type { FactoryEvents } from './events.ts';
import type { WebSocketManager } from './manager.ts';

/** Share by which renewals vary, so that nodes do not renew in step. */
const SPREAD = 0.1;
/** Seats in one question to the store. */
const BATCH = 200;
/** Seats that are put back side by side. */
const ADOPTED_AT_ONCE = 50;
/** A renewal that failed is tried again after this time, then after twice of it and so on, at most after a whole period. */
const RETRY_MS = 1_000;

interface Renewed {
  readonly manager: WebSocketManager;
  readonly user: UserId;
  readonly digest: SeatDigest;
}

interface LeasesDeps {
  /** The store itself, also while this node does not ask it for seats. */
  readonly seats: SeatStore;
  /** The store has ended it. */
  taken(manager: WebSocketManager, reason: EvictReason): void;
  /** Seats could not be renewed, twice in a row. */
  failed(detail: string): void;
}

/** Keeps the seats of this node's managers alive in the store, and learns there what became of them. */
export class Leases {
  readonly #context: Context;
  readonly #deps: LeasesDeps;
  #cancel: () => void = () => {};
  #running: Promise<void> | null = null;
  #stopped = false;
  /** Renewals that failed in a row. */
  #failures = 0;
  /** When all seats of this node were good for a whole lease from then on. */
  #goodFrom: Mono;

  constructor(context: Context, deps: LeasesDeps) {
    this.#context = context;
    this.#deps = deps;
    this.#goodFrom = context.mono();
    this.#arm(this.#period());
  }

  #period(): number {
    const { lease } = this.#context.options;
    return lease.renewMs * (1 - SPREAD + 2 * SPREAD * this.#context.random.share());
  }

  #arm(delayMs: number): void {
    if (this.#stopped) return;
    this.#cancel();
    this.#cancel = this.#context.clock.after(delayMs, () => {
      this.renewAll().then(
        () => {
          this.#failures = 0;
          this.#arm(this.#period());
        },
        (error: unknown) => {
          // Nobody is dropped because the store is away: seats are renewed or adopted when it is back.
          const message = error instanceof Error ? error.message : String(error);
          this.#context.telemetry.record({ severity: 'WARNING', event: 'lease-renewal-failed', message });
          // One answer that is late is no outage.
          if (this.#failures > 0) this.#deps.failed(message);
          this.#arm(Math.min(RETRY_MS * 2 ** Math.min(this.#failures++, 10), this.#period()));
        },
      );
    });
  }

  /** Until the first of our seats ends if none is renewed any more. */
  get remainingMs(): number {
    return Math.max(0, Math.round(this.#goodFrom + this.#context.options.lease.ttlMs - this.#context.mono()));
  }

  /** The store is there again, or has lost what it knew: all seats are renewed at once, or put back. */
  renewSoon(): void {
    this.#arm(0);
  }

  /** Renews every seat of this node, puts back what the store has forgotten, and ends what others have taken. Rejects if the store does
   *  not answer; it may be repeated. */
  async renewAll(): Promise<void> {
    // Seats that came since it began are told of by the next one.
    while (this.#running !== null) await this.#running.catch(() => {});
    this.#running = this.#renew();
    try {
      await this.#running;
    } finally {
      this.#running = null;
    }
  }

  async #renew(): Promise<void> {
    const startedAt = this.#context.mono();
    const held = [...heldSeats(this.#context)];
    const broken: SpillwayError[] = [];
    for (let from = 0; from < held.length; from += BATCH) {
      await this.#renewEach(held.slice(from, from + BATCH), broken);
      const [error] = broken;
      if (error === undefined || broken.length < Math.min(held.length, from + BATCH)) continue;
      // Not one could be renewed: it is the store.
      throw error;
    }
    this.#goodFrom = startedAt;
    if (broken.length === 0) return;
    const message = `${broken.length} of ${held.length} seats could not be renewed: ${broken[0]?.message}`;
    this.#context.telemetry.record({ severity: 'WARNING', event: 'lease-renewal-failed', message });
  }

  /** Where the store says that what it keeps is broken, all the others are kept alive; each that is not is one more in `broken`. */
  async #renewEach(held: readonly Renewed[], broken: SpillwayError[]): Promise<void> {
    try {
      await this.#renewSome(held);
    } catch (error) {
      if (!SpillwayError.is(error) || error.code !== 'SPILLWAY_STORE_BROKEN') throw error;
      if (held.length === 1) {
        broken.push(error);
        return;
      }
      const half = held.length >> 1;
      await this.#renewEach(held.slice(0, half), broken);
      await this.#renewEach(held.slice(half), broken);
    }
  }

  async #renewSome(held: readonly Renewed[]): Promise<void> {
    const { node, options } = this.#context;
    const answers = await this.#deps.seats.renew(node, held, options.lease.ttlMs).catch((error: unknown) => {
      this.#tell('failed', held.length);
      throw error;
    });
    let renewed = 0;
    const forgotten: Renewed[] = [];
    for (const [i, { manager, user, digest }] of held.entries()) {
      if (!(await this.#stillHolds(manager, digest.token))) continue;
      const act = onRenew(answers[i] as (typeof answers)[number]);
      if (act.do === 'adopt') forgotten.push({ manager, user, digest });
      else if (act.do === 'end') await this.#end(manager, digest, act.reason);
      else renewed++;
    }
    if (renewed > 0) this.#tell('ok', renewed);
    for (let from = 0; from < forgotten.length; from += ADOPTED_AT_ONCE)
      await Promise.all(forgotten.slice(from, from + ADOPTED_AT_ONCE).map((one) => this.#adopt(one)));
  }

  async #adopt({ manager, user, digest }: Renewed): Promise<void> {
    if (await this.#isElsewhere(manager, user)) {
      if (await this.#stillHolds(manager, digest.token)) await this.#end(manager, digest, 'superseded');
      return;
    }
    const adopted = await this.#deps.seats.adopt(user, digest, this.#context.options.lease.ttlMs);
    if (adopted.is === 'OK') {
      this.#tell('adopted', 1);
      return;
    }
    const act = onRenew(adopted);
    if (act.do === 'end' && (await this.#stillHolds(manager, digest.token))) await this.#end(manager, digest, act.reason);
  }

  async #end(manager: WebSocketManager, digest: SeatDigest, reason: EvictReason): Promise<void> {
    if (this.#context.cluster !== null && (await this.#goesOn(manager, digest, reason))) return;
    if (manager.seat?.token !== digest.token) return;
    this.#tell('ended', 1);
    this.#deps.taken(manager, reason);
  }

  /** Whether a seat with a newer token is ours all the same: because the store has carried out what it had answered too late, or because
   *  the client has come back here since while we could not tell the store. It goes on under a token that the store knows. */
  async #goesOn(manager: WebSocketManager, { token }: SeatDigest, reason: EvictReason): Promise<boolean> {
    const { life, seatLimits } = this.#context;
    // Where it had been meanwhile it was given up because nobody came back there: its client is here.
    if (reason === 'transport-lost') return manager.attachment !== null && (await this.#seatAnew(manager, token));
    if (reason !== 'superseded') return false;
    const { seats } = await this.#deps.seats.facts(manager.user.userId, seatLimits);
    const seat = seats.find((s) => s.manager === manager.id);
    if (seat === undefined || seat.token <= token) return false;
    if (seat.node === life.node && seat.incarnation === life.incarnation) return reseated(manager, token, seat.token);
    if (manager.attachment === null || !(await isHereLast(this.#context, manager, seat))) return false;
    return await this.#seatAnew(manager, token);
  }

  /** Asks the store for a seat in the place of the one by `token`: taken over from where it is, or a free one. */
  async #seatAnew(manager: WebSocketManager, token: number): Promise<boolean> {
    const { life, seatLimits, random } = this.#context;
    const user = manager.user.userId;
    const request = { user, manager: manager.id, attach: newId(random, 'mgr'), ...life, class: 'user', mayBurst: false, limits: seatLimits } as const;
    const taken = await this.#deps.seats.admit(request);
    if (taken.is !== 'ok' || !reseated(manager, token, taken.token)) return false;
    tellTakenOver(this.#context, { user, manager: manager.id, label: manager.client.label }, taken.from);
    return true;
  }

  /** Whether a manager that was seated here without the store has gone on elsewhere since. Of all others the store knows. */
  async #isElsewhere(manager: WebSocketManager, user: UserId): Promise<boolean> {
    const { cutOff, life, seatLimits } = this.#context;
    if (cutOff?.wasSeatedAlone(manager.id) !== true) return false;
    const { seats } = await this.#deps.seats.facts(user, seatLimits);
    const seat = seats.find((s) => s.manager === manager.id);
    if (seat === undefined || (seat.node === life.node && seat.incarnation === life.incarnation)) return false;
    return !(await isHereLast(this.#context, manager, seat));
  }

  #tell(result: FactoryEvents['lease-renewed']['result'], seats: number): void {
    this.#context.events.emit('lease-renewed', { result, seats });
  }

  /** Whether it believes to hold that seat. Where we are taking it ourselves just now, the store knows already and tells of its own
   *  tombstone: whoever takes it says goodbye, with the true reason. */
  async #stillHolds(manager: WebSocketManager, token: number): Promise<boolean> {
    await manager.leaving;
    return manager.seat?.token === token;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }
}

/** Gives a manager that still holds its seat by `token` a newer one. */
function reseated(manager: WebSocketManager, token: number, newer: number): boolean {
  if (manager.seat?.token !== token) return false;
  manager.reseated({ token: newer, kind: manager.seat.kind });
  return true;
}

/** The seats that managers of this node hold, as the store is told of them. */
export function* heldSeats(context: Context): Iterable<Renewed> {
  for (const manager of context.registry.all())
    if (manager.seat !== null) yield { manager, user: manager.user.userId, digest: digestOf(context, manager, manager.seat.token) };
}

/** What the store keeps of a manager under a seat. */
export const digestOf = (context: Context, manager: WebSocketManager, token: number): SeatDigest => ({
  manager: manager.id,
  token,
  ...context.life,
  ...verdictIn(context, manager.verdict),
  quietMs: Math.round(quietMs(manager.evidence, context.now())),
  run: manager.evidence.run,
  pinned: manager.pinned,
  critical: manager.evidence.owed?.critical === true,
  hidden: manager.evidence.visibility === 'hidden',
  toldAt: 0,
  seatedAt: 0,
});

const verdictIn = (context: Context, { is, reason, since }: Verdict): Pick<SeatDigest, 'verdict' | 'reason' | 'sinceMs'> => ({
  verdict: is,
  reason,
  sinceMs: Math.max(0, Math.round(context.now() - since)),
});

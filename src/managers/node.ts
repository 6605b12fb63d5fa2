import type { Mono } from '../core/clocks.ts';
import { quietMs } from '../core/evidence.ts';
import { onRenew } from '../core/lease.ts';
import type { SeatDigest } from '../ports/store.ts';
import type { UserId } from '../protocol/ids.ts';
import type { Context } from './context.ts';
import type { FactoryEvents } from './events.ts';
import type { WebSocketManager } from './manager.ts';

/** Share by which renewals vary, so that nodes do not renew in step. */
const SPREAD = 0.1;

interface Renewed {
  readonly manager: WebSocketManager;
  readonly user: UserId;
  readonly digest: SeatDigest;
}

/** Keeps the seats of this node's managers alive in the store, and learns there what became of them. */
export class Leases {
  readonly #context: Context;
  readonly #evicted: (manager: WebSocketManager) => void;
  #cancel: () => void = () => {};
  #stopped = false;
  /** When all seats of this node were good for a whole lease from then on. */
  #goodFrom: Mono;

  constructor(context: Context, evicted: (manager: WebSocketManager) => void) {
    this.#context = context;
    this.#evicted = evicted;
    this.#goodFrom = context.mono();
    this.#arm();
  }

  #arm(): void {
    if (this.#stopped) return;
    const { lease } = this.#context.options;
    const delayMs = lease.renewMs * (1 - SPREAD + 2 * SPREAD * this.#context.random.share());
    this.#cancel = this.#context.clock.after(delayMs, () => {
      this.#renew().then(
        () => this.#arm(),
        (error: unknown) => {
          // Nobody is dropped because the store is away: seats are renewed or adopted when it is back.
          this.#context.telemetry.record({
            severity: 'WARNING',
            event: 'lease-renewal-failed',
            message: error instanceof Error ? error.message : String(error),
          });
          this.#arm();
        },
      );
    });
  }

  /** Until the first of our seats ends if none is renewed any more. */
  get remainingMs(): number {
    return Math.max(0, Math.round(this.#goodFrom + this.#context.options.lease.ttlMs - this.#context.mono()));
  }

  async #renew(): Promise<void> {
    const { registry } = this.#context;
    const startedAt = this.#context.mono();
    const held: Renewed[] = [];
    for (const manager of registry.all())
      if (manager.seat !== null) held.push({ manager, user: manager.user.userId, digest: digestOf(this.#context, manager, manager.seat.token) });
    if (held.length > 0) await this.#renewAll(held);
    this.#goodFrom = startedAt;
  }

  async #renewAll(held: readonly Renewed[]): Promise<void> {
    const { store, node, options } = this.#context;
    const answers = await store.seats.renew(node, held, options.lease.ttlMs).catch((error: unknown) => {
      this.#tell('failed', held.length);
      throw error;
    });
    let renewed = 0;
    for (const [i, { manager, user, digest }] of held.entries()) {
      if (!(await this.#stillHolds(manager, digest.token))) continue;
      const act = onRenew(answers[i] as (typeof answers)[number]);
      if (act.do === 'adopt') {
        const adopted = await store.seats.adopt(user, digest, options.lease.ttlMs);
        if (adopted === 'OK') this.#tell('adopted', 1);
        else if (await this.#stillHolds(manager, digest.token)) this.#end(manager);
      } else if (act.do === 'end') this.#end(manager);
      else renewed++;
    }
    if (renewed > 0) this.#tell('ok', renewed);
  }

  #end(manager: WebSocketManager): void {
    this.#tell('ended', 1);
    this.#evicted(manager);
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

/** What the store keeps of a manager under a seat. */
export const digestOf = (context: Context, manager: WebSocketManager, token: number): SeatDigest => ({
  manager: manager.id,
  token,
  node: context.node,
  verdict: manager.verdict.is,
  quietMs: Math.round(quietMs(manager.evidence, context.now())),
  run: manager.evidence.run,
});

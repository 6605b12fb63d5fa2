import { judgeTransport, nextProbe, type ProbeMode } from '../core/ask.ts';
import { type Attentive, attentive } from '../core/clocks.ts';
import { onGap } from '../core/gather.ts';
import { CALM, stepWatch, type Watch } from '../core/watch.ts';
import { BUCKET_MS, Wheel } from '../core/wheel.ts';
import type { UserId } from '../protocol/ids.ts';
import type { Context } from './context.ts';
import type { CleanupReport } from './events.ts';
import type { WebSocketManager } from './manager.ts';
import { sweep } from './sweep.ts';

const REPAY_EVERY_MS = 1_000;

/** The eyes of a factory: asks transports and applications, ends what is proved dead, and frees it in the background. */
export class WatchTower {
  readonly #context: Context;
  readonly #onCleanup: (report: CleanupReport) => void;
  readonly #watches = new Map<UserId, Watch>();
  /** When to look at whom next: one wheel for all, no timer a manager. */
  readonly #wheel = new Wheel<WebSocketManager, Attentive>();
  readonly #cancels = new Set<() => void>();
  #stopped = false;

  constructor(context: Context, onCleanup: (report: CleanupReport) => void) {
    this.#context = context;
    this.#onCleanup = onCleanup;
    this.#every(BUCKET_MS, () => this.#lookAround());
    this.#every(context.options.cleanup.passMs, () => this.#pass());
    this.#every(REPAY_EVERY_MS, () => this.#repay());
  }

  #every(ms: number, act: () => void): void {
    let cancel = (): void => {};
    const arm = (): void => {
      this.#cancels.delete(cancel);
      if (this.#stopped) return;
      cancel = this.#context.clock.after(ms, () => {
        act();
        arm();
      });
      this.#cancels.add(cancel);
    };
    arm();
  }

  /** We stalled: probes that were out meanwhile accuse nobody. */
  stalled(gapMs: number): void {
    for (const manager of this.#context.registry.all()) if (manager.evidence.probe !== null) manager.observe((e) => onGap(e, gapMs));
  }

  /** Something about `manager` may be due within `inMs`. Cheap; a later look that is planned already gives way. */
  look(manager: WebSocketManager, inMs: number): void {
    const at = attentive(this.#context.now() + inMs);
    const planned = this.#wheel.at(manager);
    if (planned === undefined || at < planned) this.#wheel.set(manager, at);
  }

  #lookAround(): void {
    for (const manager of this.#wheel.advance(this.#context.now())) this.#lookAt(manager);
  }

  /** Asks what must be asked now, and plans the next look. */
  #lookAt(manager: WebSocketManager): void {
    const { options } = this.#context;
    const attachment = manager.attachment;
    if (!attachment) return;
    const now = this.#context.now();
    const transport = judgeTransport(manager.evidence, this.#context.self(), options, now);
    if (transport.is === 'dead') {
      // Its socket is ended at once; the manager keeps its seat for its return, uncounted.
      if (manager.transportLost(attachment, transport.reason)) attachment.socket.terminate(0);
      return;
    }
    if (transport.is === 'ping-due') attachment.ping();
    const mode: ProbeMode = this.#watches.get(manager.user.userId)?.probing ? 'watch' : 'calm';
    const probe = nextProbe(manager.evidence, mode, options, now);
    if (probe.do === 'probe') attachment.probe();
    const { pingedAt, pongAt } = manager.evidence;
    const probeAt = probe.do === 'wait' ? probe.until : now + options.health.ackQuietMs;
    this.#wheel.set(manager, attentive(Math.max(now + 1, Math.min(probeAt, pingedAt + options.health.pingEveryMs, pongAt + options.health.transportDeadMs))));
  }

  /** Frees the dead before anybody needs their seats. */
  #pass(): void {
    const { registry, options, telemetry } = this.#context;
    telemetry.record({ severity: 'DEBUG', event: 'cleanup-heartbeat', message: 'The background pass ran.' });
    for (const user of [...registry.users]) {
      const seats = this.#seatsOf(user);
      const step = stepWatch(this.#watches.get(user) ?? CALM, seats, options.limits.perUser, options, this.#context.mono());
      if (step.watch.level === null && !step.watch.probing) this.#watches.delete(user);
      else this.#watches.set(user, step.watch);
      // Whoever's evidence is old is asked now rather than at the next heartbeat.
      if (step.probing) for (const manager of registry.of(user)) this.look(manager, 0);
      if (options.cleanup.proactive) this.#sweep(user, 'proactive');
    }
    for (const user of this.#watches.keys()) if (registry.of(user).size === 0) this.#watches.delete(user);
  }

  #seatsOf(user: UserId): number {
    let seats = 0;
    for (const m of this.#context.registry.of(user)) if (m.seat !== null) seats++;
    return seats;
  }

  #sweep(user: UserId, trigger: 'proactive'): void {
    if (![...this.#context.registry.of(user)].some((m) => m.seat !== null && m.verdict.proof)) return;
    this.#inLane(user, () => sweep(this.#context, { user, level: 'moderate', need: 0, liveMax: 0, trigger, requester: null, label: null }));
  }

  /** Seats above the limit are given back after a burst lease: idle ones first, the rest when their time is over. */
  #repay(): void {
    const { registry, options, store, seatLimits } = this.#context;
    const soft = options.limits.perUser;
    for (const user of [...registry.users]) {
      if (this.#seatsOf(user) <= soft) continue;
      this.#inLane(user, async () => {
        const { burst, seats, now } = await store.seats.facts(user, seatLimits);
        if (burst.in !== 'debt' || seats.length <= soft) return null;
        const need = seats.length - soft;
        const isOverdue = now - burst.since >= options.limits.burst.debtMaxMs;
        return await sweep(this.#context, {
          user,
          level: isOverdue ? 'force' : 'aggressive',
          need,
          liveMax: need,
          trigger: 'repay',
          requester: null,
          label: null,
        });
      });
    }
  }

  #inLane(user: UserId, work: () => Promise<CleanupReport | null>): void {
    this.#context.lanes.run(user, work).then(
      (report) => {
        if (report && report.victims.length > 0) this.#onCleanup(report);
      },
      (error: unknown) =>
        this.#context.telemetry.record({
          severity: 'ERROR',
          event: 'cleanup-failed',
          message: `A background cleanup failed: ${error instanceof Error ? error.message : String(error)}`,
          user,
        }),
    );
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }
}

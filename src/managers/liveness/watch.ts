import { judgeTransport, nextProbe } from '../../core/ask.ts';
import { type Attentive, attentive, mono } from '../../core/clocks.ts';
import { applicationAt, type Evidence, isOver } from '../../core/evidence.ts';
import { onGap } from '../../core/gather.ts';
import { judgeAgainAt, type Verdict } from '../../core/judge.ts';
import { Wheel } from '../../core/wheel.ts';
import type { UserId } from '../../protocol/ids.ts';
import { BackgroundPass } from '../cleanup/background-pass.ts';
import { Repayment } from '../cleanup/repayment.ts';
import type { Context } from '../context.ts';
import type { CleanupReport } from '../events.ts';
import { every } from '../every.ts';
import type { WebSocketManager } from '../manager.ts';
import { RealTime } from './real-time.ts';

/** How late a look may come: twice this. With the shorter times a page would be a suspect before it was asked. */
const LOOK_EVERY_MS = { default: 100, fast: 50 } as const;
/** How often whoever is under watch is asked, if their evidence is old. */
const ROUND_EVERY_MS = { default: 1_000, fast: 100 } as const;

/** From this pressure on the silent are given less time the higher it is, and other users raise it too. */
const PRESSED = 0.7;
/** How long a verdict may lag behind what it would be now. */
const LAG_MS = 500;

/** The eyes of a factory: asks transports and applications, ends what is proved dead, and notices when a verdict becomes another one.
 *  What it sees, the background pass and the repayment of bursts act on. */
export class WatchTower {
  readonly #context: Context;
  readonly #pass: BackgroundPass;
  readonly #repayment: Repayment;
  /** When to look at whom next: one wheel for all, no timer a manager. */
  readonly #wheel: Wheel<WebSocketManager, Attentive>;
  readonly #realTime: RealTime;
  readonly #stops: readonly (() => void)[];
  /** Our own health as it was when everybody who is doubted was judged by it. */
  #score = 0;
  #stopped = false;

  constructor(context: Context, onCleanup: (report: CleanupReport) => void) {
    this.#context = context;
    this.#pass = new BackgroundPass(context, onCleanup, (manager) => this.look(manager, 0));
    this.#repayment = new Repayment(context, onCleanup);
    const { timing, health } = context.options;
    this.#realTime = new RealTime(health.clientTimeoutMs);
    this.#wheel = new Wheel(LOOK_EVERY_MS[timing]);
    this.#stops = [every(context, LOOK_EVERY_MS[timing], () => this.#lookAround()), every(context, ROUND_EVERY_MS[timing], () => this.#everyRound())];
  }

  /** We stalled: probes that were out meanwhile accuse nobody. */
  stalled(gapMs: number): void {
    for (const manager of this.#context.registry.all()) {
      if (manager.evidence.probe === null) continue;
      manager.observe((e) => onGap(e, gapMs));
      if (!manager.isHealthy) this.look(manager, 0);
    }
  }

  /** Whoever is doubted is judged anew when we ourselves are better or worse. */
  #mindOurselves(): void {
    const { registry, score } = this.#context;
    if (score() === this.#score) return;
    this.#score = score();
    for (const manager of registry.all()) if (manager.isDoubted) this.look(manager, 0);
  }

  /** Something about `manager` may be due within `inMs`. Cheap; a later look that is planned already gives way. */
  look(manager: WebSocketManager, inMs: number): void {
    const at = attentive(this.#context.now() + inMs);
    const planned = this.#wheel.at(manager);
    if (planned === undefined || at < planned) this.#wheel.set(manager, at);
  }

  /** Seats of `user` changed, and with them how pressed the user is. */
  changed(user: UserId): void {
    this.#pass.changed(user);
  }

  /** The verdict on `manager` is `verdict` from now on, and was another one. */
  judged(manager: WebSocketManager, verdict: Verdict, was: Verdict | null): void {
    if (verdict.is === 'zombie') this.#pass.found(manager.user.userId);
    if (manager.seat !== null && verdict.proof !== (was?.proof ?? false)) this.#context.changed(manager.user.userId);
  }

  #lookAround(): void {
    this.#mindOurselves();
    const due = this.#wheel.advance(this.#context.now());
    // What has arrived is read first: it may be the answer.
    this.#afterReads(() => {
      this.#context.probes.settle();
      for (const manager of due) this.#guarded(manager, () => this.#lookAt(manager));
    });
  }

  #afterReads(act: () => void): void {
    const { clock } = this.#context;
    clock.soon(() =>
      clock.soon(() => {
        if (!this.#stopped) act();
      }),
    );
  }

  /** Trouble with one manager is no trouble of the others. */
  #guarded(manager: WebSocketManager, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#context.telemetry.record({ severity: 'ERROR', event: 'watch-failed', message: String(error), manager: manager.id });
    }
  }

  /** Asks what must be asked now, judges, and plans the next look. */
  #lookAt(manager: WebSocketManager): void {
    if (manager.seat === null) return;
    const { options, pressure } = this.#context;
    const { attachment } = manager;
    const user = manager.user.userId;
    if (!attachment) {
      // Detached, its verdict stands until it returns; who cannot return gives its seat back at once.
      if (manager.verdict.proof && isOver(manager.evidence)) this.#pass.free(user);
      return;
    }
    const now = this.#context.now();
    const self = this.#context.self(user);
    const transport = judgeTransport(manager.evidence, self, options, now);
    if (transport.is === 'dead') {
      // Its socket is ended at once; the manager keeps its seat for its return, uncounted.
      if (manager.transportLost(attachment, transport.reason)) attachment.socket.terminate(0);
      return;
    }
    if (transport.is === 'ping-due') attachment.ping();
    const probe = nextProbe(manager.evidence, 'calm', options, now);
    if (probe.do === 'probe') attachment.probe();
    // Giving the verdict is what makes counters, records and notices true without anybody asking for it.
    void manager.verdict;
    const { evidence } = manager;
    const p = pressure(user);
    const nextAt = Math.min(
      manager.isDoubted && p > PRESSED ? now + LAG_MS : Number.POSITIVE_INFINITY,
      probe.do === 'wait' ? probe.until : now + options.health.ackQuietMs,
      evidence.pingedAt + options.health.pingEveryMs,
      evidence.pongAt + options.health.transportDeadMs,
      judgeAgainAt(evidence, self, p, options, now),
    );
    this.#wheel.set(manager, attentive(Math.max(now + 1, nextAt)));
  }

  #everyRound(): void {
    this.#breakSilence();
    this.#round();
  }

  /** Clients drop a transport on which nothing came for `clientTimeoutMs`, by their clocks. A process that hardly runs would reach its
   *  heartbeats too late, since they are due by the clock of its attention, and lose everybody who has nothing else to hear. */
  #breakSilence(): void {
    const { registry, options, clock } = this.#context;
    const now = mono(clock.mono());
    this.#realTime.note(this.#context.now(), now);
    if (this.#realTime.missedMs < options.health.pingEveryMs) return;
    for (const manager of registry.all()) {
      const { attachment, evidence } = manager;
      if (attachment === null || evidence.class === 'unverifiable') continue;
      if (this.#realTime.since(evidence.sentAt, now) >= options.health.heartbeatMs) this.#guarded(manager, () => attachment.probe());
    }
  }

  /** Asks whoever is under watch and was not heard for long: a user's all at once. Who owes an answer is asked again at its heartbeat,
   *  or here while suspects are hunted. */
  #round(): void {
    const { registry, options } = this.#context;
    const now = this.#context.now();
    for (const user of this.#pass.watched()) {
      const isHunted = this.#pass.isHunting(user);
      for (const manager of registry.of(user)) {
        const { attachment, evidence } = manager;
        if (attachment === null || (owesAnswer(evidence) && !isHunted)) continue;
        this.#guarded(manager, () => {
          if (nextProbe(evidence, 'watch', options, now).do === 'probe') attachment.probe();
        });
      }
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const stop of this.#stops) stop();
    this.#pass.stop();
    this.#repayment.stop();
  }
}

/** Whether a question that left after the last sign of life is unanswered. */
const owesAnswer = ({ probe, ...e }: Evidence): boolean =>
  probe !== null && probe.flushedAt !== null && probe.standing !== 'voided' && probe.flushedAt >= applicationAt({ ...e, probe });

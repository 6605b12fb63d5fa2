import type { Evidence } from '../core/evidence.ts';
import { newEvidence } from '../core/evidence.ts';
import { onAttached, onLink, onRun } from '../core/gather.ts';
import { judge, type Verdict } from '../core/judge.ts';
import { type LifecycleEvent, type ManagerState, target } from '../core/lifecycle.ts';
import { type Candidate, toCandidate } from '../core/victims.ts';
import type { Transport } from '../ports/transport.ts';
import { SpillwayError } from '../protocol/errors.ts';
import type { From } from '../protocol/frames.ts';
import type { ManagerId, ThreadId } from '../protocol/ids.ts';
import type { Limits, Notice, Visibility } from '../protocol/messages.ts';
import type { Position } from '../protocol/position.ts';
import type { EndReason, LostReason } from '../protocol/reasons.ts';
import type { LifeSignal } from './cleanup/regret.ts';
import type { CountedSocket } from './cleanup/sockets.ts';
import type { Context } from './context.ts';
import { Attachment } from './delivery/attachment.ts';
import { Emitter } from './emitter.ts';
import type { Counted, Group } from './inspection/standing.ts';
import type { ClientInfo, Seat, UserContext } from './user-context.ts';

export type { ClientInfo, Seat, UserContext } from './user-context.ts';

/** One logical client session: it holds one seat of its user's limit and has no or one transport. It outlives its sockets. */
export class WebSocketManager extends Emitter implements Counted {
  readonly id: ManagerId;
  readonly user: UserContext;
  /** When it was made, milliseconds since the Unix epoch. */
  readonly openedAt: number;
  client: ClientInfo = { name: 'unknown', label: null };
  /** Number of its transports so far; resume tokens carry it. */
  serial = 0;
  /** Whether the newest resume token has arrived, so that the one before it is void. */
  confirmed = false;
  group: Group | null = null;
  /** Settles when it is known whether an eviction that is under way takes its seat; null while none is. */
  leaving: Promise<unknown> | null = null;
  readonly #context: Context;
  /** Null until something is acknowledged. */
  #acknowledged: Map<ThreadId, Position> | null = null;
  #state: ManagerState = 'admitting';
  #evidence: Evidence;
  #verdict: Verdict | null = null;
  #version = 0;
  #seat: Seat | null = null;
  #attachment: Attachment | null = null;
  /** What was known when the step that may take its seat began. */
  #heardBefore: Evidence | null = null;
  #pinned = false;
  #limits = '';

  constructor(context: Context, id: ManagerId, user: UserContext, visibility: Visibility | 'unknown' = 'unknown') {
    super(context, user, id);
    this.#context = context;
    this.id = id;
    this.user = user;
    this.openedAt = context.clock.wall();
    this.#evidence = newEvidence({ managerId: id, userId: user.userId, class: 'acking', visibility, link: { is: 'open' } }, context.now());
  }

  get state(): ManagerState {
    return this.#state;
  }
  get evidence(): Evidence {
    return this.#evidence;
  }
  get seat(): Seat | null {
    return this.#seat;
  }
  get attachment(): Attachment | null {
    return this.#attachment;
  }
  get pinned(): boolean {
    return this.#pinned;
  }

  /** Judged now, with the evidence it rests on. It stands from here on. */
  get verdict(): Verdict {
    const was = this.#verdict;
    const verdict = this.#judged();
    this.#verdict = verdict;
    if (verdict.is !== was?.is) {
      this.#version++;
      this.#count();
      this.#context.judged(this, verdict, was);
    }
    return verdict;
  }

  /** Where it stands among all, as its last verdict says. */
  #count(): void {
    const { standing } = this.#context;
    if (this.#seat === null || this.#verdict === null) standing.leaves(this);
    else standing.stands(this, this.user.tier, this.#verdict.is, !this.#verdict.proof && this.leaving === null);
  }

  /** Whether its last verdict was `healthy`. */
  get isHealthy(): boolean {
    return this.#verdict?.is === 'healthy';
  }

  /** Whether something spoke against it when it was judged last, and it was not proved dead. */
  get isDoubted(): boolean {
    return this.#verdict?.is === 'suspect' || this.#verdict?.is === 'unknown';
  }

  /** Something speaks for it: unless its verdict says so already, it is judged again at once, so that no figure lags behind. */
  #reconsider(): void {
    if (!this.isHealthy) this.#context.look(this, 0);
  }

  #judged(): Verdict {
    const { self, pressure, options, now } = this.#context;
    return judge(this.#evidence, this.#verdict, self(this.user.userId), pressure(this.user.userId), options, now());
  }

  /** As a cleanup plan sees it; null without a seat. */
  candidate(): Candidate | null {
    return this.#seat === null ? null : this.#candidate(this.#seat, this.verdict, this.#version);
  }

  /** What `candidate` would answer now, without giving a verdict: nothing changes by looking. */
  glance(): Candidate | null {
    if (this.#seat === null) return null;
    const verdict = this.#judged();
    return this.#candidate(this.#seat, verdict, verdict.is === this.#verdict?.is ? this.#version : this.#version + 1);
  }

  #candidate(seat: Seat, verdict: Verdict, version: number): Candidate {
    const { options, now } = this.#context;
    return toCandidate(
      this.#evidence,
      verdict,
      { version, token: seat.token, pinned: this.#pinned, promised: this.#attachment?.settling != null },
      options,
      now(),
    );
  }

  /** The only way in which its state changes. False: the event means nothing in this state, as one that comes too late. */
  apply(event: LifecycleEvent): boolean {
    const next = target(this.#state, event);
    if (next === null) return false;
    this.#state = next;
    return true;
  }

  /** Changes the evidence. `isApplication`: a sign of life of the application, which a cleanup plan must notice. */
  observe(change: (e: Evidence) => Evidence, isApplication = false): void {
    this.#evidence = change(this.#evidence);
    if (!isApplication) return;
    this.#version++;
    this.#reconsider();
  }

  // ---- seat and transport

  /** It got its seat. */
  seated(seat: Seat, transport: { readonly transport: Transport; readonly socket: CountedSocket } | null, visibility: Visibility | undefined): void {
    this.#seat = seat;
    this.apply('seated');
    const now = this.#context.now();
    this.#evidence = {
      ...newEvidence({ managerId: this.id, userId: this.user.userId, class: transport?.transport.class ?? 'acking', visibility: visibility ?? 'unknown' }, now),
    };
    if (transport) this.#take(transport.transport, transport.socket);
    else {
      this.apply('transport-lost');
      this.#evidence = onLink(this.#evidence, { is: 'lost', since: now, reason: 'transport-lost' });
    }
    void this.verdict;
  }

  /** The store gave its seat anew, to another attempt under its id. */
  reseated(seat: Seat): void {
    if (this.#seat) this.#seat = seat;
  }

  /** Runs the step that may take its seat away. Whoever returns to it meanwhile waits for the outcome. */
  async whileLeaving<T>(step: () => Promise<T>): Promise<T> {
    this.#heardBefore = this.#evidence;
    const taken = step();
    // Whoever takes the step hears of its failure; who waits wants to know only that it is over.
    this.leaving = taken.catch(() => {});
    this.#count();
    try {
      return await taken;
    } finally {
      this.leaving = null;
      this.#heardBefore = null;
      this.#count();
    }
  }

  /** Signs of life that came while its seat was being taken. */
  get heardWhileLeaving(): readonly LifeSignal[] {
    const { ackAt, answerAt, inboundAt } = this.#evidence;
    const before = this.#heardBefore;
    if (before === null) return [];
    const signals: LifeSignal[] = [];
    if (ackAt > before.ackAt) signals.push('E1');
    if (answerAt > before.answerAt) signals.push('E2');
    if (inboundAt > before.inboundAt) signals.push('E3');
    return signals;
  }

  /** A new transport for a manager that still has its seat. An older one is fenced here; its farewell is the caller's. */
  reattach(transport: Transport, socket: CountedSocket, visibility: Visibility | undefined): Attachment | null {
    const old = this.#attachment;
    old?.fence();
    this.apply(this.#state === 'detached' ? 'resumed' : 'transport-replaced');
    this.#evidence = onAttached(this.#evidence, { class: transport.class, visibility: visibility ?? this.#evidence.visibility }, this.#context.now());
    this.#version++;
    this.#take(transport, socket);
    void this.verdict;
    return old;
  }

  #take(transport: Transport, socket: CountedSocket): void {
    this.serial++;
    this.confirmed = false;
    this.#attachment = new Attachment(this.#context, this, transport, socket);
    this.#context.look(this, 0);
  }

  /** The transport of `attachment` is gone. False: it was not the manager's any more. */
  transportLost(attachment: Attachment, reason: LostReason): boolean {
    if (this.#attachment !== attachment) return false;
    attachment.fence();
    this.#attachment = null;
    this.apply('transport-lost');
    this.#evidence = onLink(this.#evidence, { is: 'lost', since: this.#context.now(), reason });
    this.#version++;
    this.#context.look(this, 0);
    void this.verdict;
    this.#context.changed(this.user.userId);
    return true;
  }

  /** Its seat is gone: nothing is delivered or read any more. Returns what it was attached to, for the farewell. */
  fenced(event: 'fenced' | 'released' | 'left', reason: EndReason): Attachment | null {
    const attachment = this.#attachment;
    // What was logged before this instant is announced, so that the farewell's positions are the last word.
    attachment?.fence();
    this.#attachment = null;
    this.#seat = null;
    this.#count();
    if (!this.apply(event)) this.apply('left');
    this.#evidence = onLink(this.#evidence, { is: 'ended', reason });
    this.#context.registry.remove(this);
    return attachment;
  }

  // ---- threads

  /** Whether a run is in progress in a thread that it follows. */
  runsChanged(): void {
    let run = false;
    for (const stream of this.#attachment?.streams ?? []) run ||= stream.activeRun !== null;
    if (run === this.#evidence.run) return;
    this.#evidence = onRun(this.#evidence, run, this.#context.now());
    this.#version++;
    this.#reconsider();
    this.#context.restated(this);
  }

  /** Threads that it follows now. */
  get threads(): readonly ThreadId[] {
    return [...new Set([...(this.#attachment?.streams ?? [])].map((s) => s.key.thread))];
  }

  /** Delivers a thread's events to the attached transport, from `from` on (default: now). */
  follow(thread: ThreadId, from: From = 'now'): void {
    const attachment = this.#attachment;
    if (!attachment)
      throw new SpillwayError('SPILLWAY_BAD_ARGUMENT', 'Expected a manager with a transport to follow a thread; attach one first.', { retry: 'later' });
    let sub = 1;
    while (attachment.delivery.subscriptions.has(sub)) sub++;
    attachment.subscribe({ sub, thread, from });
  }

  unfollow(thread: ThreadId): void {
    const attachment = this.#attachment;
    for (const s of attachment?.delivery.subscriptions.values() ?? []) if (s.cursor.stream.key.thread === thread) attachment?.unsubscribe(s.sub);
  }

  noteAcknowledged(thread: ThreadId, position: Position): void {
    this.#acknowledged ??= new Map();
    this.#acknowledged.set(thread, position);
  }

  /** Up to where the client's application has acknowledged a thread; null before its first ack. */
  acknowledged(thread: ThreadId): Position | null {
    return this.#acknowledged?.get(thread) ?? null;
  }

  /** Sends `limits` if they are not what was told last. */
  tellLimits(limits: Limits): void {
    if (this.noteLimits(limits)) this.#attachment?.send({ type: 'limits', ...limits });
  }

  /** What `ready` told of them. False: nothing new. */
  noteLimits(limits: Limits): boolean {
    const text = JSON.stringify(limits);
    if (text === this.#limits) return false;
    this.#limits = text;
    return true;
  }

  notify(notice: Notice): void {
    this.#attachment?.notify(notice);
  }

  /** Keeps it from being taken while it lives. False: too many of the user's managers are pinned. */
  pin(): boolean {
    const { registry, options } = this.#context;
    const pinned = [...registry.of(this.user.userId)].filter((m) => m.#pinned && m !== this).length;
    if (pinned + 1 > Math.max(0, options.limits.perUser - options.cleanup.maxPinnedSpare)) return false;
    this.#pinned = true;
    this.#context.restated(this);
    return true;
  }

  unpin(): void {
    this.#pinned = false;
    this.#context.restated(this);
  }

  /** Gives the seat back and ends the transport; the story stays. */
  async release(): Promise<void> {
    await this.#context.release(this);
  }
}

import type { Mono } from '../../core/clocks.ts';
import { onAck, onExcused, onInbound, onOutput, onSent, onVisibility } from '../../core/gather.ts';
import { ackWindow } from '../../core/window.ts';
import type { Transport } from '../../ports/transport.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { BOUNDS, type ClientFrame, type ErrorFrame, type ServerFrame, type Subscribe } from '../../protocol/frames.ts';
import type { Notice, NoticeKind, Visibility } from '../../protocol/messages.ts';
import { Cursor } from '../../streams/cursor.ts';
import type { Stream } from '../../streams/stream.ts';
import type { LifeSignal } from '../cleanup/regret.ts';
import type { CountedSocket } from '../cleanup/sockets.ts';
import type { Context } from '../context.ts';
import type { WebSocketManager } from '../manager.ts';
import { Delivery, type DeliveryObserver } from './deliver.ts';
import { Questions } from './questions.ts';

/** A manager's time on one transport: what is delivered on it, asked on it and observed on it. */
export class Attachment {
  readonly transport: Transport;
  readonly delivery: Delivery;
  /** When it began. */
  readonly since: Mono;
  readonly socket: CountedSocket;
  readonly #context: Context;
  readonly #manager: WebSocketManager;
  readonly #streams = new Map<number, Stream>();
  readonly #opening = new Set<number>();
  readonly #questions: Questions;
  #requests: Promise<void> = Promise.resolve();
  #ended = false;
  #owedAtFence = false;
  /** Whether the kernel has not taken all that was written last. */
  #isStuck = false;
  /** Notices that were handed over and are not written yet. */
  #untold: NoticeKind[] = [];
  #wasGapped = false;
  #late: ((signal: LifeSignal) => void) | null = null;
  #settling: { readonly over: Promise<void>; readonly end: () => void } | null = null;

  constructor(context: Context, manager: WebSocketManager, transport: Transport, socket: CountedSocket) {
    this.#context = context;
    this.#manager = manager;
    this.transport = transport;
    this.socket = socket;
    this.since = context.mono();
    socket.carries(manager.id);
    const observer: DeliveryObserver = {
      window: () => ackWindow(manager.evidence.ackBytesPerS, context.options),
      sent: (owed) => {
        const wasOwed = manager.evidence.owed !== null;
        manager.observe((e) => onSent(e, owed, context.now()));
        if (!wasOwed && manager.evidence.owed !== null) context.look(manager, manager.isHealthy ? context.options.health.ackQuietMs : 0);
        this.#noteOutput();
        if (this.#untold.length > 0) this.#tellShown();
      },
      excused: (left) => {
        manager.observe((e) => onExcused(e, left));
        context.look(manager, 0);
      },
      gapped: (thread) => {
        this.#wasGapped = true;
        context.events.emit('gap-told', { user: manager.user.userId, thread, managerId: manager.id });
      },
      stalled: () => this.probe(),
      failed: (error) => this.#broke(error),
    };
    this.delivery = new Delivery(transport, context.flushes, observer, context.meter);
    this.#questions = new Questions(context, manager, this.delivery);
  }

  get ended(): boolean {
    return this.#ended;
  }
  /** Resolves when its newcomer has arrived (see `arrive`); null where it has. */
  get settling(): Promise<void> | null {
    return this.#settling?.over ?? null;
  }

  /** Somebody was seated just now. Until `arrived`, at most `cleanup.seatPromiseMs`, the seat is promised: without it a newcomer who
   *  had no time yet to say what for would look like the cheapest one to give way to the next. */
  arrive(): void {
    let resolve = (): void => {};
    const over = new Promise<void>((done) => {
      resolve = done;
    });
    const cancel = this.#context.clock.after(this.#context.options.cleanup.seatPromiseMs, () => this.arrived());
    this.#settling = {
      over,
      end: () => {
        cancel();
        resolve();
      },
    };
  }

  /** What its newcomer sent while it waited has been taken in hand. */
  arrived(): void {
    const settling = this.#settling;
    this.#settling = null;
    settling?.end();
  }

  get streams(): Iterable<Stream> {
    return this.#streams.values();
  }

  send(frame: ServerFrame): void {
    this.delivery.send(frame);
  }

  /** Shows a notice, or takes one back. */
  notify(notice: Notice): void {
    if (notice.cleared !== true) this.#untold.push(notice.kind);
    this.send({ type: 'notice', ...notice });
  }

  #tellShown(): void {
    for (const kind of this.#untold.splice(0)) this.#context.events.emit('notice-shown', { user: this.#manager.user.userId, kind });
  }

  /** Calls back when the requests that came so far have been answered, also if it has ended by then. `gapped`: whether the client was told
   *  of a gap. */
  afterRequests(callback: (gapped: boolean) => void): void {
    void this.#requests.then(() => callback(this.#wasGapped));
  }

  fail(code: ErrorFrame['code'], message: string, ref: NonNullable<ErrorFrame['ref']>, retryable = false, retryAfterMs?: number): void {
    this.send({ type: 'error', code, message, retryable, ...(retryAfterMs === undefined ? {} : { retryAfterMs }), ref });
  }

  /** Runs `work` after every request before it: subscriptions act in the order in which they came. */
  inOrder(work: () => Promise<void> | void): void {
    this.#requests = this.#requests
      .then(async () => {
        if (!this.#ended) await work();
      })
      // One request that fails by an error of ours must not silence those behind it.
      .catch((error: unknown) => this.#context.telemetry.record({ severity: 'ERROR', event: 'request-failed', message: String(error) }));
  }

  /** Subscribes, after the requests before it. Answers on the wire. */
  subscribe(request: Omit<Subscribe, 'type'>): void {
    this.#manager.observe((e) => onInbound(e, this.#context.now()), true);
    this.inOrder(() => this.#open(request));
  }

  async #open(request: Omit<Subscribe, 'type'>): Promise<void> {
    const { sub, thread } = request;
    const ref = { type: 'subscribe', sub };
    if (this.delivery.subscriptions.has(sub) || this.#opening.has(sub)) {
      this.fail('bad-request', `Expected \`sub\` to be free on this connection, got ${sub}, which is in use. Unsubscribe it first or choose another.`, ref);
      return;
    }
    if (this.delivery.subscriptions.size >= BOUNDS.subs) {
      this.fail('bad-request', `Expected at most ${BOUNDS.subs} subscriptions on a connection. Unsubscribe one first.`, ref);
      return;
    }
    this.#opening.add(sub);
    let stream: Stream | null = null;
    try {
      stream = await this.#context.streams.hold({ user: this.#manager.user.userId, thread });
      const cursor = await Cursor.open(stream, request.from ?? 'now', this.delivery.wake, this.#runChanged);
      if (this.#ended) {
        cursor.end();
        this.#context.streams.release(stream);
        return;
      }
      this.#streams.set(sub, stream);
      this.send({
        type: 'subscribed',
        sub,
        thread,
        epoch: cursor.epoch,
        offset: cursor.startedAt,
        head: cursor.head,
        codec: request.codec ?? 'agent-events',
        activeRun: stream.activeRun?.id ?? null,
      });
      this.#wasGapped ||= cursor.hasGap;
      this.delivery.add(sub, cursor);
      this.#manager.runsChanged();
    } catch (error) {
      if (stream) this.#context.streams.release(stream);
      const detail = SpillwayError.is(error) ? error.message : 'The conversation could not be read.';
      this.fail('store-unavailable', detail, ref, true, 1_000);
    } finally {
      this.#opening.delete(sub);
    }
  }

  unsubscribe(sub: number): void {
    this.inOrder(() => {
      if (!this.delivery.remove(sub)) return;
      this.#releaseStream(sub);
      this.#manager.runsChanged();
      this.send({ type: 'unsubscribed', sub });
    });
  }

  #releaseStream(sub: number): void {
    const stream = this.#streams.get(sub);
    this.#streams.delete(sub);
    if (stream) this.#context.streams.release(stream);
  }

  readonly #runChanged = (): void => this.#manager.runsChanged();

  // ---- evidence

  /** `ahead`: the client acknowledged what was never sent. */
  acknowledged(sub: number, offset: number): 'ok' | 'ahead' {
    const progress = this.delivery.acknowledge(sub, offset);
    if (progress === 'ahead') return 'ahead';
    if (progress === 'none') return 'ok';
    const cursor = this.delivery.subscriptions.get(sub)?.cursor;
    if (cursor) this.#manager.noteAcknowledged(cursor.stream.key.thread, { epoch: cursor.epoch, offset });
    this.#manager.observe((e) => onAck(e, { bytes: progress.bytes }, this.delivery.owed, this.#context.now()), true);
    const { events, meter } = this.#context;
    if (events.hears('acknowledged')) events.emit('acknowledged', { managerId: this.#manager.id, delayMs: Math.max(0, meter.now() - progress.writtenAt) });
    // What is owed still is asked for in its own time, however far ahead the next look was planned.
    if (this.#manager.evidence.owed !== null) this.#context.look(this.#manager, this.#context.options.health.ackQuietMs);
    return 'ok';
  }

  /** Asks the application. False: it could not be written, and its silence accuses nobody. */
  probe(): boolean {
    return this.#questions.probe();
  }

  probeAnswered(n: number, visibility: Visibility | undefined): void {
    this.#questions.answered(n);
    if (visibility) this.seen(visibility);
  }

  seen(visibility: Visibility): void {
    const isNews = this.#manager.evidence.visibility !== visibility;
    this.#manager.observe((e) => onVisibility(e, visibility));
    if (isNews) this.#context.restated(this.#manager);
  }

  /** `send`, `subscribe`, `cancel` came. */
  requested(): void {
    this.#manager.observe((e) => onInbound(e, this.#context.now()), true);
  }

  ping(): void {
    this.#questions.ping();
  }

  ponged(nonce: Uint8Array): void {
    this.#questions.ponged(nonce);
  }

  /** The kernel took everything that was handed over. */
  drained(): void {
    this.#setStuck(false);
    this.#questions.drained();
    this.delivery.drained();
  }

  #noteOutput(): void {
    this.#setStuck(this.transport.unsentBytes > 0);
  }

  #setStuck(isStuck: boolean): void {
    const manager = this.#manager;
    manager.observe((e) => onOutput(e, isStuck, this.#context.now()));
    if (isStuck === this.#isStuck || this.#ended) return;
    this.#isStuck = isStuck;
    this.#context.meter.holds(this.transport, isStuck);
    this.#context.look(manager, isStuck ? this.#context.options.health.writeStalledMs : 0);
  }

  /** Its transport threw. A stream with a hole is none: the manager is without transport from here on, and its client may come back. */
  #broke(error: unknown): void {
    this.#context.telemetry.record({ severity: 'WARNING', event: 'transport-failed', message: String(error), manager: this.#manager.id });
    this.#manager.transportLost(this, 'transport-lost');
    this.socket.terminate(0);
  }

  /** Acknowledged positions, as a farewell tells them. */
  positions(): { readonly sub: number; readonly epoch: Stream['epoch']; readonly offset: number }[] {
    return [...this.delivery.subscriptions.values()].map((s) => ({ sub: s.sub, epoch: s.cursor.epoch, offset: s.acked }));
  }

  /** Who hears of signs of life that are read after the fence. */
  onLate(listener: ((signal: LifeSignal) => void) | null): void {
    this.#late = listener;
  }

  /** A frame of this type was read after the fence, and nothing else becomes of it. */
  late(type: ClientFrame['type']): void {
    if (type === 'ack') this.#late?.('E1');
    // Where events are owed, something below the page answers.
    else if (type === 'probe-ok' && !this.#owedAtFence) this.#late?.('E2');
    else if (type === 'send' || type === 'subscribe' || type === 'cancel') this.#late?.('E3');
  }

  /** Nothing is delivered or read on this transport any more. The transport itself is ended by the caller. */
  fence(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.arrived();
    this.#owedAtFence = this.delivery.owed !== null;
    this.delivery.end();
    this.#context.meter.holds(this.transport, false);
    this.#context.probes.forget(this.#manager);
    for (const sub of [...this.#streams.keys()]) this.#releaseStream(sub);
  }
}

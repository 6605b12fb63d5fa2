import type { Owed } from '../../core/evidence.ts';
import type { Transport } from '../../ports/transport.ts';
import { BOUNDS, type ServerFrame } from '../../protocol/frames.ts';
import type { ThreadId } from '../../protocol/ids.ts';
import { writeEventFrame, writeFrame } from '../../protocol/write.ts';
import type { Cursor, CursorGap } from '../../streams/cursor.ts';
import type { Range } from '../../streams/ranges.ts';
import type { Flushes } from './flushes.ts';
import { DeliveryMeter } from './meter.ts';
import { Subscription } from './subscription.ts';

/** What delivery reports to its manager. */
export interface DeliveryObserver {
  /** UTF-8 bytes that may be unacknowledged now, where the client acknowledges. */
  window(): number;
  /** Frames were handed to the transport; `owed` is what of them is to be acknowledged. */
  sent(owed: Omit<Owed, 'since'> | null): void;
  /** Some of what was sent will never be acknowledged; `left` is owed still. */
  excused(left: Omit<Owed, 'since'> | null): void;
  /** The client of this thread is told of a gap. */
  gapped(thread: ThreadId): void;
  /** The window is full, and nothing that was sent has asked for its ack. */
  stalled(): void;
  /** The transport threw: what was handed over is lost, and nothing may follow it. */
  failed(error: unknown): void;
}

interface OwedNow {
  events: number;
  bytes: number;
  critical: boolean;
}

/** Unsent bytes from which on nothing is added: what waits beyond it waits in the log. */
const UNSENT_MAX_BYTES = 256 * 1024;

/** Share of the window after which a frame asks for its ack. */
const ASK_SHARE = 1 / 2;

const ACK_FIELD_BYTES = ',"ack":true'.length;

/** Path of the snapshot that replaces what a gap left out. */
const snapshotPath = (thread: ThreadId): string => `/v1/threads/${encodeURIComponent(thread)}/messages`;

/** Everything that goes to one transport, in order: frames as they are handed over, then events of the subscriptions as far as the
 *  window allows. All of one turn of the event loop leaves in one write. */
export class Delivery {
  readonly transport: Transport;
  readonly subscriptions = new Map<number, Subscription>();
  readonly #observer: DeliveryObserver;
  readonly #flushes: Flushes;
  readonly #meter: DeliveryMeter;
  /** Whether its client acknowledges. Where it does not, nothing is owed and nothing is waited for. */
  readonly #acking: boolean;
  #frames: string[] = [];
  #scheduled = false;
  #held = false;
  #ended = false;
  #sequence = 0;
  // What is unacknowledged, over all subscriptions.
  #owedEvents = 0;
  #owedBytes = 0;
  #owedCritical = 0;
  /** Bytes sent since the last frame that asked for its ack. */
  #unaskedBytes = 0;
  /** When what is being written is written. */
  #writtenAt = 0;
  /** The window takes nothing more before something is acknowledged. */
  #isFull = false;
  #isStalled = false;

  /** `meter`: where the events of all transports are counted. */
  constructor(transport: Transport, flushes: Flushes, observer: DeliveryObserver, meter = new DeliveryMeter()) {
    this.transport = transport;
    this.#flushes = flushes;
    this.#meter = meter;
    this.#observer = observer;
    this.#acking = transport.class === 'acking';
  }

  /** Number of the last event frame sent. */
  get sequence(): number {
    return this.#sequence;
  }

  get unackedBytes(): number {
    return this.#owedBytes;
  }

  get owed(): Omit<Owed, 'since'> | null {
    if (this.#owedEvents === 0) return null;
    return { events: this.#owedEvents, bytes: this.#owedBytes, critical: this.#owedCritical > 0 };
  }

  /** Whether an event sent at or before `sequence` is unacknowledged. */
  owesBefore(sequence: number): boolean {
    for (const s of this.subscriptions.values()) {
      const oldest = s.oldestSequence;
      if (oldest !== null && oldest <= sequence) return true;
    }
    return false;
  }

  /** Hands over a frame; it leaves with everything else of this turn. */
  send(frame: ServerFrame): void {
    if (this.#ended) return;
    this.#frames.push(writeFrame(frame));
    this.wake();
  }

  add(sub: number, cursor: Cursor): void {
    this.subscriptions.set(sub, new Subscription(sub, cursor));
    this.wake();
  }

  remove(sub: number): boolean {
    const subscription = this.subscriptions.get(sub);
    if (!subscription) return false;
    subscription.cursor.end();
    this.subscriptions.delete(sub);
    this.#excuse(subscription);
    return true;
  }

  /** What was sent on a subscription and is unacknowledged will stay so. */
  #excuse(subscription: Subscription): void {
    const { events, bytes, critical } = subscription.owed;
    this.#acquit(events, bytes, critical);
    this.#observer.excused(this.owed);
  }

  #acquit(events: number, bytes: number, critical: number): void {
    this.#owedEvents -= events;
    this.#meter.unacked -= events;
    this.#owedBytes -= bytes;
    this.#owedCritical -= critical;
    // Unless the window was full, all that is due has been written or will be in this turn.
    if (this.#isFull) this.wake();
    this.#isFull = false;
  }

  /** `ahead`: nothing like it was sent. `none`: no progress. Else the bytes that it acknowledged, and when the newest event of them was
   *  written; what they leave room for follows. */
  acknowledge(sub: number, offset: number): 'ahead' | 'none' | { readonly bytes: number; readonly writtenAt: number } {
    const progress = this.subscriptions.get(sub)?.acknowledge(offset) ?? 'none';
    if (progress === 'ahead' || progress === 'none') return progress;
    this.#meter.acked += progress.events;
    this.#acquit(progress.events, progress.bytes, progress.critical);
    return progress;
  }

  /** Something may be due. Cheap; the work is done once a turn. An arrow, since cursors keep it as their callback. */
  readonly wake = (): void => {
    if (this.#scheduled || this.#ended) return;
    this.#scheduled = true;
    this.#flushes.want(this.#flushNow);
  };

  readonly #flushNow = (): void => {
    this.#scheduled = false;
    try {
      this.flush();
    } catch (error) {
      // Other transports wait in the same queue for their turn.
      this.#observer.failed(error);
    }
  };

  /** Writes a question behind everything that was written, and throws what the transport throws: whoever was not asked owes nothing. */
  ask(frame: ServerFrame): void {
    if (this.#ended) return;
    for (const subscription of this.subscriptions.values()) subscription.seal();
    this.transport.send([writeFrame(frame)]);
    this.#observer.sent(null);
  }

  /** Writes what is due, now. */
  flush(): void {
    if (this.#ended) return;
    const messages = this.#frames;
    this.#frames = [];
    const unsentBytes = this.transport.unsentBytes;
    const owed: OwedNow = { events: 0, bytes: 0, critical: false };
    this.#held = unsentBytes > UNSENT_MAX_BYTES;
    if (!this.#held) this.#collect(messages, owed, unsentBytes);
    if (messages.length > 0) {
      try {
        this.transport.send(messages);
      } catch (error) {
        this.#observer.failed(error);
        return;
      }
      this.#observer.sent(owed.events === 0 ? null : owed);
    }
    // The kernel has taken all of it at once: there is room for what was held back.
    if (this.#held && this.transport.unsentBytes === 0) this.wake();
    if (this.#isStalled) {
      this.#isStalled = false;
      this.#observer.stalled();
    }
  }

  /** The kernel took everything: what was held back goes on. */
  drained(): void {
    if (this.#held) this.wake();
  }

  #collect(messages: string[], owed: OwedNow, unsentBytes: number): void {
    if (this.#isFull) return;
    // Who never acknowledges is sent as fast as its connection takes it, which the end of each write tells.
    const window = this.#acking ? this.#observer.window() : BOUNDS.rangeBytes;
    let unacked = this.#acking ? this.#owedBytes : unsentBytes;
    this.#writtenAt = this.#meter.now();
    let progress = true;
    // Round robin over subscriptions, so that a long replay in one does not starve the others.
    while (progress) {
      progress = false;
      for (const subscription of this.subscriptions.values()) {
        // A single entry larger than the window goes alone. In a window at most two frames ask for their ack unless they end a run.
        const step = subscription.cursor.next(Math.min(window - unacked - 2 * ACK_FIELD_BYTES, BOUNDS.rangeBytes), unacked > 0);
        if (step.is === 'nothing') continue;
        if (step.is === 'full') {
          this.#full();
          return;
        }
        progress = true;
        if (step.is === 'replayed') messages.push(writeFrame({ type: 'replayed', sub: subscription.sub, offset: step.offset }));
        else if (step.is === 'gap') messages.push(this.#gapFrame(subscription, step.gap));
        else for (const range of step.ranges) unacked += this.#write(messages, subscription, range, owed, window);
      }
    }
  }

  /** What is due waits in the log, for an ack, or for the kernel to take what was sent. */
  #full(): void {
    for (const { cursor } of this.subscriptions.values()) cursor.rest();
    if (!this.#acking) {
      this.#held = true;
      return;
    }
    this.#isFull = true;
    this.#isStalled = true;
    for (const subscription of this.subscriptions.values()) if (subscription.isAsked) this.#isStalled = false;
  }

  #gapFrame(subscription: Subscription, gap: CursorGap): string {
    this.#excuse(subscription);
    subscription.restarted(gap.to);
    this.#observer.gapped(subscription.cursor.stream.key.thread);
    return writeFrame({
      type: 'gap',
      sub: subscription.sub,
      epoch: gap.epoch,
      from: gap.from,
      to: gap.to,
      reason: gap.reason,
      snapshot: snapshotPath(subscription.cursor.stream.key.thread),
    });
  }

  /** Returns the bytes of the frame. */
  #write(messages: string[], subscription: Subscription, range: Range, owed: OwedNow, window: number): number {
    const { sub } = subscription;
    const sequence = ++this.#sequence;
    const frame = (ack: boolean): string => writeEventFrame({ sub, from: range.from, offset: range.offset, kind: range.kind, ack, data: range.data });
    let text = frame(range.ack === true);
    let bytes = Buffer.byteLength(text);
    const events = range.offset - (range.from ?? range.offset) + 1;
    if (subscription.cursor.isLive) this.#meter.sent += events;
    else this.#meter.replayed += events;
    if (!this.#acking) {
      messages.push(text);
      return bytes;
    }
    const critical = range.ack === true;
    this.#unaskedBytes += bytes;
    // Half a window after the last frame that asked, the next one asks, so that no client's own counting can leave both sides waiting:
    // what does not fit any more waits for an ack that is on its way.
    const asking = critical || this.#unaskedBytes >= window * ASK_SHARE;
    if (asking) {
      this.#unaskedBytes = 0;
      if (!critical) {
        text = frame(true);
        bytes += ACK_FIELD_BYTES;
      }
    }
    messages.push(text);
    subscription.sent({ offset: range.offset, bytes, sequence, at: this.#writtenAt, critical, asking });
    this.#owedEvents += events;
    this.#meter.unacked += events;
    this.#owedBytes += bytes;
    if (critical) this.#owedCritical++;
    owed.events += events;
    owed.bytes += bytes;
    owed.critical ||= critical;
    return bytes;
  }

  /** Nothing is delivered any more: fenced, replaced or gone. */
  end(): void {
    if (!this.#ended) this.#meter.unacked -= this.#owedEvents;
    this.#ended = true;
    for (const s of this.subscriptions.values()) s.cursor.end();
    this.subscriptions.clear();
    this.#frames = [];
  }
}

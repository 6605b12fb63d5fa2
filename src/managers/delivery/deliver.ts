import type { Attentive } from '../../core/clocks.ts';
import type { Owed } from '../../core/evidence.ts';
import type { Transport } from '../../ports/transport.ts';
import { BOUNDS, type ServerFrame } from '../../protocol/frames.ts';
import type { ThreadId } from '../../protocol/ids.ts';
import { writeEventFrame, writeFrame } from '../../protocol/write.ts';
import type { Cursor, CursorGap } from '../../streams/cursor.ts';
import type { Range } from '../../streams/ranges.ts';
import { Subscription } from './subscription.ts';

/** What delivery reports to its manager. */
export interface DeliveryObserver {
  /** UTF-8 bytes that may be unacknowledged now, where the client acknowledges. */
  window(): number;
  now(): Attentive;
  /** Frames were handed to the transport; `owed` is what of them is to be acknowledged. */
  sent(owed: Omit<Owed, 'since'> | null): void;
  /** Some of what was sent will never be acknowledged; `left` is owed still. */
  excused(left: Omit<Owed, 'since'> | null): void;
  /** The transport threw: what was handed over is lost, and nothing may follow it. */
  failed(error: unknown): void;
}

/** Unsent bytes from which on nothing is added: what waits beyond it waits in the log. */
const UNSENT_MAX_BYTES = 256 * 1024;

const ACK_FIELD_BYTES = ',"ack":true'.length;

/** Path of the snapshot that replaces what a gap left out. */
const snapshotPath = (thread: ThreadId): string => `/v1/threads/${encodeURIComponent(thread)}/messages`;

/** Everything that goes to one transport, in order: frames as they are handed over, then events of the subscriptions as far as the
 *  window allows. All of one turn of the event loop leaves in one write. */
export class Delivery {
  readonly transport: Transport;
  readonly subscriptions = new Map<number, Subscription>();
  readonly #observer: DeliveryObserver;
  /** Whether its client acknowledges. Where it does not, nothing is owed and nothing is waited for. */
  readonly #acking: boolean;
  #frames: string[] = [];
  #scheduled = false;
  #held = false;
  #ended = false;
  #sequence = 0;

  constructor(transport: Transport, observer: DeliveryObserver) {
    this.transport = transport;
    this.#observer = observer;
    this.#acking = transport.class === 'acking';
  }

  /** Number of the last event frame sent. */
  get sequence(): number {
    return this.#sequence;
  }

  get unackedBytes(): number {
    let bytes = 0;
    for (const s of this.subscriptions.values()) bytes += s.unackedBytes;
    return bytes;
  }

  get owed(): Omit<Owed, 'since'> | null {
    let events = 0;
    let bytes = 0;
    let critical = false;
    for (const s of this.subscriptions.values()) {
      events += s.unackedEvents;
      bytes += s.unackedBytes;
      critical ||= s.hasCritical;
    }
    return events === 0 ? null : { events, bytes, critical };
  }

  /** Whether an event sent at or before `sequence` is unacknowledged. */
  owesBefore(sequence: number): boolean {
    for (const s of this.subscriptions.values()) {
      const oldest = s.oldestUnacked;
      if (oldest !== null && oldest.sequence <= sequence) return true;
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
    this.#observer.excused(this.owed);
    return true;
  }

  /** Something may be due. Cheap; the work is done once a turn. An arrow, since cursors keep it as their callback. */
  readonly wake = (): void => {
    if (this.#scheduled || this.#ended) return;
    this.#scheduled = true;
    process.nextTick(this.#flushNow);
  };

  readonly #flushNow = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  /** Writes a question behind everything that was written, and throws what the transport throws: whoever was not asked owes nothing. */
  ask(frame: ServerFrame): void {
    if (this.#ended) return;
    this.transport.send([writeFrame(frame)]);
    this.#observer.sent(null);
  }

  /** Writes what is due, now. */
  flush(): void {
    if (this.#ended) return;
    const messages = this.#frames;
    this.#frames = [];
    const unsentBytes = this.transport.unsentBytes;
    this.#held = unsentBytes > UNSENT_MAX_BYTES;
    const owed = { events: 0, bytes: 0, critical: false };
    if (!this.#held) this.#collect(messages, owed, unsentBytes);
    if (messages.length === 0) return;
    try {
      this.transport.send(messages);
    } catch (error) {
      this.#observer.failed(error);
      return;
    }
    this.#observer.sent(owed.events === 0 ? null : owed);
  }

  /** The kernel took everything: what was held back goes on. */
  drained(): void {
    if (this.#held) this.wake();
  }

  #collect(messages: string[], owed: { events: number; bytes: number; critical: boolean }, unsentBytes: number): void {
    // Who never acknowledges is sent as fast as its connection takes it, which the end of each write tells.
    const window = this.#acking ? this.#observer.window() : BOUNDS.rangeBytes;
    let unacked = this.#acking ? this.unackedBytes : unsentBytes;
    let progress = true;
    // Round robin over subscriptions, so that a long replay in one does not starve the others.
    while (progress) {
      progress = false;
      for (const subscription of this.subscriptions.values()) {
        const room = window - unacked;
        // A single entry larger than the window goes alone.
        if (room <= 0 && unacked > 0) {
          this.#held = !this.#acking;
          return;
        }
        const step = subscription.cursor.next(Math.min(Math.max(room, 1), BOUNDS.rangeBytes));
        if (step.is === 'nothing') continue;
        progress = true;
        if (step.is === 'replayed') messages.push(writeFrame({ type: 'replayed', sub: subscription.sub, offset: step.offset }));
        else if (step.is === 'gap') messages.push(this.#gapFrame(subscription, step.gap));
        else for (const range of step.ranges) unacked += this.#write(messages, subscription, range, owed, window - unacked);
      }
    }
  }

  #gapFrame(subscription: Subscription, gap: CursorGap): string {
    subscription.restarted(gap.to);
    this.#observer.excused(this.owed);
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

  #write(messages: string[], subscription: Subscription, range: Range, owed: { events: number; bytes: number; critical: boolean }, room: number): number {
    let text = writeEventFrame({ sub: subscription.sub, ...range });
    let bytes = Buffer.byteLength(text);
    this.#sequence++;
    if (!this.#acking) {
      messages.push(text);
      return bytes;
    }
    // The frame that fills the window asks for its ack, so that no client's own counting can leave both sides waiting.
    if (range.ack !== true && bytes >= room) {
      text = writeEventFrame({ sub: subscription.sub, ...range, ack: true });
      bytes += ACK_FIELD_BYTES;
    }
    messages.push(text);
    const events = range.offset - (range.from ?? range.offset) + 1;
    const critical = range.ack === true;
    subscription.sent({ offset: range.offset, bytes, events, sequence: this.#sequence, critical, at: this.#observer.now() });
    owed.events += events;
    owed.bytes += bytes;
    owed.critical ||= critical;
    return bytes;
  }

  /** Nothing is delivered any more: fenced, replaced or gone. */
  end(): void {
    this.#ended = true;
    for (const s of this.subscriptions.values()) s.cursor.end();
    this.subscriptions.clear();
    this.#frames = [];
  }
}

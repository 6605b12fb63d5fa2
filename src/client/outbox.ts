/** What goes out: messages that are kept until the gateway has stored them. */

import { SpillwayError } from '../protocol/errors.ts';
import { BOUNDS, type ErrorFrame, type RunAccepted, type Send } from '../protocol/frames.ts';
import { utf8Bytes } from '../protocol/utf8.ts';
import { RETRY_TIMES, retryDelay } from './backoff.ts';
import { type Deferred, deferred, later } from './timers.ts';
import type { AcceptedMessage, OutboxEvent } from './types.ts';

export interface OutboxOptions {
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** False if there is no live transport. */
  send(frame: Send): boolean;
  /** Called after every change, with the messages that a reload must not lose. */
  keep(messages: readonly Send[]): void;
  changed(event: OutboxEvent): void;
}

interface Entry {
  readonly message: Send;
  readonly bytes: number;
  readonly answer: Deferred<AcceptedMessage>;
  /** Sent on this transport and not answered yet. */
  isUnderWay: boolean;
  /** May have reached the gateway, on this transport or an earlier one, or before a reload. */
  wasSent: boolean;
  /** Asked to wait; later messages of its thread wait behind it. */
  isHeld: boolean;
  failures: number;
}

/** Messages sent and not answered at one time: far from the gateway's bound on frames, however many wait. */
const WINDOW = 16;

/** A message stays here, under one id, until it is accepted or refused for good; it is sent again on every transport until then. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #isReady = false;
  #isClosed = false;
  #maxFrameBytes: number = BOUNDS.frameBytes;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Messages of a thread that wait, oldest first; of all threads without an argument. */
  pending(thread?: string): readonly Send[] {
    const all = [...this.#entries.values()].map((entry) => entry.message);
    return thread === undefined ? all : all.filter((message) => message.thread === thread);
  }

  /** Brings back what waited before a reload. */
  restore(messages: readonly Send[]): void {
    for (const message of messages) this.#add(message, true);
  }

  /** Keeps and sends a message. The promise rejects at once if there is no room, or if it is too big or its id is taken by another. */
  add(message: Send): Promise<AcceptedMessage> {
    const earlier = this.#entries.get(message.id);
    if (earlier !== undefined && JSON.stringify(earlier.message) === JSON.stringify(message)) return earlier.answer.promise;
    if (this.#isClosed)
      return this.#turnAway(message, new SpillwayError('SPILLWAY_CLOSED', 'Expected an open client, but close() was called. connect() opens it again.'));
    const bytes = utf8Bytes(JSON.stringify(message));
    const { maxMessages, maxBytes } = this.#options;
    if (earlier !== undefined) {
      return this.#turnAway(
        message,
        new SpillwayError('SPILLWAY_BAD_ARGUMENT', `Expected a new id for a new message, but "${message.id}" waits with other data.`),
      );
    }
    if (message.id === '' || utf8Bytes(message.id) > BOUNDS.sendIdBytes) {
      return this.#turnAway(
        message,
        new SpillwayError('SPILLWAY_BAD_ARGUMENT', `Expected an id of 1 to ${BOUNDS.sendIdBytes} bytes, got ${utf8Bytes(message.id)}.`),
      );
    }
    if (bytes > this.#maxFrameBytes) return this.#turnAway(message, tooBig(bytes, this.#maxFrameBytes));
    if (this.#entries.size >= maxMessages || this.#bytes + bytes > maxBytes) {
      const text = `Expected room for a message, but ${this.#entries.size} of ${maxMessages} messages and ${this.#bytes} of ${maxBytes} bytes wait to be accepted. Send it again when the connection is back.`;
      return this.#turnAway(message, new SpillwayError('SPILLWAY_OUTBOX_FULL', text, { retry: 'later' }));
    }
    const entry = this.#add(message, false);
    this.#tell(entry.message, 'waiting');
    this.#flush();
    return entry.answer.promise;
  }

  /** Takes a message back. False if the gateway may know it already. */
  withdraw(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.wasSent) return false;
    this.#refuse(entry, new SpillwayError('SPILLWAY_CLOSED', 'Expected to be sent, but it was taken back before.'));
    return true;
  }

  ready(maxFrameBytes: number): void {
    this.#isReady = true;
    this.#maxFrameBytes = maxFrameBytes;
    this.#flush();
  }

  lost(): void {
    this.#isReady = false;
    for (const entry of this.#entries.values()) entry.isUnderWay = false;
  }

  accepted(frame: RunAccepted): void {
    const entry = this.#entries.get(frame.id);
    if (entry === undefined || entry.message.thread !== frame.thread) return;
    this.#remove(entry);
    const accepted: AcceptedMessage = {
      runId: frame.run,
      messageId: frame.message,
      position: { epoch: frame.epoch, offset: frame.offset },
      duplicate: frame.duplicate,
    };
    entry.answer.resolve(accepted);
    this.#tell(entry.message, 'accepted', { accepted });
    this.#flush();
  }

  /** Returns whether the error was about a message from here. */
  refused(frame: ErrorFrame): boolean {
    const entry = frame.ref?.type === 'send' && frame.ref.id !== undefined ? this.#entries.get(frame.ref.id) : undefined;
    if (entry === undefined) return false;
    entry.isUnderWay = false;
    if (!frame.retryable) this.#refuse(entry, new SpillwayError('SPILLWAY_REFUSED', frame.message, { cause: frame }));
    else {
      entry.isHeld = true;
      const delayMs = frame.retryAfterMs ?? RETRY_TIMES.minDelayMs + retryDelay(entry.failures++, RETRY_TIMES, Math.random());
      later(delayMs, () => {
        entry.isHeld = false;
        this.#flush();
      });
    }
    this.#flush();
    return true;
  }

  open(): void {
    this.#isClosed = false;
  }

  /** Nothing will be sent until `open`. */
  close(): void {
    this.#isClosed = true;
    for (const entry of [...this.#entries.values()])
      this.#refuse(entry, new SpillwayError('SPILLWAY_CLOSED', 'Expected to be accepted, but close() was called before.'));
  }

  /** Forgets messages that belong to somebody else. */
  forget(messages: readonly Send[]): void {
    for (const { id } of messages) {
      const entry = this.#entries.get(id);
      if (entry !== undefined) this.#refuse(entry, new SpillwayError('SPILLWAY_CLOSED', 'Expected to be sent, but somebody else has signed in.'));
    }
  }

  #add(message: Send, wasSent: boolean): Entry {
    const bytes = utf8Bytes(JSON.stringify(message));
    const entry: Entry = { message, bytes, answer: deferred(), isUnderWay: false, wasSent, isHeld: false, failures: 0 };
    this.#entries.set(message.id, entry);
    this.#bytes += bytes;
    this.#keep();
    return entry;
  }

  #flush(): void {
    if (!this.#isReady) return;
    let underWay = 0;
    for (const entry of this.#entries.values()) if (entry.isUnderWay) underWay += 1;
    const heldThreads = new Set<string>();
    for (const entry of [...this.#entries.values()]) {
      if (entry.isHeld) heldThreads.add(entry.message.thread);
      if (entry.isUnderWay || heldThreads.has(entry.message.thread)) continue;
      if (entry.bytes > this.#maxFrameBytes) {
        this.#refuse(entry, tooBig(entry.bytes, this.#maxFrameBytes));
        continue;
      }
      if (underWay >= WINDOW || !this.#options.send(entry.message)) return;
      entry.isUnderWay = entry.wasSent = true;
      underWay += 1;
    }
  }

  #refuse(entry: Entry, error: SpillwayError): void {
    this.#remove(entry);
    entry.answer.reject(error);
    this.#tell(entry.message, 'refused', { text: error.message });
  }

  #turnAway(message: Send, error: SpillwayError): Promise<AcceptedMessage> {
    const answer = deferred<AcceptedMessage>();
    answer.reject(error);
    this.#tell(message, 'refused', { text: error.message });
    return answer.promise;
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.message.id);
    this.#bytes -= entry.bytes;
    this.#keep();
  }

  #keep(): void {
    this.#options.keep(this.pending());
  }

  #tell(message: Send, state: OutboxEvent['state'], more: Pick<OutboxEvent, 'accepted' | 'text'> = {}): void {
    this.#options.changed({ id: message.id, thread: message.thread, state, ...more, pendingMessages: this.#entries.size, pendingBytes: this.#bytes });
  }
}

function tooBig(bytes: number, maxBytes: number): SpillwayError {
  return new SpillwayError('SPILLWAY_BAD_ARGUMENT', `Expected a message of at most ${maxBytes} bytes, got ${bytes}.`);
}

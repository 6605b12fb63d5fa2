/** What goes out: messages that are kept until the gateway has stored them. */

import { SpillwayError } from '../protocol/errors.ts';
import type { ErrorFrame, RunAccepted, Send, Welcome } from '../protocol/frames.ts';
import { RETRY_TIMES, retryDelay } from './backoff.ts';
import { bytesOf } from './bytes.ts';
import type { Emit } from './emitter.ts';
import { badArgument, closed, refusal } from './errors.ts';
import { type Deferred, deferred, later } from './timers.ts';
import type { AcceptedMessage, OutboxEvent } from './types.ts';

export interface OutboxOptions {
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** False if there is no live transport. */
  send(frame: Send): boolean;
  /** Called after every change, with the messages that a reload must not lose. */
  keep(messages: readonly Send[]): void;
  readonly emit: Emit;
}

interface Entry {
  readonly message: Send;
  readonly json: string;
  readonly bytes: number;
  readonly answer: Deferred<AcceptedMessage>;
  /** Sent on this transport and not answered yet. */
  isUnderWay: boolean;
  /** Whose it is; null while nobody has been recognised. Nothing of one person is ever sent as another. */
  user: string | null;
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
  #user: string | null = null;
  /** As the gateway last said. Bigger ones would end the transport, again and again. */
  #maxFrameBytes = Number.POSITIVE_INFINITY;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Messages of a thread that wait, oldest first; of all threads without an argument. */
  pending(thread?: string): readonly Send[] {
    return [...this.#entries.values()].map((entry) => entry.message).filter((message) => thread === undefined || message.thread === thread);
  }

  /** Brings back what waited before a reload. */
  restore(messages: readonly Send[], user: string | null): void {
    for (const message of messages) this.#keep(newEntry(message, user, true));
  }

  /** The gateway has recognised somebody. */
  welcome({ user, max }: Welcome): void {
    this.#user = user.id;
    this.#maxFrameBytes = max.frameBytes;
    for (const entry of [...this.#entries.values()]) {
      entry.user ??= user.id;
      if (entry.user !== user.id) this.#refuse(entry, closed('somebody else has signed in'));
    }
  }

  /** Keeps and sends a message. The promise rejects at once if there is no room, or if it is too big or its id is taken by another. */
  add(message: Send): Promise<AcceptedMessage> {
    const entry = newEntry(message, this.#user, false);
    const earlier = this.#entries.get(message.id);
    if (earlier?.json === entry.json) return earlier.answer.promise;
    const problem = this.#problem(entry, earlier);
    if (problem !== null) this.#refuse(entry, problem);
    else {
      this.#keep(entry);
      this.#tell(entry, 'waiting');
      this.#flush();
    }
    return entry.answer.promise;
  }

  /** Takes a message back. False if the gateway may know it already. */
  withdraw(id: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry || entry.wasSent) return false;
    this.#refuse(entry, closed('the message was taken back'));
    return true;
  }

  ready(): void {
    this.#isReady = true;
    this.#flush();
  }

  lost(): void {
    this.#isReady = false;
    for (const entry of this.#entries.values()) entry.isUnderWay = false;
  }

  accepted({ id, thread, run, message, epoch, offset, duplicate }: RunAccepted): void {
    const entry = this.#entries.get(id);
    if (entry?.message.thread !== thread) return;
    const accepted: AcceptedMessage = { runId: run, messageId: message, position: { epoch, offset }, duplicate };
    this.#remove(entry);
    entry.answer.resolve(accepted);
    this.#tell(entry, 'accepted', { accepted });
    this.#flush();
  }

  /** Returns whether the error was about a message from here. */
  refused(frame: ErrorFrame): boolean {
    const entry = frame.ref?.type === 'send' && this.#entries.get(frame.ref.id ?? '');
    if (!entry) return false;
    entry.isUnderWay = false;
    entry.isHeld = true;
    if (!frame.retryable) this.#refuse(entry, refusal(frame));
    else {
      later(frame.retryAfterMs ?? RETRY_TIMES.minDelayMs + retryDelay(entry.failures++, RETRY_TIMES, Math.random()), () => {
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
    for (const entry of [...this.#entries.values()]) this.#refuse(entry, closed());
  }

  #problem({ message, bytes }: Entry, earlier: Entry | undefined): SpillwayError | null {
    const { maxMessages, maxBytes } = this.#options;
    if (this.#isClosed) return closed();
    if (earlier !== undefined) return badArgument(`Expected a new id for a new message, got "${message.id}" twice.`);
    if (bytes > this.#maxFrameBytes) return tooBig(bytes, this.#maxFrameBytes);
    if (this.#entries.size < maxMessages && this.#bytes + bytes <= maxBytes) return null;
    const text = `Expected at most ${maxMessages} messages and ${maxBytes} bytes to wait, got one more. Send it again later.`;
    return new SpillwayError('SPILLWAY_OUTBOX_FULL', text, { retry: 'later' });
  }

  #flush(): void {
    if (!this.#isReady) return;
    const entries = [...this.#entries.values()];
    let underWay = entries.filter((entry) => entry.isUnderWay).length;
    const heldThreads = new Set<string>();
    for (const entry of entries) {
      const { thread } = entry.message;
      if (entry.isHeld) heldThreads.add(thread);
      if (entry.isUnderWay || heldThreads.has(thread)) continue;
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
    this.#tell(entry, 'refused', { text: error.message, error });
  }

  #keep(entry: Entry): void {
    this.#entries.set(entry.message.id, entry);
    this.#bytes += entry.bytes;
    this.#options.keep(this.pending());
  }

  #remove(entry: Entry): void {
    if (this.#entries.get(entry.message.id) !== entry) return;
    this.#entries.delete(entry.message.id);
    this.#bytes -= entry.bytes;
    this.#options.keep(this.pending());
  }

  #tell({ message: { id, thread } }: Entry, state: OutboxEvent['state'], more?: Pick<OutboxEvent, 'accepted' | 'text' | 'error'>): void {
    this.#options.emit('outbox', { id, thread, state, ...more, pendingMessages: this.#entries.size, pendingBytes: this.#bytes });
  }
}

function newEntry(message: Send, user: string | null, wasSent: boolean): Entry {
  const json = JSON.stringify(message);
  return { message, json, bytes: bytesOf(json), answer: deferred(), user, isUnderWay: false, wasSent, isHeld: false, failures: 0 };
}

const tooBig = (bytes: number, maxBytes: number): SpillwayError => badArgument(`Expected a message of at most ${maxBytes} bytes, got ${bytes}.`);

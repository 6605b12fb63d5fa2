import type { Identity } from '../../auth/identity.ts';
import type { Clock } from '../../ports/clock.ts';
import { CLOSE, type CloseCode, returnOf } from '../../protocol/close-codes.ts';
import type { ServerBye } from '../../protocol/frames.ts';
import type { FollowListener } from '../services.ts';

/** Bytes that wait for the reader before its source is told to stop: without acknowledgements this is all that may be under way. */
const WINDOW_BYTES = 65_536;
/** Timers of the platform end at 2³¹ ms. */
const LONGEST_TIMER_MS = 2_000_000_000;

const encoder = new TextEncoder();

export interface EventStreamOptions {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly keepAliveMs: number;
  /** Called once, whoever ended the stream. */
  readonly ended: () => void;
}

/** One reader of server-sent events. It follows a conversation without a seat. */
export class EventStream implements FollowListener {
  readonly identity: Identity;
  /** The response body. */
  readonly body: ReadableStream<Uint8Array>;
  readonly #options: EventStreamOptions;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #source: { resume(): void; end(): void } | null = null;
  #isFull = false;
  #isOver = false;
  #cancelKeepAlive: () => void = () => {};
  readonly #cancelExpiry: () => void;

  constructor(options: EventStreamOptions) {
    const { identity, clock } = options;
    this.identity = identity;
    this.#options = options;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#drained(),
        cancel: () => this.#over(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: WINDOW_BYTES }),
    );
    const lifeMs = identity.expiresAt - clock.wall();
    this.#cancelExpiry = lifeMs > LONGEST_TIMER_MS ? () => {} : clock.after(Math.max(0, lifeMs), () => this.bye(CLOSE.credentialExpired));
    this.#armKeepAlive();
  }

  /** Where the events come from. Ended with the stream. */
  feedFrom(source: { resume(): void; end(): void }): void {
    this.#source = source;
    if (this.#isOver) source.end();
  }

  frame(frame: Parameters<FollowListener['frame']>[0], epoch: string): { readonly full: boolean } {
    if (this.#isOver) return { full: true };
    const offset = frame.type === 'gap' ? frame.to : frame.offset;
    this.#write(`id: ${epoch}:${offset}\ndata: ${JSON.stringify(frame)}\n\n`);
    this.#isFull = (this.#controller.desiredSize ?? 0) <= 0;
    return { full: this.#isFull };
  }

  /** Says why, and ends. What waits for the reader is still delivered. */
  bye(close: CloseCode): void {
    if (this.#isOver) return;
    const { code, name, text } = close;
    const farewell: ServerBye = { type: 'bye', code, name, return: returnOf(code), retryAfterMs: 0, reason: name, text, resumable: true, positions: [] };
    this.#write(`event: bye\ndata: ${JSON.stringify(farewell)}\n\n`);
    this.#controller.close();
    this.#over();
  }

  #write(text: string): void {
    this.#controller.enqueue(encoder.encode(text));
  }

  #drained(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#source?.resume();
  }

  #armKeepAlive(): void {
    this.#cancelKeepAlive = this.#options.clock.after(this.#options.keepAliveMs, () => {
      // A reader that takes nothing is not told more.
      if ((this.#controller.desiredSize ?? 0) > 0) this.#write(': keep-alive\n\n');
      this.#armKeepAlive();
    });
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelKeepAlive();
    this.#cancelExpiry();
    this.#source?.end();
    this.#options.ended();
  }
}

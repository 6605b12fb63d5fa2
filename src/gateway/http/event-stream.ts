import type { Identity } from '../../auth/identity.ts';
import type { Clock } from '../../ports/clock.ts';
import { CLOSE, type CloseCode, returnOf } from '../../protocol/close-codes.ts';
import type { ServerBye } from '../../protocol/frames.ts';
import { afterLong } from '../after-long.ts';
import type { FollowListener } from '../services.ts';
import { SseBody } from './sse.ts';

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
  readonly #out: SseBody;
  #source: { resume(): void; end(): void } | null = null;
  #isFull = false;
  readonly #cancelExpiry: () => void;

  constructor({ identity, clock, keepAliveMs, ended }: EventStreamOptions) {
    this.identity = identity;
    this.#out = new SseBody({
      clock,
      keepAliveMs,
      drained: () => this.#drained(),
      ended: () => {
        this.#cancelExpiry();
        this.#source?.end();
        ended();
      },
    });
    const lifeMs = identity.expiresAt - clock.wall();
    this.#cancelExpiry = afterLong(clock, Math.max(0, lifeMs), () => this.bye(CLOSE.credentialExpired));
  }

  /** The response body. */
  get body(): ReadableStream<Uint8Array> {
    return this.#out.stream;
  }

  /** Where the events come from. Ended with the stream. */
  feedFrom(source: { resume(): void; end(): void }): void {
    this.#source = source;
    if (this.#out.isOver) source.end();
  }

  frame(frame: Parameters<FollowListener['frame']>[0], epoch: string): { readonly full: boolean } {
    if (this.#out.isOver) return { full: true };
    const offset = frame.type === 'gap' ? frame.to : frame.offset;
    this.#out.write(`id: ${epoch}:${offset}\ndata: ${JSON.stringify(frame)}\n\n`);
    this.#isFull = this.#out.isFull;
    return { full: this.#isFull };
  }

  /** Says why, and ends. What waits for the reader is still delivered. */
  bye(close: CloseCode): void {
    const { code, name, text } = close;
    const farewell: ServerBye = { type: 'bye', code, name, return: returnOf(code), retryAfterMs: 0, reason: name, text, resumable: true, positions: [] };
    this.#out.write(`event: bye\ndata: ${JSON.stringify(farewell)}\n\n`);
    this.#out.end();
  }

  #drained(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#source?.resume();
  }
}

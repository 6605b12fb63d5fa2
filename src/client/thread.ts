/** One conversation, as the application sees it. */

import type { Send } from '../protocol/frames.ts';
import type { ThreadId } from '../protocol/ids.ts';
import type { MessageData, ThreadSnapshot } from '../protocol/messages.ts';
import type { Position } from '../protocol/position.ts';
import type { Cancels } from './cancels.ts';
import type { Reader } from './channel.ts';
import type { Emit } from './emitter.ts';
import type { Inbox } from './inbox.ts';
import { Loop } from './loop.ts';
import type { Outbox } from './outbox.ts';
import { runOf } from './run.ts';
import { later } from './timers.ts';
import type { FollowOptions, GapEvent, PendingMessage, Run, StreamEvent, Thread, ThreadEvent } from './types.ts';

export interface ThreadParts {
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly cancels: Cancels;
  readonly snapshot: (thread: string) => Promise<ThreadSnapshot>;
  /** Somebody listens: see that there is a connection. */
  wanted(): void;
  /** A person sent something. */
  acted(): void;
  whenRefused(end: (error: unknown) => void): () => void;
  readonly emit: Emit;
}

/** Enough that no two messages of a thread ever share an id. */
const ID_BYTES = 16;

export class ClientThread implements Thread {
  readonly id: ThreadId;
  readonly #parts: ThreadParts;

  constructor(id: ThreadId, parts: ThreadParts) {
    this.id = id;
    this.#parts = parts;
  }

  get position(): Position | null {
    return this.#parts.inbox.positionOf(this.id);
  }

  get pending(): readonly PendingMessage[] {
    return this.#parts.outbox.pending(this.id).map(({ id, thread, data }) => ({ id, thread, data }));
  }

  send(input: string | MessageData, options: { readonly id?: string; readonly signal?: AbortSignal; readonly agent?: string } = {}): Run {
    const { outbox, cancels } = this.#parts;
    const id = options.id ?? `c-${Array.from(crypto.getRandomValues(new Uint8Array(ID_BYTES)), (byte) => byte.toString(36)).join('')}`;
    const data = typeof input === 'string' ? { text: input } : input;
    const accepted = outbox.add({ type: 'send', id, thread: this.id, data, agent: options.agent } as Send);
    const run = runOf(id, accepted, {
      withdraw: () => outbox.withdraw(id),
      cancel: (started) => cancels.cancel(started),
      whenRefused: this.#parts.whenRefused,
      follow: (from, onGap) => this.#loop({ from }, onGap),
    });
    const { signal } = options;
    // A message that was refused has no run to stop, and its sender has been told.
    const stop = (): void => void run.stop().catch(() => {});
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
    this.#parts.acted();
    return run;
  }

  follow<T = ThreadEvent>(options: FollowOptions = {}): AsyncIterable<StreamEvent<T>> {
    return { [Symbol.asyncIterator]: () => this.#loop(options) as AsyncIterableIterator<StreamEvent<T>> };
  }

  on<T = ThreadEvent>(listener: (event: StreamEvent<T>) => void | Promise<void>, options: FollowOptions = {}): () => void {
    const { signal } = options;
    const reader: Reader = {
      take: listener as Reader['take'],
      end: (error) => error !== undefined && this.#parts.emit('error', error),
      // The client's `gap` event tells listeners.
      gap: () => {},
    };
    const off = (): void => {
      signal?.removeEventListener('abort', off);
      this.#parts.inbox.unfollow(reader);
    };
    if (signal?.aborted) return off;
    signal?.addEventListener('abort', off);
    this.#attach(reader, options, true);
    return off;
  }

  snapshot(): Promise<ThreadSnapshot> {
    return this.#parts.snapshot(this.id);
  }

  cancel(run: string): Promise<void> {
    this.#parts.acted();
    return this.#parts.cancels.cancel(run);
  }

  #loop({ signal, ...options }: FollowOptions, onGap?: (gap: GapEvent) => void): Loop {
    const end = (): void => loop.end();
    let off = (): void => {};
    const loop = new Loop((it) => {
      signal?.removeEventListener('abort', end);
      // A macrotask later: by then the last event has been acknowledged.
      later(0, () => {
        off();
        this.#parts.inbox.unfollow(it);
      });
    }, onGap);
    if (signal?.aborted) end();
    else {
      signal?.addEventListener('abort', end);
      this.#attach(loop, options, false);
      off = this.#parts.whenRefused((error) => loop.end(error));
    }
    return loop;
  }

  #attach(reader: Reader, { from = 'now', codec = 'agent-events' }: FollowOptions, mayShare: boolean): void {
    this.#parts.inbox.follow(this.id, codec, from, reader, mayShare);
    this.#parts.wanted();
  }
}

/** One conversation, as the application sees it. */

import type { From } from '../protocol/frames.ts';
import type { ThreadId } from '../protocol/ids.ts';
import type { MessageData, ThreadSnapshot } from '../protocol/messages.ts';
import type { Position } from '../protocol/position.ts';
import type { Cancels } from './cancels.ts';
import { type Follower, ListenerFollower, LoopFollower } from './follower.ts';
import type { Inbox } from './inbox.ts';
import type { Outbox } from './outbox.ts';
import { SentRun } from './run.ts';
import type { FollowOptions, GapEvent, PendingMessage, Run, StreamEvent, Thread, ThreadEvent } from './types.ts';

export interface ThreadParts {
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly cancels: Cancels;
  snapshot(thread: ThreadId): Promise<ThreadSnapshot>;
  /** Somebody listens: see that there is a connection. */
  wanted(): void;
  /** A person sent something. */
  acted(): void;
  error(error: unknown): void;
}

/** Enough that no two messages of a thread ever share an id. */
const ID_BYTES = 16;

export class ClientThread implements Thread {
  readonly id: ThreadId;
  readonly #parts: ThreadParts;
  readonly #followers = new Set<Follower>();
  #last: Position | null = null;

  constructor(id: ThreadId, parts: ThreadParts) {
    this.id = id;
    this.#parts = parts;
  }

  get position(): Position | null {
    let slowest: Follower | null = null;
    for (const follower of this.#followers) {
      if (follower.epoch !== null && (slowest === null || follower.done < slowest.done)) slowest = follower;
    }
    return slowest?.epoch ? { epoch: slowest.epoch, offset: slowest.done } : this.#last;
  }

  get pending(): readonly PendingMessage[] {
    return this.#parts.outbox.pending(this.id).map(({ id, thread, data }) => ({ id, thread, data }));
  }

  send(input: string | MessageData, options: { readonly id?: string; readonly signal?: AbortSignal; readonly agent?: string } = {}): Run {
    const { outbox, cancels } = this.#parts;
    const id = options.id ?? `c-${Array.from(crypto.getRandomValues(new Uint8Array(ID_BYTES)), (byte) => byte.toString(36)).join('')}`;
    const data = typeof input === 'string' ? { text: input } : input;
    const accepted = outbox.add({ type: 'send', id, thread: this.id, data, ...(options.agent === undefined ? {} : { agent: options.agent }) });
    const run = new SentRun(id, accepted, {
      withdraw: (message) => outbox.withdraw(message),
      cancel: (started) => cancels.cancel(started),
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
    const follower = new ListenerFollower(listener as (event: StreamEvent<unknown>) => unknown, this.#parts.error);
    const { signal } = options;
    const off = (): void => {
      signal?.removeEventListener('abort', off);
      this.#detach(follower);
      follower.end();
    };
    if (signal?.aborted) return off;
    signal?.addEventListener('abort', off);
    this.#attach(follower, options);
    return off;
  }

  snapshot(): Promise<ThreadSnapshot> {
    return this.#parts.snapshot(this.id);
  }

  cancel(run: string): Promise<void> {
    this.#parts.acted();
    return this.#parts.cancels.cancel(run);
  }

  #loop({ signal, ...options }: FollowOptions, onGap?: (gap: GapEvent) => void): AsyncIterableIterator<StreamEvent<unknown>> {
    const end = (): void => follower.end();
    const follower = new LoopFollower((it) => {
      signal?.removeEventListener('abort', end);
      this.#detach(it);
    }, onGap);
    if (signal?.aborted) end();
    else {
      signal?.addEventListener('abort', end);
      this.#attach(follower, options);
    }
    return follower;
  }

  #attach(follower: Follower, { from = 'now', codec = 'agent-events' }: FollowOptions): void {
    this.#followers.add(follower);
    this.#parts.inbox.follow(this.id, codec, from as From, follower);
    this.#parts.wanted();
  }

  #detach(follower: Follower): void {
    if (!this.#followers.has(follower)) return;
    this.#last = this.position;
    this.#parts.inbox.unfollow(follower);
    this.#followers.delete(follower);
  }
}

/** One conversation kept for any number of components. */

import { RETRY_TIMES, retryDelay } from '../client/backoff.ts';
import { isNotFound } from '../client/http.ts';
import type { GapEvent, OutboxEvent, Position, SpillwayClient, SpillwayError, StreamEvent, Thread, ThreadEvent, ThreadMessage } from '../client/index.ts';
import { later } from '../client/timers.ts';
import { type AgentStep, type Conversation, EMPTY, type Failure, fromSnapshot, stepsOf, withEvent } from './conversation.ts';
import { asThreadMessage, newOwnMessage, notArrived, type OwnMessage, refusalOf } from './own-messages.ts';

/** What the hooks show. One object, exchanged when it changes. */
export interface ThreadView {
  readonly messages: readonly ThreadMessage[];
  readonly steps: readonly AgentStep[];
  readonly status: 'ready' | 'queued' | 'running' | 'failed';
  readonly failure: Failure | null;
  readonly isLoaded: boolean;
  readonly position: Position | null;
}

export const EMPTY_VIEW: ThreadView = { messages: [], steps: [], status: 'ready', failure: null, isLoaded: false, position: null };

/** Nobody reads faster, and a page that paints every event is busy with nothing else. The events themselves are taken at once. */
const PUBLISH_EVERY_MS = 50;

export class ThreadStore {
  readonly #client: SpillwayClient;
  readonly #thread: Thread;
  readonly #isNew: boolean;
  readonly #listeners = new Set<() => void>();
  #conversation: Conversation = EMPTY;
  #own: readonly OwnMessage[] = [];
  /** Runs that were accepted and have not been heard of. */
  #awaited: ReadonlySet<string> = new Set();
  #isLoaded = false;
  #view = EMPTY_VIEW;
  #publishedAt = Number.NEGATIVE_INFINITY;
  #isPublishing = false;
  #stop: (() => void) | null = null;

  /** `isNew`: there should be nothing stored yet, so nothing is asked for; the stream is followed from its start. */
  constructor(client: SpillwayClient, id: string, isNew = false) {
    this.#client = client;
    this.#isNew = isNew;
    this.#thread = client.thread(id);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    this.#stop ??= this.#start();
    return () => {
      this.#listeners.delete(listener);
      // A component that is mounted twice, or moved, must not load everything again.
      later(0, () => {
        if (this.#listeners.size > 0) return;
        this.#stop?.();
        this.#stop = null;
      });
    };
  };

  readonly view = (): ThreadView => this.#view;

  readonly send = (text: string): void => {
    const run = this.#thread.send(text);
    // Turned away at once: it is in no outbox, so it is kept here.
    if (!this.#own.some((m) => m.id === run.id)) this.#setOwn([...this.#own, newOwnMessage({ id: run.id, data: { text } }, Date.now())]);
    run.accepted.catch((error: SpillwayError) => this.#refuse(run.id, error));
  };

  readonly stop = (): void => {
    const { activeRun } = this.#conversation;
    const runs = activeRun === null ? [...this.#awaited] : [activeRun];
    const report = (): void => {
      // The run goes on and is seen to go on; the person can press again.
    };
    for (const run of runs) this.#thread.cancel(run).catch(report);
    if (runs.length > 0) return;
    for (const { id, data } of this.#thread.pending) this.#thread.send(data, { id }).stop().catch(report);
  };

  #start(): () => void {
    const ending = new AbortController();
    const { signal } = ending;
    this.#setOwn(this.#thread.pending.map((message) => newOwnMessage(message, Date.now())));
    this.#client.on('outbox', (event) => this.#outboxChanged(event), { signal });
    this.#client.on('gap', (gap) => this.#bridge(gap), { signal });
    this.#load(signal).catch(() => {
      // Only an aborted wait ends it early.
    });
    return () => ending.abort();
  }

  /** The stored conversation first, then the stream behind its position: nothing twice, nothing missing. */
  async #load(signal: AbortSignal): Promise<void> {
    if (this.#isNew && this.#conversation.position === null) {
      this.#take(EMPTY);
      this.#follow('start', signal);
      return;
    }
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const snapshot = await this.#thread.snapshot();
        if (signal.aborted) return;
        this.#take(fromSnapshot(snapshot));
        this.#follow(snapshot.position, signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (isNotFound(error)) {
          this.#take(EMPTY);
          this.#follow('start', signal);
          return;
        }
        await new Promise<void>((resolve) => later(retryDelay(failures, RETRY_TIMES, Math.random()), resolve));
      }
    }
  }

  #follow(from: Position | 'start', signal: AbortSignal): void {
    this.#thread.on((event: StreamEvent<ThreadEvent>) => this.#apply(event), { from, signal });
  }

  #apply(event: StreamEvent<ThreadEvent>): void {
    const { data } = event;
    if (data.type !== undefined) this.#forgetAwaited([data.run_id]);
    this.#conversation = withEvent(this.#conversation, event);
    this.#own = notArrived(this.#own, this.#conversation);
    this.#changed();
  }

  #bridge(gap: GapEvent): void {
    if (gap.thread !== this.#thread.id || !this.#isLoaded) return;
    this.#take(gap.snapshot === null ? { ...EMPTY, position: gap.position } : fromSnapshot(gap.snapshot));
  }

  #take(conversation: Conversation): void {
    this.#conversation = conversation;
    this.#isLoaded = true;
    this.#forgetAwaited(conversation.messages.map((m) => (m.role === 'assistant' ? m.run : undefined)));
    this.#setOwn(notArrived(this.#own, conversation));
  }

  #outboxChanged(event: OutboxEvent): void {
    if (event.thread !== this.#thread.id) return;
    if (event.state === 'refused') {
      if (event.error !== undefined) this.#refuse(event.id, event.error);
      return;
    }
    if (event.state === 'waiting') {
      const message = this.#thread.pending.find((m) => m.id === event.id);
      // What the last try left behind has been answered by trying again.
      if (message !== undefined) this.#setOwn([...this.#own.filter((m) => m.refusal === null), newOwnMessage(message, Date.now())]);
      return;
    }
    const accepted = event.accepted ?? null;
    if (accepted === null) return;
    const isHeardOf = this.#conversation.messages.some((m) => m.role === 'assistant' && m.run === accepted.runId);
    if (!isHeardOf) this.#awaited = new Set([...this.#awaited, accepted.runId]);
    const own = this.#own.map((m) => (m.id === event.id ? { ...m, accepted } : m));
    this.#setOwn(notArrived(own, this.#conversation));
  }

  #refuse(id: string, error: SpillwayError): void {
    this.#setOwn(this.#own.map((m) => (m.id === id ? { ...m, refusal: refusalOf(error) } : m)));
  }

  #forgetAwaited(runs: readonly (string | undefined)[]): void {
    if (runs.some((run) => run !== undefined && this.#awaited.has(run))) this.#awaited = new Set([...this.#awaited].filter((run) => !runs.includes(run)));
  }

  #setOwn(own: readonly OwnMessage[]): void {
    this.#own = own;
    this.#changed();
  }

  #changed(): void {
    if (this.#isPublishing) return;
    const waitMs = this.#publishedAt + PUBLISH_EVERY_MS - performance.now();
    if (waitMs <= 0) {
      this.#publish();
      return;
    }
    this.#isPublishing = true;
    later(waitMs, () => {
      this.#isPublishing = false;
      this.#publish();
    });
  }

  #publish(): void {
    this.#publishedAt = performance.now();
    const { messages, position } = this.#conversation;
    this.#view = {
      messages: this.#own.length === 0 ? messages : [...messages, ...this.#own.map(asThreadMessage)],
      steps: stepsOf(messages.findLast((m) => m.role === 'assistant')),
      status: this.#status(),
      failure: this.#failure(),
      isLoaded: this.#isLoaded,
      position,
    };
    for (const listener of [...this.#listeners]) listener();
  }

  #status(): ThreadView['status'] {
    if (this.#conversation.activeRun !== null) return 'running';
    if (this.#own.some((m) => m.accepted === null && m.refusal === null)) return 'queued';
    if (this.#awaited.size > 0 || this.#own.some((m) => m.accepted !== null)) return 'running';
    return this.#failure() === null ? 'ready' : 'failed';
  }

  #failure(): Failure | null {
    return this.#own.findLast((m) => m.refusal !== null)?.refusal ?? this.#conversation.failure;
  }
}

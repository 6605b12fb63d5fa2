/** A client that writes down what its application has applied, and what it has acknowledged, in the order in which it happened. */

import { type ClientOptions, createSpillway, type SpillwayClient, type StreamEvent, type ThreadEvent } from '../../../src/client/index.ts';
import { nowMs } from '../lab/time.ts';
import { type LocalAddress, loggingWebSocket } from './logging-websocket.ts';
import { numberedEvents, numberedParts } from './numbered.ts';
import type { Sink } from './sink.ts';

export interface RecorderOptions {
  /** `ws://host:port/v1/ws`. */
  readonly url: string;
  /** Several: the next one for each connect, the last one for all that follow. */
  readonly tokens: readonly string[];
  readonly thread: string;
  /** A new life goes on behind the last whole line that it finds there. */
  readonly sink: Sink;
  /** Where the first life begins. Default `start`. */
  readonly from?: 'start' | 'now' | 'run';
  readonly label?: string;
  /** Stands for the tab's `sessionStorage`: a new life with the same one comes back as the same manager. Left out: none. */
  readonly drawer?: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  /** Acknowledges what it has received before it is applied, which takes this long: a client as none should be. */
  readonly careless?: { readonly applyAfterMs: number };
  readonly onProgress?: (progress: Progress) => void;
  /** The client's own times. Default: its own defaults. */
  readonly settings?: Pick<ClientOptions, 'connectTimeoutMs' | 'wakeTimeoutMs' | 'retry'>;
  /** What it dials with, below what tells of it. Default: the platform's. */
  readonly webSocket?: typeof WebSocket;
}

/** How far it is. */
export interface Reached {
  readonly is: 'applied' | 'acked';
  /** The highest so far; 0 before the first numbered event. */
  readonly number: number;
  readonly offset: number;
}

/** What happens to a client. */
export type Happening =
  /** A terminal event was applied. */
  | { readonly is: 'run-ended'; readonly type: string; readonly code?: string; readonly status?: string }
  | { readonly is: 'state'; readonly name: string; readonly manager?: string; readonly how?: string; readonly code?: number; readonly reason?: string }
  | { readonly is: 'dial'; readonly intent: string }
  | { readonly is: 'close'; readonly code: number; readonly reason: string }
  | ({ readonly is: 'socket' } & LocalAddress)
  | { readonly is: 'gap'; readonly from: number; readonly to: number };

export type Progress = Reached | Happening;

export const isReached = (progress: Progress): progress is Reached => progress.is === 'applied' || progress.is === 'acked';

/** Note of a client that found a hole in what it was sent and asked for it again, which a conforming gateway never causes. */
export const RESUBSCRIBED = 'resubscribed';

const TERMINAL = ['agent_completed', 'agent_error'];

/** Connects at once, and lives until it is closed or its process ends. */
export class Recorder {
  readonly client: SpillwayClient;
  readonly life: number;
  /** Event frames that came again over the wire: counted, not judged. */
  repeats = 0;
  readonly #o: RecorderOptions;
  readonly #stop: () => void;
  /** First offsets of the ranges that arrived, by their last. */
  readonly #arrived = new Map<number, number>();
  /** Applied ranges that are not acknowledged yet. */
  readonly #unacked: { readonly to: number; readonly number: number }[] = [];
  #received = 0;
  #highest = 0;
  #run = '';
  #connects = 0;
  #isStuck = false;
  #isLeaving = false;
  #isOver = false;
  #goOn: () => void = () => {};

  constructor(options: RecorderOptions) {
    this.#o = options;
    const { sink, url, thread, tokens, label, drawer, from = 'start' } = options;
    this.life = sink.saved.life + 1;
    // The SDK's idea of a tab's storage, which it looks for when it is made.
    const page = globalThis as { window?: unknown };
    if (drawer !== undefined) page.window = { sessionStorage: drawer };
    this.client = createSpillway({
      url,
      getToken: () => tokens[Math.min(this.#connects++, tokens.length - 1)] ?? '',
      storage: drawer === undefined ? 'none' : 'session',
      ...(label === undefined ? {} : { label }),
      ...options.settings,
      webSocket: loggingWebSocket(
        {
          opened: (address) => this.#happened({ is: 'socket', ...address }),
          event: (first, offset, acknowledge) => this.#arrives(first, offset, acknowledge),
          ack: (sub, offset) => this.#acknowledges(sub, offset),
        },
        options.webSocket,
      ),
      debug: (event) => {
        if (event.type === 'dial') this.#happened({ is: 'dial', intent: event.intent });
        else if (event.type === 'close') this.#happened({ is: 'close', code: event.code, reason: event.reason });
        else if (event.direction === 'out' && event.frame === 'unsubscribe' && !this.#isLeaving) this.#note(RESUBSCRIBED, event.sub);
      },
    });
    if (drawer !== undefined) delete page.window;
    this.client.on('state', (state) => {
      const { code, reason } = 'info' in state && state.info !== undefined ? state.info : {};
      this.#happened({
        is: 'state',
        name: state.name,
        ...(state.name === 'live' ? { manager: state.manager, how: state.resume } : {}),
        ...(code === undefined ? {} : { code }),
        ...(reason === undefined ? {} : { reason }),
      });
    });
    this.client.on('gap', ({ position, from: first, to, reason, snapshot }) => {
      const replaced = snapshot === null ? {} : { snapshot: { to: position.offset, events: numberedParts(snapshot.messages) } };
      sink.write({ is: 'gap', life: this.life, epoch: position.epoch, from: first, to, reason, ...replaced });
      this.#unacked.length = 0;
      this.#happened({ is: 'gap', from: first, to });
    });
    this.client.on('error', (error) => this.#note('error', String(error)));
    this.#stop = this.client.thread(thread).on<ThreadEvent>((event) => this.#take(event), { from: sink.saved.position ?? from });
    this.client.connect().catch((error: unknown) => this.#note('refused', String(error)));
  }

  /** Of the event that was applied last; empty before the first of a run. */
  get run(): string {
    return this.#run;
  }

  send(text: string, id?: string): void {
    const run = this.client.thread(this.#o.thread).send(text, id === undefined ? {} : { id });
    run.accepted.then(
      ({ runId }) => this.#note('accepted', { id: run.id, runId }),
      (error: unknown) => this.#note('not accepted', String(error)),
    );
  }

  /** Cancels the run whose event was applied last. */
  cancel(): void {
    this.client
      .thread(this.#o.thread)
      .cancel(this.#run)
      .catch((error: unknown) => this.#note('not cancelled', String(error)));
  }

  /** From now on the listener's promise does not settle: its application reads no further. Until `goOn`. */
  stick(): void {
    this.#isStuck = true;
  }

  goOn(): void {
    this.#isStuck = false;
    this.#goOn();
  }

  async close(): Promise<void> {
    this.#isLeaving = true;
    this.#stop();
    await this.client.close();
    this.#note('repeats', this.repeats);
    this.#isOver = true;
    this.#o.sink.close();
  }

  #take({ position, data }: StreamEvent<ThreadEvent>): Promise<void> | undefined {
    const { careless } = this.#o;
    if (careless !== undefined) return new Promise((resolve) => setTimeout(() => resolve(this.#apply(position, data)), careless.applyAfterMs));
    this.#apply(position, data);
    if (!this.#isStuck) return undefined;
    return new Promise((resolve) => {
      this.#goOn = resolve;
    });
  }

  #apply({ epoch, offset }: StreamEvent<ThreadEvent>['position'], data: ThreadEvent): void {
    const events = numberedEvents(data);
    this.#o.sink.write({ is: 'applied', life: this.life, epoch, from: this.#arrived.get(offset) ?? offset, to: offset, events });
    this.#arrived.delete(offset);
    if ('run_id' in data) this.#run = data.run_id;
    for (const { number } of events) this.#highest = Math.max(this.#highest, number);
    this.#unacked.push({ to: offset, number: this.#highest });
    this.#o.onProgress?.({ is: 'applied', number: this.#highest, offset });
    if (data.type === undefined || !TERMINAL.includes(data.type)) return;
    const { type, code, status } = data as { readonly type: string; readonly code?: string; readonly status?: string };
    this.#happened({ is: 'run-ended', type, ...(code === undefined ? {} : { code }), ...(status === undefined ? {} : { status }) });
  }

  #arrives(first: number, offset: number, acknowledge: () => void): void {
    if (offset <= this.#received) this.repeats++;
    this.#received = Math.max(this.#received, offset);
    this.#arrived.set(offset, first);
    if (this.#o.careless !== undefined) acknowledge();
  }

  #acknowledges(sub: number, offset: number): void {
    this.#o.sink.write({ is: 'ack', life: this.life, sub, offset });
    let number: number | null = null;
    while (this.#unacked[0] !== undefined && this.#unacked[0].to <= offset) number = (this.#unacked.shift() as { number: number }).number;
    if (number !== null) this.#o.onProgress?.({ is: 'acked', number, offset });
  }

  #happened(progress: Happening): void {
    const { is, ...detail } = progress;
    this.#note(is, detail);
    this.#o.onProgress?.(progress);
  }

  #note(what: string, detail: unknown): void {
    // A message that is refused because of the end says so behind the end.
    if (!this.#isOver) this.#o.sink.write({ is: 'note', life: this.life, at: nowMs(), what, detail });
  }
}

/** One person with one tab: the real SDK, whose whole life goes on over many conversations, and everything that happened in the present one. */

import { createSpillway, type SpillwayClient, type StreamEvent, type ThreadEvent } from '../../src/client/index.ts';
import { nowMs } from '../support/lab/time.ts';
import { loggingWebSocket } from '../support/lossless/logging-websocket.ts';
import { numberedEvents, numberedParts } from '../support/lossless/numbered.ts';
import type { Line } from '../support/lossless/records.ts';

export interface PersonOptions {
  readonly name: string;
  readonly user: string;
  readonly url: string;
  readonly token: string;
}

/** Instants are those of `nowMs()`. */
export type Happening = { readonly at: number } & (
  | { readonly is: 'dial' | 'opened' }
  | { readonly is: 'close'; readonly code: number; readonly reason: string }
  | { readonly is: 'state'; readonly name: string; readonly how?: string; readonly code?: number; readonly reason?: string }
  | { readonly is: 'ended'; readonly run: string; readonly how: string }
  | { readonly is: 'accepted'; readonly run: string }
  | { readonly is: 'refused'; readonly why: string }
  | { readonly is: 'gap' | 'error'; readonly why: string }
);

export class Person {
  readonly name: string;
  readonly user: string;
  client: SpillwayClient;
  thread = '';
  /** Of the present conversation. */
  lines: Line[] = [];
  happenings: Happening[] = [];
  /** Numbered events applied in the present conversation. */
  applied = 0;
  readonly #o: PersonOptions;
  readonly #arrived = new Map<number, number>();
  #stop: () => void = () => {};

  constructor(o: PersonOptions) {
    this.#o = o;
    this.name = o.name;
    this.user = o.user;
    this.client = this.#arrive();
  }

  get isLive(): boolean {
    return this.client.state.name === 'live';
  }

  /** Leaves its conversation for another one. */
  follow(thread: string): void {
    this.#stop();
    this.thread = thread;
    this.lines = [];
    this.happenings = [];
    this.applied = 0;
    this.#arrived.clear();
    this.#listen('start');
  }

  ask(text: string): void {
    const { accepted } = this.client.thread(this.thread).send(text);
    accepted.then(
      ({ runId }) => this.#happened({ at: nowMs(), is: 'accepted', run: runId }),
      (error: unknown) => this.#happened({ at: nowMs(), is: 'refused', why: String(error) }),
    );
  }

  /** Leaves, and comes back as somebody new who knows nothing. */
  async reload(): Promise<void> {
    this.#stop();
    await this.client.close();
    this.client = this.#arrive();
  }

  async leave(): Promise<void> {
    this.#stop();
    await this.client.close();
  }

  #arrive(): SpillwayClient {
    const { url, token, name } = this.#o;
    const client = createSpillway({
      url,
      getToken: () => token,
      storage: 'none',
      label: name,
      webSocket: loggingWebSocket({
        opened: () => this.#happened({ at: nowMs(), is: 'opened' }),
        event: (first, offset) => void this.#arrived.set(offset, first),
        ack: (sub, offset) => void this.lines.push({ is: 'ack', life: 1, sub, offset }),
      }),
      debug: (event) => {
        if (event.type === 'dial') this.#happened({ at: nowMs(), is: 'dial' });
        else if (event.type === 'close') this.#happened({ at: nowMs(), is: 'close', code: event.code, reason: event.reason });
      },
    });
    client.on('state', (state) => {
      const { code, reason } = 'info' in state && state.info !== undefined ? state.info : {};
      this.#happened({
        at: nowMs(),
        is: 'state',
        name: state.name,
        ...(state.name === 'live' ? { how: state.resume } : {}),
        ...(code === undefined ? {} : { code }),
        ...(reason === undefined ? {} : { reason }),
      });
    });
    client.on('gap', ({ thread, position, from, to, reason, snapshot }) => {
      if (thread !== this.thread) return;
      const replaced = snapshot === null ? {} : { snapshot: { to: position.offset, events: numberedParts(snapshot.messages) } };
      this.lines.push({ is: 'gap', life: 1, epoch: position.epoch, from, to, reason, ...replaced });
      this.#happened({ at: nowMs(), is: 'gap', why: reason });
    });
    client.on('error', (error) => this.#happened({ at: nowMs(), is: 'error', why: String(error) }));
    client.connect().catch((error: unknown) => this.#happened({ at: nowMs(), is: 'error', why: String(error) }));
    return client;
  }

  #listen(from: 'start'): void {
    const { thread } = this;
    this.#stop = this.client.thread(thread).on<ThreadEvent>((event) => this.#apply(event), { from });
  }

  #apply({ position: { epoch, offset }, data }: StreamEvent<ThreadEvent>): void {
    const events = numberedEvents(data);
    this.lines.push({ is: 'applied', life: 1, epoch, from: this.#arrived.get(offset) ?? offset, to: offset, events });
    this.#arrived.delete(offset);
    this.applied += events.length;
    if (data.type === 'agent_completed') this.#happened({ at: nowMs(), is: 'ended', run: data.run_id, how: String(data.status) });
    else if (data.type === 'agent_error') this.#happened({ at: nowMs(), is: 'ended', run: data.run_id, how: String(data.code) });
  }

  #happened(happening: Happening): void {
    this.happenings.push(happening);
  }
}

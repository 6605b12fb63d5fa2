/** What comes in: subscriptions over any number of transports, in order, each event once. */

import type { Codec } from '../protocol/agent-events.ts';
import type { ClientFrame, ErrorFrame, From, Gap, ResumeSub, ServerFrame, Welcome } from '../protocol/frames.ts';
import type { ThreadId } from '../protocol/ids.ts';
import type { ThreadSnapshot } from '../protocol/messages.ts';
import type { Position } from '../protocol/position.ts';
import { Acks } from './acks.ts';
import { RETRY_TIMES, retryDelay } from './backoff.ts';
import { Channel, type ChannelHost, type Reader } from './channel.ts';
import type { Emit } from './emitter.ts';
import { refusal } from './errors.ts';
import { isNotFound } from './http.ts';
import { later } from './timers.ts';
import type { GapEvent } from './types.ts';

export interface InboxOptions {
  /** False if there is no live transport; what is not sent now is sent after the next `ready`. */
  send(frame: ClientFrame): boolean;
  snapshot(thread: ThreadId): Promise<ThreadSnapshot>;
  readonly emit: Emit;
}

/** Numbers of subscriptions end here and begin anew. */
export const MAX_SUB = 65_535;

export class Inbox {
  readonly #options: InboxOptions;
  readonly #channels = new Set<Channel>();
  /** Those of listeners. A loop takes its time and keeps nobody else waiting. */
  readonly #shared = new WeakSet<Channel>();
  readonly #positions = new Map<string, Position>();
  readonly #host: ChannelHost = {
    taken: (channel, frame, bytes) => {
      if (channel.position !== null) this.#positions.set(channel.thread, channel.position);
      this.#acks?.taken(channel.sub, frame.offset, bytes, frame.ack === true);
    },
    error: (error) => this.#options.emit('error', error),
  };
  #bySub = new Map<number, Channel>();
  /** Ended after the hello had named them and before the gateway could be told. */
  #unsaid: number[] = [];
  #lastSub = 0;
  #maxSubs = 0;
  #isReady = false;
  /** Null before the first welcome, which names its bounds. */
  #acks: Acks | null = null;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** True while a run is known to go on in a thread that somebody follows. */
  get hasRuns(): boolean {
    return [...this.#channels].some((channel) => channel.runs.size > 0);
  }

  /** Of the last event taken in a thread. */
  positionOf(thread: string): Position | null {
    return this.#positions.get(thread) ?? null;
  }

  /** Adds a reader: to a subscription that suits it, if it may share one, or with one of its own. */
  follow(thread: ThreadId, codec: Codec, from: From, reader: Reader, mayShare: boolean): void {
    let channel = mayShare ? [...this.#channels].find((c) => this.#shared.has(c) && c.thread === thread && c.codec === codec && c.canTake(from)) : undefined;
    if (channel === undefined) {
      channel = new Channel(thread, codec, from, this.#host);
      this.#channels.add(channel);
      if (mayShare) this.#shared.add(channel);
    }
    channel.readers.add(reader);
    this.#open(channel);
  }

  unfollow(reader: Reader): void {
    for (const channel of this.#channels) {
      if (!channel.readers.delete(reader) || channel.readers.size > 0) continue;
      this.#channels.delete(channel);
      this.#shut(channel);
      this.#openWaiting();
    }
  }

  /** A message was accepted: its thread is busy. */
  noteRun(thread: string, run: string): void {
    for (const channel of this.#channels) if (channel.thread === thread) channel.runs.add(run);
  }

  resumeSubs(): readonly ResumeSub[] {
    const subs: ResumeSub[] = [];
    for (const channel of this.#channels) {
      const { position } = channel;
      if (position === null || channel.isAway || subs.length >= this.#maxSubs) continue;
      this.#number(channel);
      const { sub, thread, codec } = channel;
      subs.push({ sub, thread, ...position, codec });
    }
    return subs;
  }

  welcome(welcome: Welcome): void {
    this.#maxSubs = welcome.max.subs;
    this.#acks = new Acks(welcome.ack, (sub, offset) => {
      if (this.#bySub.has(sub)) this.#options.send({ type: 'ack', sub, offset });
    });
  }

  ready(): void {
    this.#isReady = true;
    for (const sub of this.#unsaid.splice(0)) this.#options.send({ type: 'unsubscribe', sub });
    this.#openWaiting();
  }

  lost(): void {
    this.#isReady = false;
    this.#bySub.clear();
    this.#unsaid = [];
    for (const channel of this.#channels) channel.lost();
  }

  /** Everybody is told that nothing more comes. */
  end(): void {
    for (const channel of [...this.#channels]) for (const reader of [...channel.readers]) this.#part(reader);
  }

  /** Returns whether the frame was one for the inbox. Everything happens in this call stack, up to the acknowledgement. */
  receive(frame: ServerFrame, bytes: number): boolean {
    if (frame.type === 'probe') {
      // First what has been taken, then the answer: an answer alone proves only that the page reads.
      this.#acks?.flush();
      return false;
    }
    if (frame.type === 'error') return this.#refused(frame);
    const isOurs = frame.type === 'event' || frame.type === 'subscribed' || frame.type === 'replayed' || frame.type === 'gap';
    const channel = isOurs ? this.#bySub.get(frame.sub) : undefined;
    if (channel === undefined) return isOurs;
    if (frame.type === 'subscribed') channel.subscribed(frame);
    else if (frame.type === 'replayed') channel.hasReplayed = true;
    else if (frame.type === 'gap') this.#bridge(channel, frame).catch((error: unknown) => this.#options.emit('error', error));
    else if (frame.type === 'event' && !channel.receive(frame, bytes)) this.#reopen(channel);
    return true;
  }

  #number(channel: Channel): void {
    do this.#lastSub = (this.#lastSub % MAX_SUB) + 1;
    while (this.#bySub.has(this.#lastSub));
    channel.sub = this.#lastSub;
    this.#bySub.set(channel.sub, channel);
  }

  #open(channel: Channel): void {
    if (!this.#isReady || channel.isAway || channel.sub !== 0 || !this.#channels.has(channel)) return;
    // What is above the gateway's bound begins when another subscription ends.
    if (this.#bySub.size >= this.#maxSubs) return;
    this.#number(channel);
    const { thread, codec } = channel;
    this.#options.send({ type: 'subscribe', sub: channel.sub, thread, from: channel.position ?? channel.from, codec });
  }

  #openWaiting(): void {
    for (const channel of this.#channels) this.#open(channel);
  }

  /** Ends the subscription on this transport. The number stays unused for long, so nothing late can be taken for something new. */
  #shut(channel: Channel): void {
    if (channel.sub === 0) return;
    this.#acks?.flush();
    if (!this.#options.send({ type: 'unsubscribe', sub: channel.sub })) this.#unsaid.push(channel.sub);
    this.#bySub.delete(channel.sub);
    channel.lost();
  }

  /** A hole: a conforming gateway never causes it. Nothing is guessed, the rest is asked for again. */
  #reopen(channel: Channel): void {
    this.#shut(channel);
    this.#open(channel);
  }

  #part(reader: Reader, error?: unknown): void {
    this.unfollow(reader);
    reader.end(error);
  }

  /** Entries are missing: the snapshot stands for them, and the stream goes on behind it. */
  async #bridge(channel: Channel, gap: Gap): Promise<void> {
    channel.isAway = true;
    this.#shut(channel);
    const { thread, codec } = channel;
    let snapshot: ThreadSnapshot | null = null;
    for (let failures = 0; this.#channels.has(channel); failures++) {
      try {
        snapshot = await this.#options.snapshot(thread);
        break;
      } catch (error) {
        if (isNotFound(error)) break;
        this.#options.emit('error', error);
        await new Promise<void>((resolve) => later(retryDelay(failures, RETRY_TIMES, Math.random()), resolve));
      }
    }
    if (!this.#channels.has(channel)) return;
    const position = snapshot?.position ?? { epoch: gap.epoch, offset: gap.to };
    channel.moveTo(position);
    const event: GapEvent = { thread, codec, from: gap.from, to: gap.to, reason: gap.reason, position, snapshot };
    for (const reader of [...channel.readers]) reader.gap(event);
    this.#options.emit('gap', event);
    channel.isAway = false;
    this.#open(channel);
  }

  #refused(frame: ErrorFrame): boolean {
    const { ref } = frame;
    if (ref?.type !== 'subscribe' || ref.sub === undefined) return false;
    const channel = this.#bySub.get(ref.sub);
    if (channel === undefined) return true;
    this.#bySub.delete(ref.sub);
    channel.lost();
    if (frame.retryable) {
      later(frame.retryAfterMs ?? 1_000, () => this.#open(channel));
      return true;
    }
    const error = refusal(frame);
    for (const reader of [...channel.readers]) this.#part(reader, error);
    return true;
  }
}

import { WireClient, type WireFrame } from '../wire-client.ts';

export interface ProvableOptions {
  readonly token: string;
  readonly thread: string;
  readonly label?: string;
  /** Goes on where an earlier life of this client was. */
  readonly resume?: { readonly manager: string; readonly token: string; readonly epoch: string; readonly offset: number };
  readonly deadlineMs?: number;
}

interface Took {
  readonly seatedAfterMs: number;
  readonly helloToReadyMs: number;
}

/** A client that works: it follows one thread, acknowledges each event as it applies it, and answers probes. */
export class ProvableClient {
  readonly wire: WireClient;
  readonly manager: string;
  readonly ready: WireFrame;
  /** Milliseconds from dialling to `ready`. */
  readonly seatedAfterMs: number;
  /** Milliseconds from its `hello` to `ready`. */
  readonly helloToReadyMs: number;
  readonly epoch: string;
  /** Where it began to read. */
  readonly startedAt: number;

  private constructor(wire: WireClient, ready: WireFrame, at: { readonly epoch: string; readonly offset: number }, took: Took) {
    this.wire = wire;
    this.ready = ready;
    this.manager = ready.manager;
    this.epoch = at.epoch;
    this.startedAt = at.offset;
    this.seatedAfterMs = took.seatedAfterMs;
    this.helloToReadyMs = took.helloToReadyMs;
  }

  /** Dials, says hello as a person's client, and follows its thread. Resolves when all that existed has been replayed. */
  static async open(url: string, o: ProvableOptions): Promise<ProvableClient> {
    const dialledAt = performance.now();
    const wire = (await WireClient.open(url, o.deadlineMs === undefined ? {} : { deadlineMs: o.deadlineMs })).behave();
    try {
      const { resume } = o;
      const sub = { sub: 1, thread: o.thread };
      const helloAt = performance.now();
      wire.sendFrame({
        type: 'hello',
        v: 1,
        token: o.token,
        client: { name: 'peer', version: '1.0', ...(o.label === undefined ? {} : { label: o.label }) },
        intent: 'user',
        visibility: 'visible',
        ...(resume === undefined
          ? {}
          : { resume: { manager: resume.manager, token: resume.token, subs: [{ ...sub, epoch: resume.epoch, offset: resume.offset }] } }),
      });
      const ready = await wire.next('ready');
      const readyAt = performance.now();
      if (resume === undefined) wire.sendFrame({ type: 'subscribe', ...sub, from: 'start' });
      const subscribed = await wire.next('subscribed');
      await wire.next('replayed');
      return new ProvableClient(
        wire,
        ready,
        { epoch: subscribed.epoch, offset: subscribed.offset },
        { seatedAfterMs: readyAt - dialledAt, helloToReadyMs: readyAt - helloAt },
      );
    } catch (error) {
      wire.cut();
      throw error;
    }
  }

  /** Offset of the last event that it applied without a hole before it. */
  get applied(): number {
    let offset = this.startedAt;
    for (const frame of this.wire.frames) {
      if (frame.type !== 'event') continue;
      if ((frame.from ?? frame.offset) !== offset + 1)
        throw new Error(`Expected offset ${offset + 1} next, got ${frame.from ?? frame.offset}…${frame.offset}.`);
      offset = frame.offset;
    }
    return offset;
  }

  /** The `bye` it was sent away with. */
  get bye(): WireFrame | null {
    return this.wire.frames.find((frame) => frame.type === 'bye') ?? null;
  }
}

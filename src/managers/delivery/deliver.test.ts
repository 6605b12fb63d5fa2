import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemClock } from '../../ports/clock.ts';
import { silent } from '../../ports/telemetry.ts';
import type { Transport } from '../../ports/transport.ts';
import type { RunId, ThreadId, UserId } from '../../protocol/ids.ts';
import { memoryStore } from '../../stores/memory.ts';
import { Cursor } from '../../streams/cursor.ts';
import type { Stream } from '../../streams/stream.ts';
import { Streams } from '../../streams/streams.ts';
import { Delivery } from './deliver.ts';
import { Flushes } from './flushes.ts';

const WINDOW = 16_384;
const RUN = 'run_00000000000000000000' as RunId;

interface EventFrame {
  readonly type: string;
  readonly sub: number;
  readonly from?: number;
  readonly offset: number;
  readonly ack?: true;
  readonly data: { readonly type: string; readonly text?: string };
}

/** A client at the end of a wire without any delay: it applies by the rule of clients and counts what it owes. */
class Client implements Transport {
  readonly class = 'acking';
  readonly peer = { address: '', userAgent: '' };
  readonly unsentBytes = 0;
  readonly texts = new Map<number, string>();
  readonly last = new Map<number, number>();
  readonly replayed = new Map<number, number>();
  asked = 0;
  most = 0;
  #owed: { readonly sub: number; readonly offset: number; readonly bytes: number; readonly asks: boolean }[] = [];

  send(messages: readonly string[]): void {
    for (const text of messages) {
      const frame = JSON.parse(text) as EventFrame;
      if (frame.type === 'replayed') this.replayed.set(frame.sub, (this.replayed.get(frame.sub) ?? 0) + 1);
      if (frame.type !== 'event') continue;
      expect(frame.from ?? frame.offset).toBe((this.last.get(frame.sub) ?? 0) + 1);
      this.last.set(frame.sub, frame.offset);
      this.texts.set(frame.sub, (this.texts.get(frame.sub) ?? '') + (frame.data.text ?? `<${frame.data.type}>`));
      this.#owed.push({ sub: frame.sub, offset: frame.offset, bytes: Buffer.byteLength(text), asks: frame.ack === true });
      const owed = this.#owed.reduce((sum, o) => sum + o.bytes, 0);
      // A larger single entry goes alone.
      if (this.#owed.length > 1) this.most = Math.max(this.most, owed);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(this.#owed.length > 1 ? WINDOW : 300_000);
    }
  }

  /** Acknowledges the first `count` frames that are owed. */
  ack(delivery: Delivery, count: number): boolean {
    const done = this.#owed.slice(0, count);
    for (const { sub, offset } of done) expect(delivery.acknowledge(sub, offset)).not.toBe('ahead');
    this.#owed = this.#owed.slice(done.length);
    return done.length > 0;
  }

  /** What a client does that acknowledges nothing but what it is asked for. */
  ackAsked(delivery: Delivery): boolean {
    return this.ack(delivery, this.#owed.findLastIndex((o) => o.asks) + 1);
  }

  get owes(): number {
    return this.#owed.length;
  }

  ping(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  terminate(): void {}
  listen(): void {}
}

const said = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('word ', 'ä', '漢字', '😀', '\ud83d', '\ude00', '"\\') },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 12_000 }).map((n) => '漢'.repeat(n)) },
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('say' as const),
      stream: fc.nat(1),
      type: fc.constantFrom('text_delta', 'text_delta', 'custom'),
      text: said,
      times: fc.integer({ min: 1, max: 80 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('ack' as const), count: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('the window holds whatever is said and however it is acknowledged; all arrives, by acks that were asked for alone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const streams = new Streams(memoryStore(), systemClock, silent);
      const client = new Client();
      const delivery: Delivery = new Delivery(client, new Flushes(systemClock), {
        window: () => WINDOW,
        sent: () => {},
        excused: () => {},
        stalled: () => client.asked++,
        failed: (error) => expect.fail(String(error)),
        gapped: () => {},
      });
      const all: Stream[] = [];
      const expected = ['', ''];
      for (const [i, thread] of ['a', 'b'].entries()) {
        const stream = await streams.hold({ user: 'ada' as UserId, thread: thread as ThreadId });
        await stream.writable();
        delivery.add(i + 1, await Cursor.open(stream, 'start', delivery.wake));
        all.push(stream);
      }
      for (const act of steps) {
        if (act.do === 'ack') client.ack(delivery, act.count);
        else if (act.do === 'wait') await turn();
        else {
          const stream = all[act.stream] as Stream;
          for (let n = 0; n < act.times; n++) {
            const event = { type: act.type, message_id: 'm', text: act.text, event_id: `e:${stream.head + 1}` };
            stream.append({ kind: 'agent', run: RUN, codec: 'agent-events', data: JSON.stringify(event), at: 0 });
            expected[act.stream] += act.text;
          }
        }
        if (delivery.owed !== null) expect(delivery.owed.events).toBeGreaterThan(0);
      }
      const isThere = (): boolean => client.replayed.size === 2 && all.every((stream, i) => (client.last.get(i + 1) ?? 0) === stream.head);
      for (let idle = 0; idle < 50 && !(isThere() && client.owes === 0); idle++) {
        await turn();
        // Whoever is asked by a probe acknowledges all; else what asked for it; at the end the rest.
        const isAsked = client.asked > 0;
        client.asked = 0;
        if (isAsked || isThere() ? client.ack(delivery, client.owes) : client.ackAsked(delivery)) idle = 0;
      }
      expect([1, 2].map((sub) => client.texts.get(sub) ?? '')).toEqual(expected);
      expect([1, 2].map((sub) => client.replayed.get(sub))).toEqual([1, 1]);
      expect(client.most).toBeLessThanOrEqual(WINDOW);
      expect(delivery.owed).toBe(null);
      expect(delivery.unackedBytes).toBe(0);
      delivery.end();
      await streams.settled();
    }),
    { numRuns: 120 },
  );
});

test('a probe knows what was sent before it, however frames were counted together', async () => {
  const streams = new Streams(memoryStore(), systemClock, silent);
  const stream = await streams.hold({ user: 'ada' as UserId, thread: 't' as ThreadId });
  await stream.writable();
  const client = new Client();
  const delivery = new Delivery(client, new Flushes(systemClock), { window: () => WINDOW, sent() {}, excused() {}, stalled() {}, failed() {}, gapped() {} });
  delivery.add(1, await Cursor.open(stream, 'start', delivery.wake));
  const say = async (): Promise<void> => {
    stream.append({ kind: 'agent', run: RUN, codec: 'agent-events', data: '{"type":"custom"}', at: 0 });
    await stream.confirmed();
    delivery.flush();
  };
  await say();
  await say();
  delivery.ask({ type: 'probe', n: 1 });
  const asked = delivery.sequence;
  await say();
  expect(delivery.owesBefore(asked)).toBe(true);
  delivery.acknowledge(1, 1);
  expect(delivery.owesBefore(asked)).toBe(true);
  expect(delivery.owed).toMatchObject({ events: 2 });
  delivery.acknowledge(1, 2);
  expect(delivery.owesBefore(asked)).toBe(false);
  expect(delivery.owed).toMatchObject({ events: 1 });
  delivery.acknowledge(1, 3);
  expect(delivery.owed).toBe(null);
  delivery.end();
});

test('what more transports have due than a turn can take is written in the next, first come, first served', async () => {
  const order: number[] = [];
  let turns = 0;
  const flushes = new Flushes({
    ...systemClock,
    soon: (callback) =>
      systemClock.soon(() => {
        turns++;
        callback();
      }),
  });
  for (let n = 0; n < 200; n++) flushes.want(() => order.push(n));
  await turn();
  expect(order.length).toBeLessThan(200);
  flushes.want(() => order.push(200));
  while (order.length < 201) await turn();
  expect(order).toEqual(Array.from({ length: 201 }, (_, n) => n));
  expect(turns).toBeGreaterThanOrEqual(3);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FaultyStore } from '../../test/support/faulty-store.ts';
import { type Clock, systemClock } from '../ports/clock.ts';
import { silent } from '../ports/telemetry.ts';
import type { From } from '../protocol/frames.ts';
import type { RunId, ThreadId, UserId } from '../protocol/ids.ts';
import type { Position } from '../protocol/position.ts';
import { Cursor } from './cursor.ts';
import type { Stream } from './stream.ts';
import { Streams } from './streams.ts';

const KEY = { user: 'ada' as UserId, thread: 't' as ThreadId };
const RUN = 'run_00000000000000000000' as RunId;
/** A system clock whose retries do not keep a test waiting. */
const CLOCK: Clock = { ...systemClock, after: (_delayMs, callback) => systemClock.after(0, callback) };

const textOf = (n: number): string => JSON.stringify({ type: n % 3 === 0 ? 'custom' : 'text_delta', message_id: 'm', text: `${n} ` });

async function open(store: FaultyStore): Promise<{ readonly streams: Streams; readonly stream: Stream }> {
  const streams = new Streams(store, CLOCK, silent);
  const stream = await streams.hold(KEY);
  await stream.writable();
  return { streams, stream };
}

let written = 0;
function append(stream: Stream, count: number, onLost: () => void = () => {}): void {
  for (let i = 0; i < count; i++) stream.append({ kind: 'agent', run: RUN, codec: 'agent-events', data: textOf(stream.head + 1), at: ++written }, { onLost });
}

/** Applies what a cursor hands out, by the rule of a client: what does not join is a hole. */
class Reader {
  readonly texts = new Map<number, string>();
  readonly gaps: { readonly from: number; readonly to: number; readonly reason: string }[] = [];
  last = 0;
  replayed = 0;
  epoch = '';
  cursor: Cursor | null = null;
  #isAwake = true;

  async start(stream: Stream, from: From): Promise<this> {
    this.cursor = await Cursor.open(stream, from, () => {
      this.#isAwake = true;
    });
    this.last = this.cursor.startedAt;
    this.epoch = this.cursor.epoch;
    return this;
  }

  /** Takes at most `steps`; true if one was due. */
  step(steps: number, maxBytes: number): boolean {
    const { cursor } = this;
    if (cursor === null || !this.#isAwake) return false;
    for (let i = 0; i < steps; i++) {
      const step = cursor.next(maxBytes);
      if (step.is === 'nothing' || step.is === 'full') {
        this.#isAwake = false;
        return i > 0;
      }
      if (step.is === 'replayed') {
        this.replayed++;
        expect(step.offset).toBe(this.last);
      } else if (step.is === 'gap') {
        this.gaps.push(step.gap);
        if (step.gap.reason !== 'retention') this.texts.clear();
        this.last = step.gap.to;
        this.epoch = step.gap.epoch;
      } else if (step.is === 'ranges') {
        for (const range of step.ranges) {
          expect(range.from ?? range.offset).toBe(this.last + 1);
          if (this.replayed === 0) expect(range.offset).toBeLessThanOrEqual(Math.max(cursor.head, this.last + 1));
          this.texts.set(range.from ?? range.offset, (JSON.parse(range.data) as { text: string }).text);
          this.last = range.offset;
        }
      }
    }
    return true;
  }

  /** Reads until it stands at the mark. */
  async finish(stream: Stream): Promise<void> {
    const deadline = performance.now() + 5_000;
    while (this.last < stream.mark || this.replayed === 0) {
      if (performance.now() > deadline) throw new Error(`Expected the reader to reach ${stream.mark}, it stands at ${this.last}.`);
      this.step(50, 1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const words = (from: number, to: number): string => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => `${from + i} `).join('');

type Act =
  | { readonly do: 'append'; readonly count: number }
  | { readonly do: 'read'; readonly who: number; readonly steps: number; readonly maxBytes: number }
  | { readonly do: 'join'; readonly from: 'start' | 'now' | 'middle' | 'beyond' }
  | { readonly do: 'trim'; readonly streamBytes: number }
  | { readonly do: 'turn' }
  | { readonly do: 'fail'; readonly call: 'log.append' | 'log.read'; readonly times: number }
  | { readonly do: 'lose' };

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      who: fc.nat(5),
      steps: fc.integer({ min: 1, max: 6 }),
      maxBytes: fc.constantFrom(1, 60, 300, 65_536),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('join' as const), from: fc.constantFrom('start' as const, 'now' as const, 'middle' as const, 'beyond' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trim' as const), streamBytes: fc.constantFrom(0, 100, 500, 2_000) }) },
  { weight: 5, arbitrary: fc.constant({ do: 'turn' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      call: fc.constantFrom('log.append' as const, 'log.read' as const),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'lose' as const }) },
);

describe('a follower', () => {
  it('gets every offset once and in order, or a gap over exactly the rest, whatever the store and others do', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 60 }), async (acts) => {
        const store = new FaultyStore();
        const { streams, stream } = await open(store);
        const readers: Reader[] = [];
        let lost = 0;
        const join = async (from: Extract<Act, { do: 'join' }>['from']): Promise<void> => {
          const at: From =
            from === 'middle'
              ? { epoch: stream.epoch, offset: Math.floor(stream.mark / 2) }
              : from === 'beyond'
                ? { epoch: stream.epoch, offset: stream.mark + 7 }
                : from;
          readers.push(await new Reader().start(stream, at));
        };
        const joins: Promise<void>[] = [];
        for (const a of acts) {
          if (a.do === 'append') append(stream, a.count, () => lost++);
          else if (a.do === 'read') readers[a.who % Math.max(1, readers.length)]?.step(a.steps, a.maxBytes);
          else if (a.do === 'join') joins.push(join(a.from));
          else if (a.do === 'trim') await streams.trim({ keepMs: 3_600_000, streamBytes: a.streamBytes });
          else if (a.do === 'turn') await new Promise((resolve) => setImmediate(resolve));
          else if (a.do === 'fail') store.fail(a.call, a.times);
          else store.loseAnswers('log.append');
        }
        await Promise.all(joins);
        await streams.settled();
        append(stream, 1, () => lost++);
        await streams.settled();
        expect(lost).toBe(0);
        const kept = await store.log.state(KEY);
        expect(kept).toMatchObject({ head: stream.mark, epoch: stream.epoch });
        for (const reader of readers) {
          await reader.finish(stream);
          expect(reader.replayed).toBe(1);
          expect(reader.epoch).toBe(stream.epoch);
          // What it has since the last time everything was void, and what it was told is missing, cover the log.
          const missing = new Set<number>();
          const sinceVoid = reader.gaps.slice(
            reader.gaps.findLastIndex((g) => g.reason !== 'retention') + (reader.gaps.some((g) => g.reason !== 'retention') ? 0 : 1),
          );
          for (const gap of sinceVoid) for (let n = gap.from; n <= gap.to; n++) missing.add(n);
          let expected = '';
          const first = Math.min(...reader.texts.keys(), stream.mark + 1);
          for (let n = first; n <= stream.mark; n++) if (!missing.has(n)) expected += words(n, n);
          const got = [...reader.texts].sort(([a], [b]) => a - b).map(([, text]) => text);
          expect(got.join('')).toBe(expected);
          reader.cursor?.end();
        }
        streams.release(stream);
        await streams.settled();
        await new Promise((resolve) => setImmediate(resolve));
        expect(streams.size).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('of a position between the mark and an unconfirmed entry is told nothing of a lost tail', async () => {
    const store = new FaultyStore();
    const { stream } = await open(store);
    append(stream, 3);
    await stream.confirmed();
    const held = store.hold('log.append');
    append(stream, 2);
    await held.reached;
    stream.setActiveRun({ id: RUN, firstOffset: 5 });
    const reader = await new Reader().start(stream, 'run');
    expect(reader.last).toBe(3);
    held.release();
    await reader.finish(stream);
    await stream.confirmed();
    await reader.finish(stream);
    expect(reader.gaps).toEqual([]);
    expect(reader.last).toBe(5);
  });

  it('two that present a position beyond the head at once share the new epoch', async () => {
    const store = new FaultyStore();
    const { stream } = await open(store);
    append(stream, 3);
    await stream.confirmed();
    const beyond: Position = { epoch: stream.epoch, offset: 9 };
    const [one, two] = await Promise.all([new Reader().start(stream, beyond), new Reader().start(stream, beyond)]);
    expect(one.epoch).toBe(two.epoch);
    expect(one.epoch).not.toBe(beyond.epoch);
    for (const reader of [one, two]) {
      await reader.finish(stream);
      expect(reader.gaps).toMatchObject([{ from: 1, to: 0, reason: 'rewound' }]);
      expect([...reader.texts.values()].join('')).toBe(words(1, 3));
    }
  });

  it('that cannot be served because the store fails waits for it, and skips nothing', async () => {
    const store = new FaultyStore();
    const { stream } = await open(store);
    append(stream, 40);
    await stream.confirmed();
    store.fail('log.read', 3);
    const reader = await new Reader().start(stream, 'start');
    await reader.finish(stream);
    expect([...reader.texts.values()].join('')).toBe(words(1, 40));
  });
});

describe('a stream', () => {
  it('that another writer took over says so to whoever had something under way, and can be claimed again', async () => {
    const store = new FaultyStore();
    const { stream } = await open(store);
    append(stream, 2);
    await stream.confirmed();
    const tenure = stream.tenure;
    await store.log.claim(KEY);
    let lost = 0;
    append(stream, 3, () => lost++);
    await stream.confirmed();
    expect(lost).toBe(3);
    expect(stream.tenure).toBe(null);
    expect(stream.head).toBe(2);
    await stream.writable();
    expect(stream.tenure).not.toBe(tenure);
    append(stream, 1);
    await stream.confirmed();
    expect((await store.log.state(KEY)).head).toBe(3);
  });

  it('keeps nothing in memory once everybody has it', async () => {
    const store = new FaultyStore();
    const { streams, stream } = await open(store);
    const reader = await new Reader().start(stream, 'start');
    append(stream, 50);
    await stream.confirmed();
    await reader.finish(stream);
    reader.step(10, 1_000);
    let reads = 0;
    store.watch('log.read', () => reads++);
    await (await new Reader().start(stream, 'start')).finish(stream);
    expect(reads).toBeGreaterThan(0);
    streams.release(stream);
  });

  it('that was given back before its entries were confirmed is forgotten when they are', async () => {
    const store = new FaultyStore();
    const { streams, stream } = await open(store);
    const held = store.hold('log.append');
    append(stream, 2);
    streams.release(stream);
    await held.reached;
    expect(streams.size).toBe(1);
    expect(await streams.hold(KEY)).toBe(stream);
    streams.release(stream);
    held.release();
    await stream.confirmed();
    expect(streams.size).toBe(0);
  });

  it('is one object for all who hold it at once', async () => {
    const store = new FaultyStore();
    const streams = new Streams(store, CLOCK, silent);
    const brief = async (): Promise<Stream> => {
      streams.release(await streams.hold(KEY));
      return streams.hold(KEY);
    };
    const held = await Promise.all([brief(), streams.hold(KEY), brief(), streams.hold(KEY)]);
    expect(new Set(held).size).toBe(1);
    for (const stream of held) streams.release(stream);
    expect(streams.size).toBe(0);
  });
});

describe('group commit', () => {
  it('asks a store that fails the same again, to the letter, until it answers', async () => {
    const store = new FaultyStore();
    const { streams, stream } = await open(store);
    const seen: string[] = [];
    store.watch('log.append', ([requests]) => seen.push(JSON.stringify(requests)));
    store.fail('log.append', 3);
    append(stream, 2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(streams.storeFailing).toBe(true);
    append(stream, 2);
    await stream.confirmed();
    expect(seen.length).toBe(5);
    expect(new Set(seen.slice(0, 4)).size).toBe(1);
    expect(streams.storeFailing).toBe(false);
    expect((await store.log.read(KEY, 1, 10_000)).map((e) => e.offset)).toEqual([1, 2, 3, 4]);
  });

  it('a listener that throws keeps no news from other streams', async () => {
    const store = new FaultyStore();
    const { streams, stream } = await open(store);
    const other = await streams.hold({ ...KEY, thread: 'other' as ThreadId });
    await other.writable();
    stream.append(
      { kind: 'agent', run: RUN, codec: 'agent-events', data: textOf(1), at: 1 },
      {
        onLogged: () => {
          throw new Error('A listener of ours.');
        },
      },
    );
    append(other, 1);
    await other.confirmed();
    expect(other.mark).toBe(1);
    expect(streams.storeFailing).toBe(false);
  });
});

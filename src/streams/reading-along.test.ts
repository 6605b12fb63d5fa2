import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { storeMs } from '../core/clocks.ts';
import { type Clock, systemClock } from '../ports/clock.ts';
import type { NodeLife } from '../ports/cluster.ts';
import { systemRandom } from '../ports/random.ts';
import type { LogStore, Store } from '../ports/store.ts';
import { silent } from '../ports/telemetry.ts';
import type { From } from '../protocol/frames.ts';
import type { NodeId, RunId, ThreadId, UserId } from '../protocol/ids.ts';
import { KeptEntries } from '../stores/memory/kept-entries.ts';
import { MemoryLog } from '../stores/memory/log.ts';
import { Streams as Tables } from '../stores/memory/streams.ts';
import { memoryStore } from '../stores/memory.ts';
import { Cursor } from './cursor.ts';
import type { Stream } from './stream.ts';
import { Streams } from './streams.ts';

const KEY = { user: 'ada' as UserId, thread: 't' as ThreadId };
const RUN = 'run_00000000000000000000' as RunId;
/** A system clock on which nobody waits long. */
const CLOCK: Clock = { ...systemClock, after: (delayMs, callback) => systemClock.after(delayMs / 200, callback) };
const turns = async (count = 20): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** A log that several nodes share, and that can lose its last entries, as one whose copy took over a little late does. */
class SharedLog {
  readonly #tables = new Tables(systemRandom);
  readonly log = new MemoryLog(this.#tables, () => storeMs(0), CLOCK);
  #isDeaf = false;

  /** The store as one node sees it. `answers`: what is waited for before an answer to such a call is handed over. */
  store(answers: Partial<Record<keyof LogStore, () => Promise<void>>> = {}): Store {
    const { log } = this;
    const watch: LogStore['watch'] = (key, changed) => log.watch(key, (seen) => (this.#isDeaf ? undefined : changed(seen)));
    const port = new Proxy(log as LogStore, {
      get: (target, name: keyof LogStore) => {
        if (name === 'watch') return watch;
        const method = target[name].bind(target) as (...args: unknown[]) => Promise<unknown>;
        return async (...args: unknown[]) => {
          const answer = await method(...args);
          await answers[name]?.();
          return answer;
        };
      },
    });
    return { ...memoryStore(), log: port };
  }

  /** Nobody is told of news any more, or again. */
  deaf(isDeaf: boolean): void {
    this.#isDeaf = isDeaf;
  }

  lose(count: number): void {
    const stream = this.#tables.open(KEY);
    const left = [...stream.entries.from(0)].slice(0, -count).map((kept) => kept.entry);
    stream.entries = new KeptEntries();
    for (const entry of left) stream.entries.push(entry, 0, false);
    stream.head = Math.max(0, stream.head - count);
  }
}

interface Node {
  readonly life: NodeLife;
  readonly streams: Streams;
  readonly stream: Stream;
}

async function nodeOn(shared: SharedLog, name: string, answers: Parameters<SharedLog['store']>[0] = {}): Promise<Node> {
  const life = { node: name as NodeId, incarnation: `${name}1` };
  const streams = new Streams(shared.store(answers), CLOCK, silent, { life, random: systemRandom });
  return { life, streams, stream: await streams.hold(KEY) };
}

/** What passes while it is open. */
function gate() {
  let opened = Promise.resolve();
  let open = (): void => {};
  return {
    passed: () => opened,
    close() {
      opened = new Promise((resolve) => {
        open = resolve;
      });
    },
    open: () => open(),
  };
}

let written = 0;
/** Appends events of nobody's run, claiming the stream if need be; what another writer came between is given up. */
async function write(stream: Stream, count: number): Promise<void> {
  await stream.writable();
  for (let i = 0; i < count && stream.tenure !== null; i++) {
    const data = JSON.stringify({ type: 'text_delta', message_id: 'm', text: `${++written} ` });
    stream.append({ kind: 'agent', run: null, codec: 'agent-events', data, at: written }, { onLost: () => {} });
  }
  await stream.confirmed();
}

/** Applies what a cursor hands out by the rule of a client, and notes under which position it saw what. */
class Reader {
  readonly texts = new Map<number, string>();
  last = 0;
  #cursor: Cursor | null = null;
  readonly #seen: Map<string, string>;

  readonly #isEager: boolean;

  constructor(seen: Map<string, string>, isEager = false) {
    this.#seen = seen;
    this.#isEager = isEager;
  }

  async start(stream: Stream, from: From): Promise<this> {
    const cursor = await Cursor.open(stream, from, () => {
      // As quick as can be.
      if (this.#isEager) queueMicrotask(() => this.read());
    });
    this.#cursor = cursor;
    this.last = cursor.startedAt;
    return this;
  }

  read(): void {
    for (let step = this.#cursor?.next(1); step !== undefined && step.is !== 'nothing' && step.is !== 'full'; step = this.#cursor?.next(1)) {
      if (step.is === 'gap') {
        this.texts.clear();
        this.last = step.gap.to;
      } else if (step.is === 'ranges') {
        for (const { from, offset, data } of step.ranges) {
          expect(from ?? offset).toBe(this.last + 1);
          const name = `${this.#cursor?.epoch}:${offset}`;
          expect(this.#seen.get(name) ?? data).toBe(data);
          this.#seen.set(name, data);
          this.texts.set(offset, data);
          this.last = offset;
        }
      }
    }
  }

  async finish(node: Node): Promise<void> {
    for (let i = 0; i < 400; i++) {
      this.read();
      if (this.last === node.stream.mark && i > 20) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  end(): void {
    this.#cursor?.end();
  }
}

type Act =
  | { readonly do: 'write'; readonly who: number; readonly count: number }
  | { readonly do: 'read' | 'join'; readonly who: number }
  | { readonly do: 'turn' | 'lose' | 'deaf' | 'hear' };

const who = fc.nat(2);
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), who, count: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('read' as const), who: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('join' as const), who }) },
  { weight: 6, arbitrary: fc.constant({ do: 'turn' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'lose' as const }) },
  { weight: 1, arbitrary: fc.constantFrom({ do: 'deaf' as const }, { do: 'hear' as const }) },
);

describe('a stream that several nodes write and read', () => {
  it('shows every follower the whole log in order, and never two events under one position, also over losses', { timeout: 60_000 }, async () => {
    let losses = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 50 }), async (acts) => {
        const shared = new SharedLog();
        const nodes = await Promise.all(['a', 'b', 'c'].map((name) => nodeOn(shared, name)));
        const seen = new Map<string, string>();
        const readers: { readonly reader: Reader; readonly node: Node }[] = [];
        const writes: Promise<void>[] = [];
        for (const a of acts) {
          if (a.do === 'write') writes.push(write((nodes[a.who] as Node).stream, a.count));
          else if (a.do === 'read') readers[a.who % Math.max(1, readers.length)]?.reader.read();
          else if (a.do === 'join') {
            const node = nodes[a.who] as Node;
            readers.push({ node, reader: await new Reader(seen).start(node.stream, 'start') });
          } else if (a.do === 'lose') {
            // What no node knows of is the store's to notice.
            await Promise.all(writes.splice(0));
            await Promise.all(nodes.map(({ stream }) => stream.current()));
            shared.lose(2);
            losses++;
          } else if (a.do === 'turn') await turns(3);
          else shared.deaf(a.do === 'deaf');
        }
        await Promise.all(writes);
        shared.deaf(false);
        await write((nodes[0] as Node).stream, 1);
        for (const { stream } of nodes) await stream.current();
        const state = await shared.log.state(KEY);
        const log = (await shared.log.read(KEY, 1, 1_000_000)).map((entry) => entry.data);
        for (const { node, reader } of readers) {
          await reader.finish(node);
          expect({ epoch: node.stream.epoch, mark: node.stream.mark }).toEqual({ epoch: state.epoch, mark: state.head });
          expect([...reader.texts.values()]).toEqual(log);
          reader.end();
        }
        for (const { streams, stream } of nodes) {
          streams.release(stream);
          expect(streams.size).toBe(0);
        }
      }),
      { numRuns: 120 },
    );
    expect(losses).toBeGreaterThan(10);
  });

  it('is never found behind by a client that another node has told more: nothing is declared lost', async () => {
    const shared = new SharedLog();
    const [a, b] = [await nodeOn(shared, 'a'), await nodeOn(shared, 'b')];
    shared.deaf(true);
    await write(a.stream, 5);
    const { epoch } = a.stream;
    const reader = await new Reader(new Map()).start(b.stream, { epoch, offset: 4 });
    await reader.finish(b);
    expect([reader.last, b.stream.epoch]).toEqual([5, epoch]);
    // A position that nobody can have been told is another matter.
    await Cursor.open(b.stream, { epoch, offset: 9 }, () => {});
    expect(b.stream.epoch).not.toBe(epoch);
  });

  it('is not behind while its own answer is on its way and others have read already what it wrote', async () => {
    const shared = new SharedLog();
    const answer = gate();
    const a = await nodeOn(shared, 'a', { append: answer.passed });
    await write(a.stream, 3);
    const { epoch } = a.stream;
    answer.close();
    const writing = write(a.stream, 1);
    await turns(1);
    const ahead = await Cursor.open(a.stream, { epoch, offset: 4 }, () => {});
    expect([ahead.startedAt, ahead.hasGap, a.stream.mark, a.stream.epoch]).toEqual([4, false, 3, epoch]);
    answer.open();
    await writing;
    expect(ahead.next(1)).toEqual({ is: 'replayed', offset: 4 });
  });

  it('begins a new epoch when a follower finds that the tail is gone, without anybody writing; a late answer is no such finding', async () => {
    const shared = new SharedLog();
    const late = gate();
    const [a, b] = [await nodeOn(shared, 'a', { state: late.passed }), await nodeOn(shared, 'b')];
    await write(a.stream, 5);
    const readers = [await new Reader(new Map()).start(a.stream, 'start'), await new Reader(new Map()).start(b.stream, 'start')] as const;
    await readers[0].finish(a);
    await readers[1].finish(b);
    const { epoch } = a.stream;
    // Asked at 5, answered when its own 6 and 7 are confirmed.
    late.close();
    const looked = a.stream.current();
    await turns(1);
    await write(a.stream, 2);
    late.open();
    await looked;
    await readers[1].finish(b);
    expect([a.stream.mark, a.stream.epoch, b.stream.epoch]).toEqual([7, epoch, epoch]);
    shared.lose(3);
    const deadline = performance.now() + 5_000;
    while ((a.stream.epoch === epoch || b.stream.epoch !== a.stream.epoch) && performance.now() < deadline) await turns(5);
    expect([a.stream.mark, b.stream.mark, b.stream.epoch]).toEqual([4, 4, a.stream.epoch]);
    expect(a.stream.epoch).not.toBe(epoch);
  });

  it('never takes entries of a new epoch for those of the old one', async () => {
    const shared = new SharedLog();
    const [a, b] = [await nodeOn(shared, 'a'), await nodeOn(shared, 'b')];
    await write(a.stream, 6);
    const { epoch } = a.stream;
    const seen = new Map<string, string>();
    const [atA, atB] = [await new Reader(seen, true).start(a.stream, 'start'), await new Reader(seen, true).start(b.stream, 'start')];
    await atA.finish(a);
    await atB.finish(b);
    shared.deaf(true);
    shared.lose(1);
    await a.stream.current();
    await write(a.stream, 3);
    await b.stream.current();
    await atB.finish(b);
    await atA.finish(a);
    expect([b.stream.epoch, b.stream.mark]).toEqual([a.stream.epoch, 8]);
    expect([...atB.texts.values()]).toEqual([...atA.texts.values()]);
    expect([...seen.keys()].filter((position) => position.startsWith(`${epoch}:`))).toHaveLength(6);
  });

  it('goes on in the epoch that another node has begun: what was on its way arrives there', async () => {
    const shared = new SharedLog();
    const [a, b] = [await nodeOn(shared, 'a'), await nodeOn(shared, 'b')];
    await write(a.stream, 3);
    await b.stream.rewound();
    let lost = 0;
    a.stream.append({ kind: 'agent', run: RUN, codec: 'agent-events', data: '{"type":"custom"}', at: 1 }, { onLost: () => lost++ });
    await a.stream.confirmed();
    expect([lost, a.stream.mark, a.stream.epoch]).toEqual([0, 4, (await shared.log.state(KEY)).epoch]);
  });

  it('is left quietly by a writer that another node followed, and knows whose run is active', async () => {
    const shared = new SharedLog();
    const [a, b] = [await nodeOn(shared, 'a'), await nodeOn(shared, 'b')];
    const runs: (string | null)[] = [];
    await write(a.stream, 1);
    const cursor = await Cursor.open(
      a.stream,
      'start',
      () => {},
      () => runs.push(a.stream.activeRun?.id ?? null),
    );
    const reader = await new Reader(new Map(), true).start(a.stream, 'start');
    await reader.finish(a);
    await write(b.stream, 1);
    const record = { ...KEY, id: RUN, message: 'msg_00000000000000000000', agent: null, node: b.life.node, createdAt: 1, lastOffset: null } as never as {
      readonly id: RunId;
    };
    const running = { ...record, state: 'running', firstOffset: 3 } as never;
    await b.stream.log({ kind: 'agent', run: RUN, codec: 'agent-events', data: '{"type":"agent_started"}', at: 1 }, { runs: [running] });
    await turns();
    expect([a.stream.tenure, a.stream.mark, a.stream.activeRun]).toEqual([null, 3, { id: RUN, firstOffset: 3 }]);
    // It cannot be taken while that run goes on, and by whoever knows that its node is dead it can.
    const held = await a.stream.writable();
    expect(held?.by).toEqual(b.life);
    expect(await a.stream.writable(held?.token)).toBe(null);
    const ended = { ...record, state: 'ended', firstOffset: 3, lastOffset: 4 } as never;
    await a.stream.log({ kind: 'agent', run: RUN, codec: 'agent-events', data: '{"type":"agent_completed"}', at: 1 }, { runs: [ended] });
    a.stream.setActiveRun(null);
    expect(runs.filter((run, i) => run !== runs[i - 1])).toEqual([RUN, null]);
    cursor.end();
    reader.end();
  });
});

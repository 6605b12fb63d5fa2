import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AppendAnswer, LogEntry, Store, StreamKey, StreamState } from '../../src/ports/store.ts';
import type { Epoch } from '../../src/protocol/ids.ts';
import { ModelStream } from './log-model.ts';
import type { StoreBench } from './store.ts';
import { entry, key, run, runId, unique } from './store-builders.ts';

const STREAMS = 3;
const stream = fc.nat(STREAMS - 1);
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('claim' as const), stream }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      stream,
      sizes: fc.array(fc.nat(40), { maxLength: 5 }),
      /** How wrong the request is: mostly not at all. */
      skew: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: fc.integer({ min: -8, max: 3 }) }),
      oldToken: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -1, max: 2 }) }),
      oldEpoch: fc.oneof({ weight: 10, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
      run: fc.option(fc.nat(2)),
      state: fc.option(fc.constantFrom('queued' as const, 'running' as const, 'ended' as const)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat' as const), stream }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('trim' as const), keepMs: fc.constantFrom(0, 50, 1e6), streamBytes: fc.constantFrom(0, 60, 200, 1e6) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('renew' as const), stream }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), stream, from: fc.nat(30), maxBytes: fc.constantFrom(0, 50, 1e6) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type AppendStep = Extract<Step, { do: 'append' }>;

/** One history on a store and, in step, on the model. */
class History {
  readonly #bench: StoreBench;
  readonly #keys: readonly StreamKey[];
  readonly #models = Array.from({ length: STREAMS }, () => new ModelStream());
  readonly #epochs: Epoch[][] = [];
  #taken = 0;
  readonly #last: (AppendStep & { readonly from: number; readonly token: number; readonly epoch: number })[] = [];

  constructor(bench: StoreBench) {
    this.#bench = bench;
    // Names of which one is the beginning of the next.
    const user = unique('u');
    this.#keys = Array.from({ length: STREAMS }, (_, i) => key(i === 2 ? `${user}x` : user, i === 1 ? 't1' : 't'));
  }

  async start(): Promise<void> {
    for (const k of this.#keys) this.#epochs.push([(await this.#bench.store.log.state(k)).epoch]);
  }

  /** Each call comes from the other process, where several share the store. */
  get #store(): Store {
    return (this.#taken++ % 2 === 1 ? this.#bench.another : null) ?? this.#bench.store;
  }

  async take(s: Step): Promise<void> {
    const { log } = this.#store;
    if (s.do === 'pass') this.#bench.clock.pass(s.ms);
    else if (s.do === 'trim') await this.#trim(s);
    else {
      const [k, model] = [this.#keys[s.stream] as StreamKey, this.#models[s.stream] as ModelStream];
      if (s.do === 'claim') {
        const { token } = await log.claim(k);
        expect(token).toBeGreaterThan(model.token);
        model.token = token;
      } else if (s.do === 'read') expect((await log.read(k, s.from, s.maxBytes)).map((e) => e.data)).toEqual(model.read(s.from, s.maxBytes));
      else if (s.do === 'renew') {
        const { epoch } = await log.renewEpoch(k);
        expect(this.#epochs[s.stream]).not.toContain(epoch);
        this.#epochs[s.stream]?.push(epoch);
        model.epochs += 1;
      } else if (s.do === 'append') {
        // A run that has ended logs nothing more, unless it goes on.
        const isOver = s.run !== null && model.runs.get(this.#runId(k, s.run))?.state === 'ended' && (s.state === null || s.state === 'ended');
        const aimed = {
          ...s,
          run: isOver && s.sizes.length > 0 ? null : s.run,
          from: model.head + 1 + s.skew,
          token: model.token + s.oldToken,
          epoch: Math.max(0, model.epochs - s.oldEpoch),
        };
        this.#last[s.stream] = aimed;
        await this.#append(k, model, aimed);
      } else {
        const last = this.#last[s.stream];
        if (last !== undefined) await this.#append(k, model, last);
      }
    }
    await this.#compare();
  }

  /** When all runs have ended, everything can be dropped. */
  async finish(): Promise<void> {
    const { store, clock } = this.#bench;
    for (const [i, k] of this.#keys.entries()) {
      const model = this.#models[i] as ModelStream;
      const { epoch, token } = await store.log.claim(k);
      model.token = token;
      const open = [...model.runs].filter(([, { state }]) => state !== 'ended');
      const runs = open.map(([id]) => run(k, id, { state: 'ended' }));
      expect(await store.log.append([{ key: k, epoch, token, entries: [], records: { runs } }])).toEqual([{ is: 'ok' }]);
      for (const [id] of open) model.runs.set(id, { state: 'ended', endedAt: clock.mono() });
    }
    await this.#trim({ do: 'trim', keepMs: 0, streamBytes: 0 });
    for (const k of this.#keys) expect(await store.log.read(k, 0, 1e6)).toEqual([]);
    await this.#compare();
    // Streams without entries are forgotten by whoever looks for entries to drop, or the next history waits for them.
    clock.pass(120_000);
    await this.#trim({ do: 'trim', keepMs: 0, streamBytes: 0 });
  }

  async #append(k: StreamKey, model: ModelStream, s: AppendStep & { readonly from: number; readonly token: number; readonly epoch: number }): Promise<void> {
    const now = this.#bench.clock.mono();
    const id = s.run === null ? null : this.#runId(k, s.run);
    const texts = s.sizes.map((size, i) => JSON.stringify(`${s.from + i}`.padEnd(size, 'x')));
    const entries: LogEntry[] = texts.map((data, i) => entry(s.from + i, { data, run: id === null ? null : runId(id) }));
    const epoch = this.#epochs[s.stream]?.[s.epoch] as Epoch;
    const records = id === null || s.state === null ? {} : { records: { runs: [run(k, id, { state: s.state })] } };
    const expected = model.append({ token: s.token, epoch: s.epoch, from: entries.length === 0 ? 1 : s.from, texts, run: id }, now);
    if (expected === 'ok' && id !== null && s.state !== null) {
      model.runs.set(id, { state: s.state, endedAt: s.state === 'ended' ? (model.runs.get(id)?.endedAt ?? now) : null });
    }
    const [answer] = await this.#store.log.append([{ key: k, epoch, token: s.token, entries, ...records }]);
    expect((answer as AppendAnswer).is).toBe(expected);
    if (answer?.is === 'conflict') this.#compareState(s.stream, answer.state);
  }

  async #trim(s: Extract<Step, { do: 'trim' }>): Promise<void> {
    const dropped = await this.#store.log.trim({ ...s, streams: 10_000 });
    const expected = this.#keys.flatMap((k, i) => {
      const model = this.#models[i] as ModelStream;
      return model.trim(this.#bench.clock.mono(), s.keepMs, s.streamBytes) ? [{ key: k, first: model.first }] : [];
    });
    const mine = dropped.filter((d) => this.#keys.some((k) => k.user === d.key.user && k.thread === d.key.thread));
    const order = (a: { key: StreamKey }, b: { key: StreamKey }) => this.#indexOf(a.key) - this.#indexOf(b.key);
    expect(mine.toSorted(order)).toEqual(expected);
  }

  #runId(k: StreamKey, n: number): string {
    return `${k.user}/${k.thread}/${n}`;
  }

  #indexOf(k: StreamKey): number {
    return this.#keys.findIndex((other) => other.user === k.user && other.thread === k.thread);
  }

  async #compare(): Promise<void> {
    for (const [i, k] of this.#keys.entries()) this.#compareState(i, await this.#store.log.state(k));
  }

  #compareState(i: number, state: StreamState): void {
    const model = this.#models[i] as ModelStream;
    const active = model.active;
    expect(state).toEqual({
      epoch: this.#epochs[i]?.at(-1),
      first: model.first,
      head: model.head,
      activeRun: active === null ? null : { id: active, firstOffset: null },
    });
  }
}

export function historyContract(open: () => () => StoreBench): void {
  describe('random histories', () => {
    const bench = open();

    it('claims, appends, repeats, trims, reads and new epochs agree with a plain list', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
          const history = new History(bench());
          await history.start();
          for (const s of steps) await history.take(s);
          await history.finish();
        }),
        { numRuns: 100 },
      );
    });
  });
}

/** The same calls on memory and on Redis: the same answers, entries, messages, runs and lists. */

import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import type { AppendRecords, LogEntry, Store, StoredMessage, StreamKey } from '../../src/ports/store.ts';
import type { Epoch } from '../../src/protocol/ids.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { HandClock } from './hand-clock.ts';
import type { OpenedStore } from './store.ts';
import { entry, key, message, messageId, run, runId, unique } from './store-builders.ts';
import { redisKind } from './store-redis.ts';

const THREADS = ['t', 't:1', 'T'] as const;
const thread = fc.nat(THREADS.length - 1);
const name = fc.nat(3);
/** Text that a store may spell wrongly. */
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('', ' ', 'a b', '{}', '-', '%00', '\u0000', '"\\', 'é🙂'));
const message_ = fc.record({
  id: name,
  ahead: fc.integer({ min: -1, max: 2 }),
  status: fc.constantFrom('complete' as const, 'streaming' as const, 'failed' as const),
  createdAt: fc.nat(5),
  digest: text,
  text,
});
const run_ = fc.record({
  id: name,
  state: fc.constantFrom('queued' as const, 'running' as const, 'ended' as const),
  /** Never behind the run's first entry. */
  firstOffset: fc.option(fc.nat(1)),
  lastOffset: fc.option(fc.nat(9)),
  agent: fc.option(text),
});
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('claim' as const), thread }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      thread,
      data: fc.array(fc.record({ text, run: fc.option(name), isMessage: fc.boolean(), at: fc.nat(9) }), { maxLength: 4 }),
      skew: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -3, max: 2 }) }),
      title: fc.option(text, { nil: undefined }),
      messages: fc.array(message_, { maxLength: 2 }),
      runs: fc.uniqueArray(run_, { maxLength: 2, selector: (r) => r.id }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('trim' as const), keepMs: fc.constantFrom(0, 30, 1e6), streamBytes: fc.constantFrom(0, 40, 1e6) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('renew' as const), thread, keep: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 40 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type AppendStep = Extract<Step, { do: 'append' }>;

/** One store, with names of its own for epochs and tokens: in the order in which it told them. */
class Side {
  readonly #store: Store;
  readonly #user: string;
  readonly #epochs: Epoch[] = [];
  readonly #held = new Map<string, { token: number; epoch: Epoch; head: number }>();

  constructor(store: Store, user: string) {
    this.#store = store;
    this.#user = user;
  }

  #key(n: number): StreamKey {
    return key(this.#user, THREADS[n]);
  }

  /** What it answered, with this side's names for epochs replaced. */
  async take(s: Step): Promise<unknown> {
    const { log } = this.#store;
    if (s.do === 'trim') {
      const dropped = await log.trim({ ...s, streams: 1_000 });
      return dropped.filter((d) => d.key.user === this.#user).toSorted((a, b) => (a.key.thread < b.key.thread ? -1 : 1));
    }
    if (s.do === 'pass') return null;
    const k = this.#key(s.thread);
    if (s.do === 'renew') return this.#plain(await log.renewEpoch(k, { keep: s.keep }));
    if (s.do === 'claim') {
      const claimed = await log.claim(k);
      this.#held.set(k.thread, claimed);
      return this.#plain({ ...claimed, token: 0 });
    }
    const held = this.#held.get(k.thread) ?? { token: 0, epoch: (await log.state(k)).epoch, head: 0 };
    const [answer] = await log.append([
      { key: k, epoch: held.epoch, token: held.token, entries: entriesOf(s, held.head), records: this.#records(s, held.head, k) },
    ]);
    if (answer?.is === 'ok') this.#held.set(k.thread, { ...held, head: held.head + s.data.length });
    if (answer?.is === 'conflict') this.#held.set(k.thread, { ...held, epoch: answer.state.epoch, head: answer.state.head });
    return this.#plain(answer);
  }

  #records(s: AppendStep, head: number, k: StreamKey): AppendRecords {
    const messages = s.messages.map((m): StoredMessage => {
      // A message keeps the key it was sent under, two have the same, and one has none.
      const sent = m.id === 3 ? {} : { send: { id: `${m.id % 2}`, digest: m.digest } };
      return message(`m${k.thread}${m.id}`, Math.max(0, head + m.ahead), {
        status: m.status,
        createdAt: m.createdAt,
        parts: [{ type: 'text', text: m.text }],
        ...sent,
      });
    });
    const runs = s.runs.map((r) => run(k, '', { ...r, id: runId(`${k.thread}/${r.id}`), message: messageId(`m${k.thread}${r.id % 3}`) }));
    return { ...(s.title === undefined ? {} : { title: s.title }), messages, runs };
  }

  /** All that can be asked. */
  async all(): Promise<unknown> {
    const { log, threads } = this.#store;
    const { user } = this.#key(0);
    const found: unknown[] = [await threads.list(user, 2, null), await threads.list(user, 10, null), await threads.openRuns(this.#key(0))];
    for (const n of THREADS.keys()) {
      const k = this.#key(n);
      found.push(await log.state(k), await log.read(k, 0, 1e6), await log.read(k, 2, 5), await threads.openRuns(k));
      found.push(await threads.snapshot(k, 2, null), await threads.snapshot(k, 9, messageId(`m${k.thread}1`)), await threads.findSend(k, '1'));
      found.push(await threads.findRun(user, runId(`${k.thread}/1`)));
    }
    return this.#plain(found);
  }

  #plain(answer: unknown): unknown {
    return JSON.parse(JSON.stringify(answer, (field, value: unknown) => (field === 'epoch' ? this.#number(value as Epoch) : value)));
  }

  #number(epoch: Epoch): number {
    if (!this.#epochs.includes(epoch)) this.#epochs.push(epoch);
    return this.#epochs.indexOf(epoch);
  }
}

const entriesOf = (s: AppendStep, head: number): readonly LogEntry[] =>
  s.data.map((d, i) =>
    entry(head + 1 + s.skew + i, {
      data: JSON.stringify(d.text),
      at: d.at,
      kind: d.isMessage ? 'message' : 'agent',
      run: d.run === null ? null : runId(`${THREADS[s.thread]}/${d.run}`),
    }),
  );

const kind = redisKind('redis', false);
const clock = new HandClock();
let redis: OpenedStore | null = null;
beforeEach(async (context) => {
  const missing = kind.missing?.() ?? null;
  if (missing !== null) context.skip(missing);
  redis = await kind.open({ clock });
});
afterEach(() => redis?.[Symbol.asyncDispose]());
afterAll(() => kind[Symbol.asyncDispose]());

it('any history of appends with their records', async () => {
  const memory = memoryStore({ clock });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 20 }), async (steps) => {
      const user = unique('u');
      const [mine, theirs] = [new Side(memory, user), new Side((redis as OpenedStore).store, user)];
      for (const s of steps) {
        if (s.do === 'pass') clock.pass(s.ms);
        expect(await theirs.take(s)).toEqual(await mine.take(s));
      }
      expect(await theirs.all()).toEqual(await mine.all());
    }),
    { numRuns: 60 },
  );
}, 60_000);

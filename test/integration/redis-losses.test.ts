/** A Redis that loses what it had: no offset of an epoch ever means two entries, and whoever wrote learns what became of it. */

import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AppendAnswer, LogEntry, Store, StreamKey, WriterToken } from '../../src/ports/store.ts';
import type { Epoch, NodeId } from '../../src/protocol/ids.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { switchRelay } from '../cluster/switch-relay.ts';
import { entry, key, message, offsets, run, runId, Writer } from '../contracts/store-builders.ts';
import { OffsetsWitness } from '../support/offsets-witness.ts';
import { type RedisServer, redisTool, startRedis } from '../support/redis.ts';

const DEADLINE_MS = 150;
/** Each takes a third of a second. */
const HISTORIES = 12;
const BACK_WITHIN_MS = 15_000;
/** A replica that comes back is served without waiting for others. */
const AT_ONCE = ['--repl-diskless-sync-delay', '0'];
const A = { node: 'node-a' as NodeId, incarnation: '1' };
const B = { node: 'node-b' as NodeId, incarnation: '1' };

beforeEach((context) => {
  const { missing } = redisTool();
  if (missing !== null) context.skip(missing);
});

/** The same call until the store answers. */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + BACK_WITHIN_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if ((error as { code?: string }).code !== 'SPILLWAY_STORE_UNAVAILABLE' || performance.now() > deadline) throw error;
      await sleep(10);
    }
  }
}

const open = (port: number): Promise<Store> => redisStore({ url: `redis://127.0.0.1:${port}`, deadlineMs: DEADLINE_MS });

describe.concurrent('a Redis that loses', () => {
  it('frozen: an append is given up in time, and repeated later it is there once', async () => {
    await using server = await startRedis();
    await using store = await open(server.port);
    const writer = await Writer.claim(store.log, key('ada'));
    await writer.append(3);
    server.freeze();
    const started = performance.now();
    const request = [writer.request(writer.next(2), { title: 'x', messages: [message('m', 4)] })];
    await expect(store.log.append(request)).rejects.toMatchObject({ code: 'SPILLWAY_STORE_UNAVAILABLE' });
    await expect(store.threads.snapshot(writer.key, 10, null)).rejects.toMatchObject({ code: 'SPILLWAY_STORE_UNAVAILABLE' });
    expect(performance.now() - started).toBeLessThan(20 * DEADLINE_MS + 2_000);
    server.thaw();
    // What was sent to the frozen server may have been done when it went on, or not.
    const [answer] = await insist(() => store.log.append(request));
    expect(['ok', 'repeated']).toContain(answer?.is);
    expect(await insist(() => store.log.append(request))).toEqual([{ is: 'repeated' }]);
    expect(offsets(await store.log.read(writer.key, 1, 1e6))).toEqual([1, 2, 3, 4, 5]);
    expect((await store.threads.snapshot(writer.key, 10, null))?.messages).toHaveLength(1);
  });

  it('killed with everything on disk: what was confirmed is there, in the same epoch, and the writer goes on', async () => {
    await using server = await startRedis({ appendonly: true });
    await using store = await open(server.port);
    const writer = await Writer.claim(store.log, key('ada'));
    const [idle, empty] = [await Writer.claim(store.log, key('bob')), key('eve')];
    await idle.append(2);
    const unwritten = await store.log.state(empty);
    for (const end of ['kill', 'stop'] as const) {
      let isEnding = false;
      const writing = (async () => {
        while (!isEnding) await writer.append(1 + (writer.head % 3));
      })();
      while (writer.head < 20) await sleep(1);
      const ended = server[end]();
      isEnding = true;
      await writing.catch(() => {});
      await ended;
      await server.start();
      const { epoch } = await insist(() => store.log.state(writer.key));
      expect(epoch).toBe(writer.epoch);
      // What was under way may be there; asked again it is the same.
      const next = writer.next(1 + (writer.head % 3));
      const [answer] = await insist(() => store.log.append([writer.request(next)]));
      expect(['ok', 'repeated']).toContain(answer?.is);
      writer.head += next.length;
      expect(offsets(await store.log.read(writer.key, 1, 1e7))).toEqual(Array.from({ length: writer.head }, (_, i) => i + 1));
      // Another node takes over the stream that nobody has written to since, and finds the same epoch.
      expect(await insist(() => store.log.claim(idle.key, { by: B }))).toMatchObject({ epoch: idle.epoch, head: 2 });
      expect(await store.log.state(empty)).toEqual(unwritten);
    }
  });

  it('killed with less on disk: the first who writes begins a new epoch, and no position of before is trusted', async () => {
    await using server = await startRedis({ appendonly: true, args: ['--appendfsync', 'everysec'] });
    await using store = await open(server.port);
    const writer = await Writer.claim(store.log, key('ada'));
    await writer.append(3);
    const unwritten = await store.log.state(key('eve'));
    await server.kill();
    await server.start();
    const [answer] = await insist(() => store.log.append([writer.request(writer.next(1))]));
    if (answer?.is !== 'conflict') throw new Error(`Expected a conflict, got ${answer?.is}.`);
    expect(answer.state.epoch).not.toBe(writer.epoch);
    writer.epoch = answer.state.epoch;
    // Where nothing was lost the writer goes on with what it has.
    if (answer.state.head === 3) expect(await writer.send(writer.next(1))).toEqual({ is: 'ok' });
    expect((await store.log.state(key('eve'))).epoch).not.toBe(unwritten.epoch);
  });

  it('emptied: every stream has another epoch, the writer learns that all is gone, and tokens rise', async () => {
    await using server = await startRedis();
    await using store = await open(server.port);
    const unwritten = await store.log.state(key('eve'));
    const writer = await Writer.claim(store.log, key('ada'), A);
    await writer.append(3, {}, { title: 'x', messages: [message('m', 1)], runs: [run(writer.key, 'r')] });
    server.cli('flushall');
    const [answer] = await store.log.append([writer.request(writer.next(1))]);
    if (answer?.is !== 'conflict') throw new Error(`Expected a conflict, got ${answer?.is}.`);
    expect(answer.state).toMatchObject({ first: 1, head: 0, activeRun: null });
    expect(answer.state.epoch).not.toBe(writer.epoch);
    expect((await store.log.state(key('eve'))).epoch).not.toBe(unwritten.epoch);
    expect(await store.threads.snapshot(writer.key, 10, null)).toBeNull();
    expect(await store.threads.openRuns(null)).toEqual([]);
    const again = await store.log.claim(writer.key, { by: B });
    expect(again).toMatchObject({ heldBy: null, head: 0, epoch: answer.state.epoch });
    expect(again.token).toBeGreaterThan(writer.token);
    expect(await writer.send(writer.next(1))).toEqual({ is: 'fenced' });
  });

  it('a former primary without the last entries: another writer’s offsets are not those that were lost', async () => {
    await using primary = await startRedis();
    await using replica = await startRedis({ replicaOf: primary });
    await using relay = await switchRelay(primary.port);
    await using store = await open(relay.port);
    const witness = new OffsetsWitness();
    const ada = await Writer.claim(store.log, key('ada'), A);
    await ada.append(5);
    await follows(replica);
    // From here on the replica hears nothing.
    replica.cli('replicaof', '127.0.0.1', '1');
    // Another node becomes the writer, its entries are confirmed and seen.
    const bob = await Writer.claim(store.log, key('ada'), B);
    const lost = bob.next(5, { data: '"seen, then lost"' });
    expect(await bob.send(lost)).toEqual({ is: 'ok' });
    await witness.read(store.log, ada.key);
    const [position] = [{ epoch: bob.epoch, offset: 10 }];
    await primary.kill();
    replica.cli('replicaof', 'no', 'one');
    relay.become(replica.port);
    expect(await insist(() => store.log.state(ada.key))).toMatchObject({ epoch: position.epoch, head: 5 });
    // The data says that the first writer is the writer, and it believes so too: it has never heard of the second.
    const [answer] = await store.log.append([ada.request(ada.next(8, { data: '"another"' }))]);
    if (answer?.is !== 'conflict') throw new Error(`Expected a conflict, got ${answer?.is}.`);
    ada.epoch = answer.state.epoch;
    expect(ada.epoch).not.toBe(position.epoch);
    await ada.append(8, { data: '"another"' });
    const { epoch, head } = await witness.read(store.log, ada.key);
    expect({ epoch, head }).toEqual({ epoch: ada.epoch, head: 13 });
    expect(await bob.send(bob.next(1))).not.toMatchObject({ is: 'ok' });
  });

  it('a stream that the replica never heard of begins another epoch there', async () => {
    await using primary = await startRedis();
    await using replica = await startRedis({ replicaOf: primary });
    await using relay = await switchRelay(primary.port);
    await using store = await open(relay.port);
    // The user is known there, the stream is not.
    const { epoch } = await store.log.state(key('ada'));
    await follows(replica);
    replica.cli('replicaof', '127.0.0.1', '1');
    const writer = await Writer.claim(store.log, key('ada'));
    expect(writer.epoch).toBe(epoch);
    await writer.append(3);
    await primary.kill();
    replica.cli('replicaof', 'no', 'one');
    relay.become(replica.port);
    expect(await insist(() => store.log.claim(key('ada')))).toMatchObject({ head: 0 });
    expect((await store.log.state(key('ada'))).epoch).not.toBe(epoch);
  });

  it('back to the first primary: a line that was left and taken up again is another', async () => {
    await using first = await startRedis();
    await using second = await startRedis({ replicaOf: first });
    await using relay = await switchRelay(first.port);
    await using store = await open(relay.port);
    const writer = await Writer.claim(store.log, key('ada'));
    await writer.append(2);
    await follows(second);
    second.cli('replicaof', '127.0.0.1', '1');
    await writer.append(2, { data: '"lost"' });
    second.cli('replicaof', 'no', 'one');
    relay.become(second.port);
    // Nobody writes here; the first one follows the second and loses what the second never had.
    first.cli('replicaof', '127.0.0.1', String(second.port));
    await follows(first);
    first.cli('replicaof', 'no', 'one');
    relay.become(first.port);
    expect((await insist(() => store.log.state(writer.key))).head).toBe(2);
    const claimed = await store.log.claim(writer.key);
    expect(claimed).toMatchObject({ head: 2 });
    expect(claimed.epoch).not.toBe(writer.epoch);
  });

  it('runs are found again although the note that they are there was lost', async () => {
    await using server = await startRedis();
    await using store = await open(server.port);
    const writer = await Writer.claim(store.log, key('ada'), A);
    const id = runId('r');
    await writer.append(1, { run: id }, { runs: [run(writer.key, 'r', { firstOffset: 1 })] });
    server.cli('del', 'sp:{!}:open', 'sp:{!}:age', 'sp:{!}:size');
    expect(await store.threads.openRuns(null)).toEqual([]);
    await store.log.claim(writer.key, { by: A });
    expect((await store.threads.openRuns(null)).map((r) => r.id)).toEqual([id]);
  });
});

// ---- any history of losses

const node = fc.nat(1);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('claim' as const), node }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('append' as const), node, total: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), node }) },
  { weight: 4, arbitrary: fc.constantFrom(...(['lag', 'follow', 'promote', 'promote', 'restart', 'empty'] as const)).map((what) => ({ do: what })) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What a node believes of a stream: what it was told last, however long ago. */
interface Belief {
  readonly store: Store;
  readonly by: typeof A;
  epoch: Epoch;
  token: WriterToken;
  head: number;
}

/** Two nodes that believe what they were told, on a primary and a replica that lags, leads, forgets. */
class Losses {
  readonly #servers: [RedisServer, RedisServer];
  readonly #become: (port: number) => void;
  readonly #nodes: readonly Belief[];
  readonly #key: StreamKey;
  readonly #witness = new OffsetsWitness();
  #count = 0;

  constructor(servers: [RedisServer, RedisServer], become: (port: number) => void, stores: readonly Store[], k: StreamKey) {
    this.#servers = servers;
    this.#become = become;
    this.#key = k;
    this.#nodes = stores.map((store, i) => ({ store, by: [A, B][i] ?? A, epoch: '' as Epoch, token: 0, head: 0 }));
  }

  async take(s: Step): Promise<void> {
    const [primary, replica] = this.#servers;
    if (s.do === 'lag') replica.cli('replicaof', '127.0.0.1', '1');
    else if (s.do === 'follow') await this.#follow();
    else if (s.do === 'empty') primary.cli('flushall');
    else if (s.do === 'restart') {
      await primary.kill();
      await primary.start();
    } else if (s.do === 'promote') {
      replica.cli('replicaof', 'no', 'one');
      this.#become(replica.port);
      this.#servers.reverse();
    } else if ('node' in s) {
      const believed = this.#nodes[s.node] as Belief;
      if (s.do === 'claim') await this.#claim(believed);
      else if (s.do === 'append') await this.#append(believed, s.total);
      else await insist(() => this.#witness.read(believed.store.log, this.#key));
    }
  }

  async #follow(): Promise<void> {
    const [primary, replica] = this.#servers;
    replica.cli('replicaof', '127.0.0.1', String(primary.port));
    await follows(replica);
  }

  async #claim(believed: Belief): Promise<void> {
    const claimed = await insist(() => believed.store.log.claim(this.#key, { by: believed.by }));
    Object.assign(believed, { epoch: claimed.epoch, token: claimed.token, head: claimed.head });
  }

  async #append(believed: Belief, total: number): Promise<void> {
    const entries: readonly LogEntry[] = Array.from({ length: total }, (_, i) =>
      entry(believed.head + 1 + i, { data: JSON.stringify(`${believed.by.node} ${++this.#count}`) }),
    );
    const { epoch, token } = believed;
    const answers = await insist(() => believed.store.log.append([{ key: this.#key, epoch, token, entries }]));
    const answer = answers[0] as AppendAnswer;
    if (answer.is === 'ok' || answer.is === 'repeated') {
      believed.head += total;
      this.#witness.saw(epoch, entries);
    } else if (answer.is === 'conflict') Object.assign(believed, { epoch: answer.state.epoch, head: answer.state.head });
  }

  /** Both lead and follow again, and everything is read. */
  async finish(): Promise<void> {
    await this.#follow();
    for (const { store } of this.#nodes) await insist(() => this.#witness.read(store.log, this.#key));
  }
}

it('whatever is lost, in whatever order: no offset of an epoch ever meant two entries', async () => {
  const [primary, replica] = await Promise.all([startRedis({ args: AT_ONCE }), startRedis({ args: AT_ONCE })]);
  await using servers = new AsyncDisposableStack();
  for (const server of [primary, replica]) servers.use(server);
  replica.cli('replicaof', '127.0.0.1', String(primary.port));
  await using relay = await switchRelay(primary.port);
  await using stores = new AsyncDisposableStack();
  const both = [stores.use(await open(relay.port)), stores.use(await open(relay.port))];
  const pair: [RedisServer, RedisServer] = [primary, replica];
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 30 }), async (steps) => {
      const losses = new Losses(pair, relay.become, both, key(`user-${++count}`));
      for (const s of steps) await losses.take(s);
      await losses.finish();
    }),
    { numRuns: HISTORIES, endOnFailure: true },
  );
}, 120_000);

/** Resolves when the replica has what its primary had when this was called. */
async function follows(replica: RedisServer): Promise<void> {
  const offsetOf = (text: string, name: string): number => Number(new RegExp(`${name}:(\\d+)`).exec(text)?.[1] ?? Number.NaN);
  const deadline = performance.now() + BACK_WITHIN_MS;
  for (;;) {
    const info = replica.cli('info', 'replication');
    const port = /master_port:(\d+)/.exec(info)?.[1];
    if (port !== undefined && info.includes('master_link_status:up')) {
      const primary = offsetOf(await primaryInfo(Number(port)), 'master_repl_offset');
      if (offsetOf(replica.cli('info', 'replication'), 'slave_repl_offset') >= primary) return;
    }
    if (performance.now() > deadline) throw new Error(`Expected the replica to follow, got:\n${info}`);
    await sleep(20);
  }
}

const primaryInfo = async (port: number): Promise<string> => {
  const { spawnSync } = await import('node:child_process');
  return spawnSync('redis-cli', ['-p', String(port), 'info', 'replication'], { encoding: 'utf8' }).stdout;
};

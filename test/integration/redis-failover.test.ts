/** A conversation that two nodes follow while the primary under it is replaced: whoever reads sees what is in the log or is told that it is
 *  another, and who wrote learns what became of it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/ports/clock.ts';
import { systemRandom } from '../../src/ports/random.ts';
import type { StreamKey } from '../../src/ports/store.ts';
import { silent } from '../../src/ports/telemetry.ts';
import type { NodeId } from '../../src/protocol/ids.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { Cursor, type CursorGap } from '../../src/streams/cursor.ts';
import type { Stream } from '../../src/streams/stream.ts';
import { Streams } from '../../src/streams/streams.ts';
import { type SwitchRelay, switchRelay } from '../cluster/switch-relay.ts';
import { key } from '../contracts/store-builders.ts';
import { OffsetsWitness } from '../support/offsets-witness.ts';
import { type RedisServer, redisTool, startRedis } from '../support/redis.ts';

const WITHIN_MS = 15_000;
const KEY: StreamKey = key('ada');
const AT_ONCE = ['--repl-diskless-sync-delay', '0'];

beforeEach((context) => {
  const { missing } = redisTool();
  if (missing !== null) context.skip(missing);
});

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Expected ${what} within ${WITHIN_MS} ms.`);
    await sleep(10);
  }
}

/** A client's place in the conversation, and all that it was handed out. */
class Reading {
  readonly gaps: CursorGap[] = [];
  readonly seen: { readonly epoch: string; readonly offset: number; readonly data: string }[] = [];
  readonly #cursor: Cursor;
  readonly #witness: OffsetsWitness;

  private constructor(cursor: Cursor, witness: OffsetsWitness) {
    this.#cursor = cursor;
    this.#witness = witness;
  }

  static async of(stream: Stream, witness: OffsetsWitness): Promise<Reading> {
    let reading: Reading | null = null;
    const cursor = await Cursor.open(stream, 'start', () => {
      if (reading !== null) reading.#take();
    });
    reading = new Reading(cursor, witness);
    reading.#take();
    return reading;
  }

  get last(): number {
    return this.seen.at(-1)?.offset ?? 0;
  }

  #take(): void {
    for (;;) {
      const step = this.#cursor.next(65_536);
      if (step.is === 'nothing' || step.is === 'full') return;
      if (step.is === 'gap') this.gaps.push(step.gap);
      if (step.is !== 'ranges') continue;
      const { epoch } = this.#cursor;
      this.#witness.saw(epoch, step.ranges);
      for (const { offset, data } of step.ranges) this.seen.push({ epoch, offset, data });
    }
  }

  /** Offsets of one epoch, which have no hole. */
  of(epoch: string): readonly number[] {
    return this.seen.filter((one) => one.epoch === epoch).map((one) => one.offset);
  }
  end(): void {
    this.#cursor.end();
  }
}

/** Two nodes behind an address that moves from a primary to its replica. */
class Scene implements AsyncDisposable {
  readonly witness = new OffsetsWitness();
  readonly #parts = new AsyncDisposableStack();
  readonly #primary: RedisServer;
  readonly #replica: RedisServer;
  readonly #relay: SwitchRelay;
  readonly nodes: readonly Streams[];

  private constructor(primary: RedisServer, replica: RedisServer, relay: SwitchRelay, nodes: readonly Streams[], parts: AsyncDisposableStack) {
    this.#primary = primary;
    this.#replica = replica;
    this.#relay = relay;
    this.nodes = nodes;
    this.#parts.use(parts);
  }

  static async open(): Promise<Scene> {
    await using parts = new AsyncDisposableStack();
    const primary = parts.use(await startRedis({ args: AT_ONCE }));
    const replica = parts.use(await startRedis({ args: AT_ONCE }));
    replica.cli('replicaof', '127.0.0.1', String(primary.port));
    const relay = parts.use(await switchRelay(primary.port));
    const nodes: Streams[] = [];
    for (const node of ['node-a', 'node-b']) {
      const store = parts.use(await redisStore({ url: `redis://127.0.0.1:${relay.port}` }));
      const streams = new Streams(store, systemClock, silent, { life: { node: node as NodeId, incarnation: '1' }, random: systemRandom });
      parts.defer(async () => streams.close());
      nodes.push(streams);
    }
    return new Scene(primary, replica, relay, nodes, parts.move());
  }

  /** Resolves when the replica has what the primary has. */
  async replicated(): Promise<void> {
    const offset = (server: RedisServer, name: string) => new RegExp(`${name}:(\\d+)`).exec(server.cli('info', 'replication'))?.[1];
    await until(() => offset(this.#primary, 'master_repl_offset') === offset(this.#replica, 'slave_repl_offset'), 'the replica to follow');
  }

  /** From now on the replica hears nothing. */
  lag(): void {
    this.#replica.cli('replicaof', '127.0.0.1', '1');
  }

  async failOver(): Promise<void> {
    await this.#primary.kill();
    this.#replica.cli('replicaof', 'no', 'one');
    this.#relay.become(this.#replica.port);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync();
  }
}

let count = 0;
const next = () => ({ kind: 'agent', run: null, codec: 'agent-events', data: JSON.stringify({ n: ++count }), at: 1 }) as const;

describe.concurrent('a primary is replaced under a conversation', () => {
  it('by one that has everything: what was on its way follows under a new epoch, nothing is missing and nothing is twice', async () => {
    await using scene = await Scene.open();
    const [writing, following] = await Promise.all(scene.nodes.map((node) => node.hold(KEY)));
    if (writing === undefined || following === undefined) throw new Error('Expected two nodes.');
    await writing.writable();
    const readers = [await Reading.of(writing, scene.witness), await Reading.of(following, scene.witness)];
    for (let i = 0; i < 10; i++) await writing.log(next());
    await until(() => readers.every((reader) => reader.last === 10), 'both readers to be at 10');
    await scene.replicated();
    const before = writing.epoch;
    const logged = Array.from({ length: 5 }, () => next());
    const over = scene.failOver();
    const confirmed = Promise.all(logged.map((entry) => writing.log(entry)));
    await over;
    const offsets = await confirmed;
    await until(() => readers.every((reader) => reader.last === offsets.at(-1)), 'both readers to have all');
    expect(offsets).toEqual([11, 12, 13, 14, 15]);
    expect(writing.epoch).not.toBe(before);
    for (const reader of readers) {
      expect(reader.gaps.map((gap) => gap.reason)).toEqual(['epoch']);
      expect(reader.of(writing.epoch)).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
      reader.end();
    }
  });

  it('by one without the last entries: whoever wrote them learns it, nobody sees others in their place', async () => {
    await using scene = await Scene.open();
    const [writing, following] = await Promise.all(scene.nodes.map((node) => node.hold(KEY)));
    if (writing === undefined || following === undefined) throw new Error('Expected two nodes.');
    await writing.writable();
    const readers = [await Reading.of(writing, scene.witness), await Reading.of(following, scene.witness)];
    for (let i = 0; i < 5; i++) await writing.log(next());
    await scene.replicated();
    scene.lag();
    const before = writing.epoch;
    for (let i = 0; i < 5; i++) await writing.log(next());
    await until(() => readers.every((reader) => reader.last === 10), 'both readers to be at 10');
    await scene.failOver();
    await expect(writing.log(next())).rejects.toMatchObject({ code: 'SPILLWAY_STORE_BROKEN' });
    // It looks where it stands, becomes the writer again, and goes on from what is left.
    await until(
      () =>
        writing.writable().then(
          () => true,
          () => false,
        ),
      'the writer to be one again',
    );
    for (let i = 0; i < 8; i++) await writing.log(next());
    expect(writing.head).toBe(13);
    await until(() => readers.every((reader) => reader.last === 13), 'both readers to have all');
    for (const reader of readers) {
      expect(reader.of(before)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(reader.of(writing.epoch)).toEqual(Array.from({ length: 13 }, (_, i) => i + 1));
      expect(reader.gaps.every((gap) => gap.reason === 'epoch' || gap.reason === 'rewound')).toBe(true);
      reader.end();
    }
  });
});

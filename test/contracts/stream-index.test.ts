/** Writers note their streams where all stand together, others take them out: in any order of their calls no stream with entries, and
 *  none with open runs, is forgotten there. */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { StreamKey } from '../../src/ports/store.ts';
import { Connection } from '../../src/stores/redis/connection.ts';
import { type Noted, StreamIndex } from '../../src/stores/redis/stream-index.ts';
import { nameOf, streamKeys } from '../../src/stores/redis/stream-keys.ts';
import { type RedisServer, redisTool, startRedis } from '../support/redis.ts';
import { key } from './store-builders.ts';

const WITHIN_MS = 5_000;
const NOTHING_LATER = { keepMs: 0, streamBytes: 1e9 };

let server: RedisServer;
let connection: Connection;
let count = 0;
beforeEach((context) => {
  const { missing } = redisTool();
  if (missing !== null) context.skip(missing);
});
beforeAll(async () => {
  if (redisTool().missing !== null) return;
  server = await startRedis();
  connection = new Connection({ url: server.url });
  await connection.open();
});
afterAll(async () => {
  await connection?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

/** All ways to do the steps of both, each in its own order: true stands for one of the first. */
function* orders(first: number, second: number): Iterable<readonly boolean[]> {
  if (first === 0 && second === 0) yield [];
  if (first > 0) for (const rest of orders(first - 1, second)) yield [true, ...rest];
  if (second > 0) for (const rest of orders(first, second - 1)) yield [false, ...rest];
}

type What = 'entry' | 'run' | 'both';

/** Somebody who appends one entry, begins a run, or both, a call at a time. */
class Appending {
  readonly #key: StreamKey;
  readonly #claimed: { readonly epoch: string; readonly token: string };
  readonly #offset: number;
  readonly #what: What;
  #mustTouch = false;
  #isTouched = false;
  isDone = false;

  constructor(k: StreamKey, claimed: { readonly epoch: string; readonly token: string }, offset: number, what: What = 'both') {
    this.#key = k;
    this.#what = what;
    this.#claimed = claimed;
    this.#offset = offset;
  }

  async step(state: 'running' | 'ended' = 'running'): Promise<void> {
    if (this.isDone) return;
    if (this.#mustTouch) {
      await new StreamIndex(connection).touch([{ key: this.#key, isOpen: true }]);
      this.#mustTouch = false;
      this.#isTouched = true;
      return;
    }
    const k = streamKeys(connection.keys, this.#key);
    const { epoch, token } = this.#claimed;
    const run = ['r', 'm', state, '-', '-', '{}'];
    const records = [this.#key.thread, '', '', '', '', 0, 1, ...run];
    const entries = this.#what === 'run' ? [0, 0] : [1, this.#offset, 'a agent-events r', 0, '""'];
    const args = [epoch, token, 'another', '', k.news, 'me', this.#isTouched ? '1' : '0', ...entries];
    const written = [k.stream, k.log, k.bytes];
    const recorded = [k.open, k.user.runs, k.order, k.messages, k.sends, k.user.threads, k.user.titles];
    const [answer] = (await (this.#what === 'entry'
      ? connection.run('stream-append', written, args, WITHIN_MS)
      : connection.run('stream-record', [...written, ...recorded], [...args, ...records], WITHIN_MS))) as readonly string[];
    this.#isTouched = false;
    this.#mustTouch = answer === 'touch';
    this.isDone = answer === 'ok';
    expect(['ok', 'touch']).toContain(answer);
  }
}

/** Somebody who clears up, a call at a time. */
class Clearing {
  readonly #key: StreamKey;
  readonly #index = new StreamIndex(connection);
  #noted: { age: Noted | undefined; open: Noted | undefined } = { age: undefined, open: undefined };
  #to: { age: number | null; open: number | null } = { age: null, open: null };
  #count = 0;

  constructor(k: StreamKey) {
    this.#key = k;
  }

  async step(): Promise<void> {
    const name = nameOf(this.#key);
    const k = streamKeys(connection.keys, this.#key);
    const which = this.#count++ % 3;
    if (which === 0) {
      const [{ old }, { streams }] = [await this.#index.due(-1_000, 1e9, 1_000), await this.#index.openSince(-1_000, 1_000)];
      this.#noted = { age: old.find((noted) => noted.name === name), open: streams.find((noted) => noted.name === name) };
    } else if (which === 1) {
      const { keepMs, streamBytes } = NOTHING_LATER;
      const trimmed = (await connection.run('stream-trim', [k.stream, k.log, k.bytes, k.open, k.user.runs], [keepMs, streamBytes, 10], WITHIN_MS)) as string[];
      const closed = await connection.run('stream-closed', [k.stream], [], WITHIN_MS);
      this.#to = { age: trimmed[3] === '' ? null : Number(trimmed[3]), open: closed === '1' ? null : 1 };
    } else {
      if (this.#noted.age !== undefined) await this.#index.settle('age', [{ ...this.#noted.age, to: this.#to.age }]);
      if (this.#noted.open !== undefined) await this.#index.settle('open', [{ ...this.#noted.open, to: this.#to.open }]);
    }
  }
}

it.for([
  { what: 'both', isOld: false },
  { what: 'entry', isOld: true },
  { what: 'run', isOld: true },
] as const)('$what, on a stream that was noted before: $isOld', async ({ what, isOld }) => {
  for (const order of orders(isOld ? 3 : 4, isOld ? 3 : 5)) {
    const k = key(`user-${++count}`);
    const keys = streamKeys(connection.keys, k);
    const [, token = '', , , epoch = ''] = (await connection.run(
      'stream-claim',
      [keys.stream, keys.user.new],
      ['e', '', '', '', '', 'c', 'me'],
      WITHIN_MS,
    )) as string[];
    if (isOld) {
      // Its run has ended, and its entries may be dropped.
      const before = new Appending(k, { epoch, token }, 1);
      while (!before.isDone) await before.step('running');
      await new Appending(k, { epoch, token }, 2).step('ended');
    }
    const appending = new Appending(k, { epoch, token }, isOld ? 3 : 1, what);
    const clearing = new Clearing(k);
    for (const isAppending of order) await (isAppending ? appending : clearing).step();
    for (let i = 0; i < 9 && !appending.isDone; i++) await appending.step();
    expect(appending.isDone, `${order}`).toBe(true);
    // Also what was noted in this very millisecond.
    const index = new StreamIndex(connection);
    const hasEntries = Number(await connection.command('XLEN', [keys.log], WITHIN_MS)) > 0;
    if (hasEntries)
      expect(
        (await index.due(-1_000, 1e9, 1_000)).old.map((noted) => noted.name),
        `${order}`,
      ).toContain(nameOf(k));
    if (what !== 'entry') expect((await index.open()).map(nameOf), `${order}`).toContain(nameOf(k));
  }
  server.cli('del', 'sp:{!}:age', 'sp:{!}:open');
});

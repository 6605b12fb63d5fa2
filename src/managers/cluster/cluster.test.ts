import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../ports/clock.ts';
import type { ClusterStore, NodeLife } from '../../ports/cluster.ts';
import type { NodeLetters, ToldKind } from '../../ports/node-letters.ts';
import { systemRandom } from '../../ports/random.ts';
import type { LogRecord } from '../../ports/telemetry.ts';
import type { NodeId } from '../../protocol/ids.ts';
import { MemoryCluster } from '../../stores/memory/cluster.ts';
import { Cluster } from './cluster.ts';

declare module '../../ports/node-letters.ts' {
  interface NodeLetters {
    'test-question': { readonly body: { readonly text: string }; readonly answer: { readonly length: number; readonly from: string } };
  }
}

const running: Cluster[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const cluster of running.splice(0)) await cluster.leave();
});

/** A clock that runs with the fake timers. */
const fakeClock = () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance', 'Date'] });
  return systemClock;
};

let lives = 0;
function node(name: string, store: ClusterStore, records: LogRecord[] = []): { readonly cluster: Cluster; readonly life: NodeLife } {
  const life = { node: name as NodeId, incarnation: `life${++lives}` };
  const cluster = new Cluster({
    life,
    cluster: store,
    clock: systemClock,
    random: systemRandom,
    telemetry: { record: (record) => records.push(record) },
    version: '0.0.0',
    managers: () => 7,
  });
  running.push(cluster);
  return { cluster, life };
}

/** The same store, seen by a node that can be cut off from it. */
function cable(store: ClusterStore): { readonly store: ClusterStore; isCut: boolean } {
  const end = {
    isCut: false,
    store: {
      seatBook: store.seatBook,
      agree: (...a) => pass(() => store.agree(...a)),
      beat: async (card, ttlMs) => pass(() => store.beat(card, ttlMs)),
      leave: async (life) => pass(() => store.leave(life)),
      post: async (to, letter) => pass(() => store.post(to, letter)),
      receive: (name, read) => store.receive(name, (letter) => (end.isCut ? undefined : read(letter))),
    } satisfies ClusterStore,
  };
  const pass = <T>(call: () => Promise<T>): Promise<T> => (end.isCut ? Promise.reject(new Error('cut off')) : call());
  return end;
}

const standings = (cluster: Cluster) => Object.fromEntries(cluster.nodes().map(({ card, standing }) => [card.node, standing]));

test('nodes on one store know each other, and what each tells of itself', async () => {
  fakeClock();
  const store = new MemoryCluster(systemClock);
  const a = node('a', store);
  const b = node('b', store);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(standings(a.cluster)).toEqual({ a: 'alive', b: 'alive' });
  expect(a.cluster.nodes()[1]?.card).toMatchObject({ node: 'b', incarnation: b.life.incarnation, managers: 7, isDraining: false });
  expect(a.cluster.living).toBe(2);
  expect(a.cluster.lifeOf('b' as NodeId)).toEqual(b.life);
  b.cluster.draining();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(a.cluster.nodes()[1]?.card.isDraining).toBe(true);
});

test('a node that crashes is dead for the others within 6.5 s, told once; one that leaves is dead with the next beat', async () => {
  fakeClock();
  const store = new MemoryCluster(systemClock);
  const a = node('a', store);
  const wire = cable(store);
  const b = node('b', wire.store);
  const c = node('c', store);
  const dead: string[] = [];
  a.cluster.onDeath(({ node: name }) => dead.push(name));
  await vi.advanceTimersByTimeAsync(10_000);
  wire.isCut = true;
  await vi.advanceTimersByTimeAsync(3_000);
  expect([dead, standings(a.cluster).b]).toEqual([[], 'alive']);
  await vi.advanceTimersByTimeAsync(3_500);
  expect(dead).toEqual(['b']);
  expect(a.cluster.standing(b.life)).toBe('dead');
  expect(a.cluster.standing(c.life)).toBe('alive');
  await c.cluster.leave();
  await vi.advanceTimersByTimeAsync(1_500);
  expect(dead).toEqual(['b', 'c']);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(dead).toEqual(['b', 'c']);
  expect(a.cluster.living).toBe(1);
});

test('a node that only stalled is alive again, and is told of as one that joined', async () => {
  fakeClock();
  const store = new MemoryCluster(systemClock);
  const a = node('a', store);
  const wire = cable(store);
  node('b', wire.store);
  await vi.advanceTimersByTimeAsync(6_000);
  const joined: string[] = [];
  a.cluster.onJoin((card) => joined.push(card.node));
  wire.isCut = true;
  await vi.advanceTimersByTimeAsync(7_000);
  expect(standings(a.cluster).b).toBe('dead');
  wire.isCut = false;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(standings(a.cluster).b).toBe('alive');
  expect(joined).toEqual(['b']);
});

test('a store that comes back without any key proves nobody dead: all get time to tell that they live', async () => {
  fakeClock();
  const store = new MemoryCluster(systemClock);
  const wireA = cable(store);
  const wireB = cable(store);
  const a = node('a', wireA.store);
  const b = node('b', wireB.store);
  const dead: string[] = [];
  const regained: string[] = [];
  a.cluster.onDeath(({ node: name }) => dead.push(name));
  a.cluster.onRegained((why) => regained.push(why));
  await vi.advanceTimersByTimeAsync(10_000);
  wireA.isCut = true;
  wireB.isCut = true;
  await vi.advanceTimersByTimeAsync(8_000);
  // Whoever cannot ask knows nothing.
  expect(a.cluster.standing(b.life)).toBe('silent');
  wireA.isCut = false;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(a.cluster.standing(b.life)).toBe('silent');
  expect([dead, regained]).toEqual([[], ['back']]);
  wireB.isCut = false;
  await vi.advanceTimersByTimeAsync(1_500);
  await vi.advanceTimersByTimeAsync(1_500);
  expect(a.cluster.standing(b.life)).toBe('alive');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(dead).toEqual([]);
});

test('another data set is told, and proves nobody dead', async () => {
  fakeClock();
  let current = new MemoryCluster(systemClock);
  const store: ClusterStore = {
    seatBook: current.seatBook,
    agree: (...a) => current.agree(...a),
    beat: (card, ttlMs) => current.beat(card, ttlMs),
    leave: (life) => current.leave(life),
    post: (to, letter) => current.post(to, letter),
    receive: (name, read) => current.receive(name, read),
  };
  const a = node('a', store);
  const wire = cable(store);
  const b = node('b', wire.store);
  const regained: string[] = [];
  a.cluster.onRegained((why) => regained.push(why));
  await vi.advanceTimersByTimeAsync(10_000);
  wire.isCut = true;
  current = new MemoryCluster(systemClock);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(regained).toEqual(['epoch']);
  expect(a.cluster.standing(b.life)).toBe('silent');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(a.cluster.standing(b.life)).toBe('dead');
});

test('a store whose clock steps forward ends the keys of all, and proves nobody dead', async () => {
  fakeClock();
  let aheadMs = 0;
  const inner = new MemoryCluster({ ...systemClock, mono: () => systemClock.mono() + aheadMs });
  const a = node('a', inner);
  const b = node('b', inner);
  const regained: string[] = [];
  const dead: string[] = [];
  a.cluster.onRegained((why) => regained.push(why));
  a.cluster.onDeath(({ node: name }) => dead.push(name));
  await vi.advanceTimersByTimeAsync(10_000);
  aheadMs = 86_400_000;
  for (let i = 0; i < 40; i++) {
    await vi.advanceTimersByTimeAsync(100);
    expect(a.cluster.standing(b.life)).not.toBe('dead');
  }
  expect([regained, dead]).toEqual([['clock'], []]);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(a.cluster.standing(b.life)).toBe('alive');
});

test('an earlier life of a name is dead, whoever else it is', async () => {
  fakeClock();
  const store = new MemoryCluster(systemClock);
  const a = node('a', store);
  const first = node('b', cable(store).store);
  await vi.advanceTimersByTimeAsync(6_000);
  const dead: NodeLife[] = [];
  a.cluster.onDeath((life) => dead.push(life));
  await first.cluster.leave();
  const second = node('b', store);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(dead).toEqual([first.life]);
  expect([a.cluster.standing(first.life), a.cluster.standing(second.life)]).toEqual(['dead', 'alive']);
  // It knows so of its own earlier life as well, as soon as the store has shown that it keeps its data.
  expect(second.cluster.standing(first.life)).toBe('silent');
  await vi.advanceTimersByTimeAsync(6_000);
  expect(second.cluster.standing(first.life)).toBe('dead');
});

test('two processes of one name: the earlier one says so and tells nobody any more that it lives', async () => {
  fakeClock();
  const store = new MemoryCluster(systemClock);
  const records: LogRecord[] = [];
  const first = node('b', store, records);
  await vi.advanceTimersByTimeAsync(3_000);
  const second = node('b', store);
  const a = node('a', store);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(records.filter((r) => r.event === 'node-name-taken')).toHaveLength(1);
  expect(a.cluster.standing(second.life)).toBe('alive');
  // Of a life that it never met it says so only after it has looked: it may have begun since the last beat.
  expect(a.cluster.standing(first.life)).toBe('silent');
  await vi.advanceTimersByTimeAsync(2_000);
  expect(a.cluster.standing(first.life)).toBe('dead');
});

// ---- letters

test('a question gets its answer; one to ourselves needs no store', async () => {
  const store = new MemoryCluster(systemClock);
  const wire = cable(store);
  const a = node('a', wire.store);
  const b = node('b', store);
  for (const { cluster, life } of [a, b]) cluster.handle('test-question', ({ text }, from) => ({ length: text.length, from: `${from.node} to ${life.node}` }));
  expect(await a.cluster.ask('b' as NodeId, 'test-question', { text: 'four' }, 1_000)).toEqual({ is: 'answer', answer: { length: 4, from: 'a to b' } });
  wire.isCut = true;
  expect(await a.cluster.ask('a' as NodeId, 'test-question', { text: 'x' }, 1_000)).toEqual({ is: 'answer', answer: { length: 1, from: 'a to a' } });
  expect(await a.cluster.ask('b' as NodeId, 'test-question', { text: 'x' }, 1_000)).toEqual({ is: 'silent' });
});

test('a node that does not know a kind says so, one whose handler throws says that, one that is not there is silent', async () => {
  const store = new MemoryCluster(systemClock);
  const a = node('a', store);
  const b = node('b', store);
  expect(await a.cluster.ask('b' as NodeId, 'test-question', { text: '' }, 1_000)).toEqual({ is: 'unknown-kind' });
  const undo = b.cluster.handle('test-question', () => Promise.reject(new Error('out of paper')));
  expect(await a.cluster.ask('b' as NodeId, 'test-question', { text: '' }, 1_000)).toEqual({ is: 'failed', message: 'out of paper' });
  expect(() => b.cluster.handle('test-question', () => ({ length: 0, from: '' }))).toThrow(/one handler/);
  undo();
  expect(await a.cluster.ask('b' as NodeId, 'test-question', { text: '' }, 1_000)).toEqual({ is: 'unknown-kind' });
  expect(await a.cluster.ask('nobody' as NodeId, 'test-question', { text: '' }, 20)).toEqual({ is: 'silent' });
});

test('a question that was read too late is not acted on', async () => {
  const store = new MemoryCluster(systemClock);
  let deliver = (): void => {};
  const slow: ClusterStore = {
    seatBook: store.seatBook,
    agree: (...a) => store.agree(...a),
    beat: (card, ttlMs) => store.beat(card, ttlMs),
    leave: (life) => store.leave(life),
    post: (to, letter) => store.post(to, letter),
    receive: (name, read) =>
      store.receive(name, (letter) => {
        deliver = () => read(letter);
      }),
  };
  fakeClock();
  const a = node('a', store);
  const b = node('b', slow);
  const heard: string[] = [];
  b.cluster.handle('test-question', ({ text }) => {
    heard.push(text);
    return { length: 0, from: '' };
  });
  await vi.advanceTimersByTimeAsync(100);
  const asked = a.cluster.ask('b' as NodeId, 'test-question', { text: 'in time?' }, 200);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await asked).toEqual({ is: 'silent' });
  deliver();
  await vi.advanceTimersByTimeAsync(100);
  expect(heard).toEqual([]);
});

test('letters are bounded: in size, and in how many answers are waited for', async () => {
  const store = new MemoryCluster(systemClock);
  const a = node('a', store);
  const b = node('b', store);
  b.cluster.handle('test-question', ({ text }) => ({ length: 0, from: 'x'.repeat(300 * 1024 * Number(text === 'much')) }));
  expect(await a.cluster.ask('b' as NodeId, 'test-question', { text: 'x'.repeat(300 * 1024) }, 1_000)).toMatchObject({ is: 'failed' });
  expect(await a.cluster.ask('b' as NodeId, 'test-question', { text: 'much' }, 1_000)).toMatchObject({
    is: 'failed',
    message: expect.stringContaining('larger'),
  });
  const asked = Array.from({ length: 1_001 }, () => a.cluster.ask('nobody' as NodeId, 'test-question', { text: '' }, 50));
  expect(await asked.at(-1)).toMatchObject({ is: 'failed' });
  expect(await asked[0]).toEqual({ is: 'silent' });
  expect(await a.cluster.ask('b' as NodeId, 'test-question', { text: '' }, 1_000)).toMatchObject({ is: 'answer' });
});

test('who has left answers nobody, and its own questions end in silence', async () => {
  const store = new MemoryCluster(systemClock);
  const a = node('a', store);
  const b = node('b', store);
  b.cluster.handle('test-question', () => ({ length: 0, from: '' }));
  const asked = a.cluster.ask('nobody' as NodeId, 'test-question', { text: '' }, 60_000);
  await a.cluster.leave();
  expect(await asked).toEqual({ is: 'silent' });
  await b.cluster.leave();
  const c = node('c', store);
  expect(await c.cluster.ask('b' as NodeId, 'test-question', { text: '' }, 30)).toEqual({ is: 'silent' });
});

const kinds: readonly ToldKind[] = ['same-name', 'superseded'] satisfies readonly (keyof NodeLetters)[];
test('a message that nobody listens to is no failure', async () => {
  const store = new MemoryCluster(systemClock);
  const records: LogRecord[] = [];
  const a = node('a', store);
  node('b', store, records);
  expect(kinds).toContain('superseded');
  expect(await a.cluster.tell('b' as NodeId, 'superseded', { user: 'u', manager: 'm', token: 1, label: null } as never)).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(records).toEqual([]);
});

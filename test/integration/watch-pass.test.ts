/** What happens in the background, before anybody needs a seat: the harder the nearer a user is to the limit, and never to the living. */

import { expect, test } from 'vitest';
import type { Transport } from '../../src/ports/transport.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { type BareNode, bareNode, eventually, type Session, withChanges } from '../support/bare-node.ts';
import { FaultyStore } from '../support/faulty-store.ts';

const NEVER_MS = 3_600_000;

const managerOf = ({ admission }: Session) => {
  if (admission.kind !== 'seated') throw new Error(admission.kind);
  return admission.manager;
};

async function pages(node: BareNode, user: string, working: number, frozen: number): Promise<{ readonly working: Session[]; readonly frozen: Session[] }> {
  const all: Session[] = [];
  for (let n = 0; n < working + frozen; n++) all.push(await node.connect(user));
  for (const { client } of all.slice(0, working)) client.behave();
  return { working: all.slice(0, working), frozen: all.slice(working) };
}

const cleanups = (node: BareNode, user: string) => node.told('cleanup-finished').filter((r) => r.user === user);

test('from 85 % on a zombie is freed at the moment of its proof, without a pass and without anybody asking', async () => {
  await using node = await bareNode({ timing: 'fast', limits: { perUser: 7 }, cleanup: { passMs: NEVER_MS } });
  const { working, frozen } = await pages(node, 'ada', 5, 1);
  // 2 s at the limit, 7.5 s up to 70 %: 4.6 s in between.
  const ended = await eventually('its end', () => node.told('manager-ended')[0], 8_000);
  expect(ended).toMatchObject({ managerId: managerOf(frozen[0] as Session).id, reason: 'probe-timeout' });
  const freeing = cleanups(node, 'ada').find((r) => r.victims.length > 0);
  expect(freeing).toMatchObject({ trigger: 'proactive', victims: [{ verdict: 'zombie', reason: 'probe-timeout' }], before: 6, after: 5 });
  expect((await node.factory.limits('ada' as never, 'free')).used).toBe(5);
  expect(working.every(({ client }) => client.isOpen)).toBe(true);
}, 15_000);

test('below it a zombie is noticed without anybody asking: its user’s other sessions hear of the room', async () => {
  // Neither pass nor lease renewal asks for a verdict.
  const lease = { renewMs: NEVER_MS, ttlMs: 3 * NEVER_MS };
  await using node = await bareNode({ timing: 'fast', limits: { perUser: 20 }, cleanup: { passMs: NEVER_MS }, lease });
  const { working } = await pages(node, 'ada', 1, 1);
  const [{ client }] = working as [Session];
  await eventually('the room', () => client.frames.some((f) => f.type === 'limits' && f.used === 2 && f.effective === 1), 10_000);
  expect(node.factory.getFactoryStatus()).toMatchObject({ zombiesDetected: 1, evicted: 0 });
}, 15_000);

test('below it a zombie goes with the next pass', async () => {
  await using node = await bareNode({ timing: 'fast', limits: { perUser: 20 } });
  const { frozen } = await pages(node, 'ada', 0, 1);
  const [{ client }] = frozen as [Session];
  await eventually('its end', () => !client.isOpen, 10_000);
  expect(cleanups(node, 'ada')).toMatchObject([{ trigger: 'proactive', levels: [{ level: 'moderate', freed: 1 }] }]);
}, 15_000);

test('each threshold that is crossed leaves one record, at once, and costs no living manager its seat', async () => {
  await using node = await bareNode({ limits: { perUser: 10 }, cleanup: { passMs: NEVER_MS } });
  const { working } = await pages(node, 'ada', 10, 0);
  await eventually('three records', () => cleanups(node, 'ada').length === 3);
  expect(cleanups(node, 'ada').map((r) => [r.trigger, r.levels[0]?.level, r.levels[0]?.freed, r.before])).toEqual([
    ['proactive', 'conservative', 0, 7],
    ['proactive', 'moderate', 0, 9],
    ['proactive', 'aggressive', 0, 10],
  ]);
  expect(working.every(({ client }) => client.isOpen)).toBe(true);
});

test('at 80 % everybody whose evidence is old is asked, in one round a second', async () => {
  await using node = await bareNode({ limits: { perUser: 5 }, health: { freshMs: 300 }, cleanup: { passMs: NEVER_MS } });
  const { working } = await pages(node, 'ada', 4, 0);
  await Promise.all(working.map(({ client }) => client.next('probe')));
  const counts: number[] = [];
  const from = performance.now();
  while (performance.now() - from < 3_200) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    counts.push(Math.min(...working.map(({ client }) => client.frames.filter((f) => f.type === 'probe').length)));
  }
  // The heartbeat alone would bring none.
  expect(counts.at(-1)).toBeGreaterThanOrEqual(3);
  expect(counts.at(-1)).toBeLessThanOrEqual(5);
});

test('at 95 % suspects are asked again every two seconds; at 80 % their silence stands', async () => {
  await using node = await bareNode({ limits: { perUser: 5 }, health: { freshMs: 300 }, cleanup: { passMs: NEVER_MS } });
  const near = await pages(node, 'ada', 3, 1);
  const full = await pages(node, 'bob', 4, 1);
  await Promise.all([...near.frozen, ...full.frozen].map(({ client }) => client.next('probe')));
  await eventually('three questions', () => full.frozen[0]?.client.frames.filter((f) => f.type === 'probe').length === 3, 6_500);
  expect(near.frozen[0]?.client.frames.filter((f) => f.type === 'probe')).toHaveLength(1);
}, 15_000);

test('with `cleanup.proactive: false` all freeing is left to admissions', async () => {
  await using node = await bareNode({ timing: 'fast', limits: { perUser: 3 }, cleanup: { proactive: false } });
  const { frozen } = await pages(node, 'ada', 2, 1);
  await eventually('its proof', () => node.factory.getFactoryStatus().zombiesDetected === 1);
  const passes = () => node.records.filter((r) => r.event === 'cleanup-heartbeat').length;
  const before = passes();
  await eventually('two passes more', () => passes() >= before + 2);
  expect(cleanups(node, 'ada')).toEqual([]);
  expect(frozen[0]?.client.isOpen).toBe(true);
  const next = await node.connect('ada');
  expect(next.admission).toMatchObject({ kind: 'seated', how: 'after-cleanup' });
  await frozen[0]?.client.closed;
});

test('a wire that cannot come back gives its seat back with its connection, and not only with the next pass', async () => {
  await using node = await bareNode({ cleanup: { passMs: NEVER_MS } });
  const { client } = await node.connect('ada', { wrap: (transport) => withChanges(transport, { class: 'unverifiable' }) });
  client.cut();
  const ended = await eventually('its end', () => node.told('manager-ended')[0], 1_000);
  expect(ended.reason).toBe('client-closed');
  expect((await node.factory.limits('ada' as never, 'free')).used).toBe(0);
});

test('from 70 % on a pass finds a seat that nobody holds any more', async () => {
  const store = memoryStore();
  await using node = await bareNode({ timing: 'fast', store, limits: { perUser: 4 } });
  const used = async (): Promise<number> => (await node.factory.limits('ada' as never, 'free')).used;
  const leave = async (manager: ReturnType<typeof managerOf>): Promise<void> => {
    manager.fenced('left', 'client-closed')?.socket.terminate(0);
  };
  await pages(node, 'ada', 2, 0);
  const { working } = await pages(node, 'ada', 1, 0);
  // Its record here is gone; the store was never told.
  await leave(managerOf(working[0] as Session));
  await pages(node, 'ada', 1, 0);
  expect(await used()).toBe(4);
  await eventually('its end in the store', async () => (await used()) === 3);
  expect(node.records.filter((r) => r.event === 'registry-mismatch').map((r) => r.kind)).toEqual(['seat-without-manager']);
});

test('trouble with one user stops the pass for nobody, and the pass says that it ran', async () => {
  const store = new FaultyStore();
  await using node = await bareNode({ timing: 'fast', store, limits: { perUser: 3 } });
  const heartbeat = () => node.factory.getFactoryStatus().cleanupHeartbeat ?? 0;
  expect(heartbeat()).toBe(0);
  await pages(node, 'ada', 0, 1);
  await pages(node, 'bob', 0, 1);
  let fails = true;
  store.watch('seats.evict', ([user]) => {
    if (fails && user === 'ada') throw new Error('The store has a bad sector where Ada lives.');
  });
  await eventually('the end of the one', () => node.told('manager-ended').some((e) => e.user === 'bob'), 12_000);
  await eventually('the failure of the other', () => node.records.some((r) => r.event === 'eviction-failed'), 12_000);
  const at = heartbeat();
  await eventually('another pass', () => heartbeat() > at);
  expect(Date.now() - heartbeat()).toBeLessThan(2_000);
  fails = false;
  await eventually('the end of the other', () => node.told('manager-ended').some((e) => e.user === 'ada'));
}, 30_000);

test('a burst is repaid by the longest quiet, also without proactive cleanup', async () => {
  await using node = await bareNode({
    timing: 'fast',
    limits: { perUser: 3, burst: { perUser: 5, forMs: 1_500 } },
    cleanup: { proactive: false, idleFullMs: 2_000 },
  });
  const { working } = await pages(node, 'ada', 3, 0);
  const more: Session[] = [];
  for (let i = 0; i < 2; i++) {
    more.push(...(await pages(node, 'ada', 1, 0)).working);
    // Its time ticks in steps: two within one step are quiet for equally long.
    const seatedAt = node.factory.now();
    await eventually('a later instant', () => node.factory.now() > seatedAt + 50);
  }
  const all = [...working, ...more];
  expect(more.map(({ admission }) => admission.kind === 'seated' && admission.seat)).toEqual(['burst', 'burst']);
  // The three oldest do something now and then; the two of the lease never.
  const timer = setInterval(() => {
    for (const { client } of working) client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'now' });
  }, 300);
  try {
    await eventually('the repayment', () => node.told('manager-ended').length === 2, 8_000);
  } finally {
    clearInterval(timer);
  }
  expect(node.told('manager-ended').map((e) => [e.reason, all.findIndex((s) => managerOf(s).id === e.managerId)])).toEqual([
    ['burst-repaid', 3],
    ['burst-repaid', 4],
  ]);
  expect(cleanups(node, 'ada').filter((r) => r.victims.length > 0)).toMatchObject([{ trigger: 'repay' }]);
}, 15_000);

test('a connection whose pongs take longer than the time between two pings lives', async () => {
  await using node = await bareNode({ timing: 'fast' });
  const late = (transport: Transport): Transport => withChanges(transport, { ping: (nonce) => setTimeout(() => transport.ping(nonce), 1_200) });
  const { client, admission } = await node.connect('ada', { wrap: late });
  if (admission.kind !== 'seated') throw new Error(admission.kind);
  // Its page is frozen, so that nothing but its pongs speaks for it.
  await eventually('a round trip', () => admission.manager.evidence.rttvarMs > 0);
  await eventually(
    'twice the time after which it would be dead',
    () => admission.manager.verdict.evidence.some((e) => e.signal === 'E2' && e.ageMs > 5_000),
    8_000,
  );
  expect(client.isOpen).toBe(true);
}, 15_000);

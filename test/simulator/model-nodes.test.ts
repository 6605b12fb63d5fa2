/** One person's pages on several nodes that share a store: what each node may do to those of the others. */

import { expect, it } from 'vitest';
import type { PartialOptions } from '../../src/core/options.ts';
import type { CleanupReport } from '../../src/managers/events.ts';
import type { ServerFrame } from '../../src/protocol/frames.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { type ModelPage, ModelRig } from './model-rig.ts';
import { ADA } from './model-support.ts';

const SOFT = 4;
const LIMITS = { perUser: SOFT, burst: { perUser: SOFT, forMs: 2_000 } };

async function overNodes(nodes: number, options: PartialOptions = {}): Promise<ModelRig & { readonly reports: CleanupReport[] }> {
  const rig = await ModelRig.make({
    options: { timing: 'fast', limits: LIMITS, ...options },
    store: (clock, random) => memoryStore({ clock, random, cluster: true }),
    nodes,
  });
  const reports: CleanupReport[] = [];
  for (const factory of rig.living) factory.on('cleanup-finished', (report) => reports.push(report));
  // They have met.
  await rig.clock.pass(10_000);
  return Object.assign(rig, { reports });
}

async function seat(rig: ModelRig, node: number): Promise<ModelPage> {
  const attempt = rig.ask(ADA, { node });
  await rig.clock.pass(5);
  expect(attempt.state).toBe('seated');
  return attempt.page;
}
const frames = (page: ModelPage): ServerFrame[] => {
  const heard: ServerFrame[] = [];
  page.heard = (frame) => heard.push(frame);
  return heard;
};
const fine = (rig: ModelRig): void => expect([...rig.problems, ...rig.ledger.problems]).toEqual([]);
const admissions = (reports: readonly CleanupReport[]) => reports.filter(({ trigger }) => trigger === 'admission');

it('what is dead on another node gives way there, and the record tells where', async () => {
  const rig = await overNodes(2, { cleanup: { proactive: false } });
  const pages = [await seat(rig, 0), await seat(rig, 0), await seat(rig, 0), await seat(rig, 1)];
  pages[1]?.corpse();
  await rig.clock.pass(15_000);
  const heard = frames(pages[1] as ModelPage);
  const attempt = rig.ask(ADA, { node: 1 });
  await rig.clock.pass(100);
  expect(attempt).toMatchObject({ state: 'seated', seated: { how: 'after-cleanup' } });
  expect(admissions(rig.reports)).toMatchObject([{ before: 4, after: 3, victims: [{ managerId: pages[1]?.manager, verdict: 'zombie', node: 'gw-1' }] }]);
  expect(heard.find(({ type }) => type === 'bye')).toMatchObject({ reason: 'probe-timeout', explain: { level: 'moderate' } });
  expect(rig.living.map((f) => f.list(ADA).length)).toEqual([2, 2]);
  fine(rig);
  await rig.close();
});

it('who died on another node is known to be dead, also when nobody was near the limit then', async () => {
  const rig = await overNodes(2);
  const first = await seat(rig, 0);
  await seat(rig, 0);
  await rig.clock.pass(700);
  first.connection?.clientReset();
  await rig.clock.pass(300);
  await seat(rig, 1);
  await seat(rig, 1);
  const attempt = rig.ask(ADA, { node: 1 });
  await rig.clock.pass(100);
  expect(attempt).toMatchObject({ state: 'seated', seated: { how: 'after-cleanup' } });
  expect(admissions(rig.reports).flatMap(({ victims }) => victims)).toMatchObject([{ managerId: first.manager, level: 'conservative', node: 'gw-1' }]);
  fine(rig);
  await rig.close();
});

it('whoever is idle longest gives way wherever it is, and its own node looks again first', async () => {
  const rig = await overNodes(2);
  const pages = [await seat(rig, 0), await seat(rig, 0), await seat(rig, 1), await seat(rig, 1)];
  await rig.clock.pass(9_000);
  for (const page of pages.slice(1)) page.say({ type: 'send', id: 'x', thread: 'talk', data: { text: 'here' } });
  await rig.clock.pass(200);
  const attempt = rig.ask(ADA, { node: 1 });
  await rig.clock.pass(100);
  expect(attempt.state).toBe('seated');
  expect(admissions(rig.reports).flatMap(({ victims }) => victims)).toMatchObject([
    { managerId: pages[0]?.manager, verdict: 'idle', reason: 'idle-over-limit', level: 'moderate', node: 'gw-1' },
  ]);
  fine(rig);
  await rig.close();
});

it('whoever was heard since its node told of it keeps its seat, and the next one goes', async () => {
  const rig = await overNodes(2);
  const pages = [await seat(rig, 0), await seat(rig, 0), await seat(rig, 1), await seat(rig, 1)];
  await rig.clock.pass(9_000);
  // It speaks when the other node has just read that it was quiet longest.
  let isAsked = false;
  let hasSpoken = false;
  rig.tap({
    after: (_, call) => {
      if (call === 'renew') isAsked = true;
      if (call !== 'facts' || !isAsked || hasSpoken) return undefined;
      hasSpoken = true;
      pages[0]?.say({ type: 'send', id: 'x', thread: 'talk', data: { text: 'here' } });
      return new Promise((resolve) => rig.clock.arrive(rig.clock.now + 5, () => resolve()));
    },
  });
  isAsked = false;
  const attempt = rig.ask(ADA, { node: 1 });
  await rig.clock.pass(100);
  expect(attempt).toMatchObject({ state: 'seated', seated: { how: 'after-cleanup' } });
  expect(hasSpoken).toBe(true);
  const [report] = admissions(rig.reports);
  expect(report?.victims.map(({ managerId }) => managerId)).toEqual([pages[1]?.manager]);
  expect(report?.kept.find(({ managerId }) => managerId === pages[0]?.manager)).toMatchObject({ because: 'revived', node: 'gw-1' });
  fine(rig);
  await rig.close();
});

it('of a node that does not answer nobody is taken below Force, nobody waits for it long, and Force takes them all the same', async () => {
  const rig = await overNodes(2, { queue: { waitMs: 2_000 } });
  for (const node of [0, 0, 0, 0]) await seat(rig, node);
  await rig.clock.pass(9_000);
  const life = rig.nodes[0]?.life;
  if (life) life.hears = false;
  const attempt = rig.ask(ADA, { node: 1 });
  await rig.clock.pass(450);
  expect(attempt).toMatchObject({ state: 'queued' });
  expect(admissions(rig.reports).flatMap(({ victims }) => victims)).toEqual([]);
  await rig.clock.pass(2_000);
  expect(attempt).toMatchObject({ state: 'seated', seated: { how: 'force' } });
  // It has not heard of it, and learns it when it renews its seats.
  expect(rig.living.map((f) => f.list(ADA).length)).toEqual([4, 1]);
  await rig.clock.pass(12_000);
  expect(rig.living.map((f) => f.list(ADA).length)).toEqual([3, 1]);
  fine(rig);
  await rig.close();
});

it('a node that has come since the others looked last is not taken for dead', async () => {
  const rig = await overNodes(2);
  rig.kill(1);
  // The next look is due in more than a second.
  await rig.clock.pass(20_200);
  for (let i = 0; i < 3; i++) await seat(rig, 0);
  // Nor has it heard of it.
  const life = rig.nodes[0]?.life;
  if (life) life.hears = false;
  rig.start(1);
  const newcomer = await seat(rig, 1);
  const attempt = rig.ask(ADA, { node: 0 });
  await rig.clock.pass(100);
  expect(attempt.state).toBe('queued');
  expect(newcomer.closedWith).toBe(null);
  fine(rig);
  await rig.close();
});

it('what an earlier life of the same node held counts as dead, and is no ghost of this one', async () => {
  const rig = await overNodes(2);
  rig.ledger.mayLapse = true;
  for (const node of [0, 0, 0, 1]) await seat(rig, node);
  rig.kill(0);
  rig.start(0, 'gw-1');
  await rig.clock.pass(100);
  const attempt = rig.ask(ADA, { node: 0 });
  await rig.clock.pass(100);
  expect(attempt).toMatchObject({ state: 'seated', seated: { how: 'after-cleanup' } });
  expect(rig.living.map((f) => f.list(ADA).length).sort()).toEqual([1, 1]);
  fine(rig);
  await rig.close();
});

it('Force takes the cheapest of all nodes, waits for none, and its own node tells it who went on where', async () => {
  const rig = await overNodes(2, { limits: { ...LIMITS, overflowPolicy: 'force-first' } });
  const pages = [await seat(rig, 0), await seat(rig, 1), await seat(rig, 1), await seat(rig, 1)];
  await rig.clock.pass(600);
  for (const page of pages.slice(1)) page.say({ type: 'send', id: 'x', thread: 'talk', data: { text: 'here' } });
  await rig.clock.pass(10);
  const heard = frames(pages[0] as ModelPage);
  const attempt = rig.ask(ADA, { node: 1 });
  await rig.clock.pass(100);
  expect(attempt).toMatchObject({ state: 'seated', seated: { how: 'force' } });
  expect(heard.find(({ type }) => type === 'bye')).toMatchObject({
    reason: 'lowest-value',
    explain: { level: 'force', by: { label: attempt.page.name } },
    positions: [{ sub: 1 }],
  });
  await rig.clock.pass(1_000);
  expect(rig.living.map((f) => f.list(ADA).length)).toEqual([0, 4]);
  fine(rig);
  await rig.close();
});

it('a node that died gives its seats to whoever needs them, within 6.5 s, and to nobody before', async () => {
  const rig = await overNodes(2, { limits: { ...LIMITS, overflowPolicy: 'burst-first' }, queue: { waitMs: 20_000 } });
  rig.ledger.mayLapse = true;
  for (const node of [0, 0, 0, 1]) await seat(rig, node);
  rig.kill(0);
  const attempt = rig.ask(ADA, { node: 1 });
  await rig.clock.pass(1_000);
  expect(attempt.state).toBe('queued');
  const diedAt = rig.clock.now - 1_000;
  expect(await rig.clock.passUntil(() => attempt.state === 'seated', 10_000)).toBe(true);
  expect(rig.clock.now - diedAt).toBeLessThanOrEqual(6_700);
  expect(rig.reports.flatMap(({ victims }) => victims)).toMatchObject([{ reason: 'node-dead', level: 'conservative', node: 'gw-1' }]);
  fine(rig);
  await rig.close();
});

it('who waits on one node is seated as soon as another gives a seat back', async () => {
  const rig = await overNodes(3, { queue: { waitMs: 20_000 } });
  const pages = [await seat(rig, 0), await seat(rig, 0), await seat(rig, 1), await seat(rig, 1)];
  const attempt = rig.ask(ADA, { node: 2 });
  await rig.clock.pass(1_000);
  expect(attempt.state).toBe('queued');
  pages[0]?.say({ type: 'bye', reason: 'left' });
  await rig.clock.pass(20);
  expect(attempt.state).toBe('seated');
  fine(rig);
  await rig.close();
});

it('a burst is repaid once, not once by each node', async () => {
  const rig = await overNodes(3, { limits: { perUser: 3, burst: { perUser: 6, forMs: 1_000, coolDownMs: 60_000 } }, cleanup: { idleFullMs: 2_000 } });
  for (const node of [0, 1, 2, 0, 1, 2]) await seat(rig, node);
  await rig.clock.pass(20_000);
  const repaid = rig.reports.filter(({ trigger }) => trigger === 'repay');
  expect(repaid.flatMap(({ victims }) => victims)).toHaveLength(3);
  expect(rig.living.reduce((sum, f) => sum + f.list(ADA).length, 0)).toBe(3);
  fine(rig);
  await rig.close();
});

it('everybody is told of the seats of all nodes', async () => {
  const rig = await overNodes(2);
  const first = await seat(rig, 0);
  const heard = frames(first);
  await seat(rig, 1);
  await seat(rig, 1);
  await rig.clock.pass(3_000);
  expect(heard.findLast(({ type }) => type === 'limits')).toMatchObject({ used: 3, effective: 3, soft: SOFT });
  await seat(rig, 1);
  await rig.clock.pass(3_000);
  expect(heard.findLast(({ type }) => type === 'limits')).toMatchObject({ used: 4, effective: 4 });
  expect(rig.living.map((f) => f.getFactoryStatus().usersAtLimit)).toEqual([1, 1]);
  fine(rig);
  await rig.close();
});

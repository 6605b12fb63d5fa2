/** A node that crashes, and one that only stalls for longer than its key lives: what they held can be taken by whoever needs it, and only
 *  what was taken is lost. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { PartialOptions } from '../../src/core/options.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { type BareNode, bareNode, eventually } from '../support/bare-node.ts';
import { redisTool, startRedis } from '../support/redis.ts';
import type { SeatsChild, SeatsReport } from '../support/seats-child.ts';
import { skipWithout } from '../support/tools.ts';

/** Leases outlive the test: who is uncounted here is so because its node is gone. */
const OPTIONS = {
  limits: { perUser: 4, burst: { perUser: 4 } },
  lease: { ttlMs: 120_000, renewMs: 2_000 },
} as const satisfies PartialOptions;
const SEEN_DEAD_MS = 6_500;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function start(config: SeatsChild): Promise<ChildProcess> {
  const child = fork(new URL('../support/seats-child.ts', import.meta.url).pathname, [JSON.stringify(config)], { execArgv: ['--no-warnings'] });
  children.push(child);
  await once(child, 'message');
  return child;
}

async function reportOf(child: ChildProcess): Promise<SeatsReport> {
  const said = once(child, 'message');
  child.send('report');
  return (await said)[0] as SeatsReport;
}

const standing = (node: BareNode, name: string) => node.factory.cluster?.nodes().find(({ card }) => card.node === name)?.standing;

describe('nodes on Redis', () => {
  skipWithout(redisTool());

  test('one crashes and one stalls: both are seen within 6.5 s, and one that goes on loses only what was taken', async () => {
    await using redis = await startRedis();
    await using store = await redisStore({ url: redis.url });
    await using here = await bareNode({ store, node: 'here', ...OPTIONS });
    const common = { url: redis.url, seats: 4, options: OPTIONS };
    const [crashing, stalling] = await Promise.all([start({ ...common, node: 'crashing', user: 'ada' }), start({ ...common, node: 'stalling', user: 'ben' })]);
    await eventually('all to be known', () => standing(here, 'crashing') === 'alive' && standing(here, 'stalling') === 'alive');
    const limits = here.factory.options.limits;
    expect(limits.perUser).toBe(4);
    const before = await reportOf(stalling);
    crashing.kill('SIGKILL');
    stalling.kill('SIGSTOP');
    const goneAt = performance.now();
    await eventually('both deaths to be seen', () => standing(here, 'crashing') === 'dead' && standing(here, 'stalling') === 'dead', SEEN_DEAD_MS + 1_500);
    expect(performance.now() - goneAt).toBeLessThan(SEEN_DEAD_MS + 500);

    // Four seats of one who is gone, two of one who only seems to be.
    for (const [user, count] of [
      ['ada', 4],
      ['ben', 2],
    ] as const)
      for (let i = 0; i < count; i++) {
        const askedAt = performance.now();
        const { admission } = await here.connect(user);
        expect(admission).toMatchObject({ kind: 'seated' });
        expect(performance.now() - askedAt).toBeLessThan(500);
      }
    // Nobody else's, and no more than were needed.
    const taken = here.told('manager-ended');
    expect(taken.map(({ user, reason }) => `${user} ${reason}`).toSorted()).toEqual([...Array(4).fill('ada node-dead'), ...Array(2).fill('ben node-dead')]);

    stalling.kill('SIGCONT');
    const after = await eventually('the one that goes on to learn what was taken', async () => {
      const report = await reportOf(stalling);
      return report.held.length === 2 && report.byes.length === 2 ? report : null;
    });
    expect(after.ended.map(({ reason }) => reason)).toEqual(['node-dead', 'node-dead']);
    // Back at once, without a word to anybody.
    expect(after.byes).toEqual([4000, 4000]);
    expect(before.held).toEqual(expect.arrayContaining([...after.held]));
    await eventually('it to count as alive', () => standing(here, 'stalling') === 'alive');
    const { seats } = await store.seats.facts('ben' as UserId, SEATS);
    expect(seats).toHaveLength(4);
    expect(here.told('manager-ended')).toHaveLength(taken.length);
  });
});

const SEATS = {
  soft: 4,
  hard: 4,
  burstForMs: 60_000,
  coolDownMs: 60_000,
  debtMaxMs: 60_000,
  places: 10,
  waitMs: 10_000,
  promiseMs: 5_000,
  ttlMs: 120_000,
  tombstoneMs: 60_000,
};

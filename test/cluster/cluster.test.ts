/** Three gateways on one Redis, behind nginx: the short form of `npm run test:cluster`. */

import { describe, expect, test } from 'vitest';
import { Cluster } from '../support/cluster.ts';
import { seeded } from '../support/lab/seeded.ts';
import { redisTool, startRedis } from '../support/redis.ts';
import { need, skipWithout } from '../support/tools.ts';
import { killRun } from './kill-run.ts';
import { People } from './people.ts';

const CLIENTS = 30;

describe('three gateways on one Redis, behind nginx', () => {
  skipWithout(redisTool());
  skipWithout(need('nginx'));

  test('one is killed while thirty people read, and is gone or comes back at once: nobody misses a word', { timeout: 90_000 }, async () => {
    await using redis = await startRedis({ appendonly: true });
    await using cluster = await Cluster.start({ store: redis.url, balancer: 'nginx' });
    await using people = await People.arrive(CLIENTS, [cluster.wsUrl]);
    const random = seeded(1);
    for (const [run, quick] of [true, false].entries()) {
      const row = await killRun(cluster, people, { run, random, quick, pieces: 16 });
      expect(row.broken).toEqual([]);
      expect(row).toMatchObject({ lost: 0, doubled: 0, reordered: 0 });
      expect(row.affected, 'clients of the killed node').toBeGreaterThan(0);
      expect(row.lostRuns, 'runs that died with it').toBeGreaterThan(0);
    }
  });
});

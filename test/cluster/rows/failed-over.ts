import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../support/peers/kernel.ts';
import { startRedis } from '../../support/redis.ts';
import type { FaultRow } from '../fault-row.ts';
import { switchRelay } from '../switch-relay.ts';

const LAG_MS = 1_000;
const AFTER_MS = 3_000;
const FOLLOWS_WITHIN_MS = 20_000;

export const failedOver: FaultRow = {
  name: 'failed-over',
  story: 'the master is killed, and a replica that is 1 s behind takes its place',
  talkS: 16,
  // And who was seated in the second that is lost.
  mostSeats: 25 + 3 + 2,
  losesLog: true,
  async start(opened) {
    const redis = opened.use(await startRedis({ appendonly: true }));
    const replica = opened.use(await startRedis({ appendonly: true, replicaOf: redis }));
    await until('the replica to follow', () => replica.cli('info', 'replication').includes('master_link_status:up'), FOLLOWS_WITHIN_MS, 100);
    const road = opened.use(await switchRelay(redis.port));
    return {
      url: `redis://127.0.0.1:${road.port}`,
      async act() {
        replica.freeze();
        await delay(LAG_MS);
        await redis.kill();
        replica.thaw();
        replica.cli('replicaof', 'no', 'one');
        road.become(replica.port);
        await delay(AFTER_MS);
      },
    };
  },
};

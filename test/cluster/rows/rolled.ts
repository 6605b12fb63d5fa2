import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from '../../support/redis.ts';
import type { FaultRow } from '../fault-row.ts';

const DRAIN_MS = 25_000;
const BETWEEN_MS = 1_000;
/** A node that is being stopped says so. */
const DRAINING = 4_001;

export const rolled: FaultRow = {
  name: 'rolled',
  story: 'all three nodes are restarted one after the other (SIGTERM), with time for their runs',
  talkS: 10,
  cluster: { drainMs: DRAIN_MS },
  mostSeats: 25,
  mayClose: (code) => code === DRAINING,
  async start(opened) {
    const redis = opened.use(await startRedis({ appendonly: true }));
    return {
      url: redis.url,
      async act({ cluster }) {
        for (const node of cluster.nodes) {
          await node.kill('SIGTERM');
          await node.start();
          await delay(BETWEEN_MS);
        }
      },
    };
  },
};

import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from '../../support/redis.ts';
import type { FaultRow } from '../fault-row.ts';

const DRAIN_MS = 25_000;
const TOGETHER_MS = 3_000;
const DRAINING = 4_001;

export const twoVersions: FaultRow = {
  name: 'two-versions',
  story: 'one node runs the next version, the others follow one by one, and one goes back; letters and digests hold what the present one does not know',
  talkS: 12,
  cluster: { drainMs: DRAIN_MS, next: 1 },
  mostSeats: 25,
  mayClose: (code) => code === DRAINING,
  async start(opened) {
    const redis = opened.use(await startRedis({ appendonly: true }));
    return {
      url: redis.url,
      async act({ cluster }) {
        const [first, ...others] = cluster.nodes;
        for (const node of [...others, first]) {
          if (node === undefined) continue;
          await delay(TOGETHER_MS);
          await node.kill('SIGTERM');
          node.isNext = !node.isNext;
          await node.start();
        }
        await delay(TOGETHER_MS);
      },
    };
  },
};

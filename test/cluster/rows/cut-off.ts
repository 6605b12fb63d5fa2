import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from '../../support/redis.ts';
import type { FaultRow } from '../fault-row.ts';

/** Longer than a node's key lives: the others hold it for dead. */
const CUT_OFF_MS = 10_000;

export const cutOff: FaultRow = {
  name: 'cut-off',
  story: 'one node is cut off from the store for 10 s: nothing gets through, and nothing breaks',
  talkS: 20,
  cluster: { roads: true },
  // Its own seven count as dead for the others, and it seats seven.
  mostSeats: 25 + 7,
  // One writer of a run: what the others hold for dead, they end.
  losesRuns: true,
  async start(opened) {
    const redis = opened.use(await startRedis({ appendonly: true }));
    return {
      url: redis.url,
      async act({ cluster }) {
        const { storeRoad } = cluster.node(1);
        storeRoad?.become({ is: 'swallow' });
        await delay(CUT_OFF_MS);
        // A firewall that forgets: connections that were there are gone.
        storeRoad?.become({ is: 'cut' });
        storeRoad?.become({ is: 'clear' });
      },
    };
  },
};

import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from '../../support/redis.ts';
import type { FaultRow } from '../fault-row.ts';

const DOWN_MS = 2_000;

export const restarted: FaultRow = {
  name: 'restarted',
  story: 'the store is killed, and started on its append-only file 2 s later',
  talkS: 14,
  mostSeats: 25 + 3,
  async start(opened) {
    const redis = opened.use(await startRedis({ appendonly: true }));
    return {
      url: redis.url,
      async act() {
        await redis.kill();
        await delay(DOWN_MS);
        await redis.start();
      },
    };
  },
};

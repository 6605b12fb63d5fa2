import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from '../../support/redis.ts';
import type { FaultRow } from '../fault-row.ts';

const STOPPED_MS = 5_000;

export const stopped: FaultRow = {
  name: 'stopped',
  story: 'the store is stopped (SIGSTOP) for 5 s and goes on',
  talkS: 14,
  // Each node seats by itself meanwhile: the hard limit, and what local caps add.
  mostSeats: 25 + 3,
  async start(opened) {
    const redis = opened.use(await startRedis({ appendonly: true }));
    return {
      url: redis.url,
      async act() {
        redis.freeze();
        await delay(STOPPED_MS);
        redis.thaw();
      },
    };
  },
};

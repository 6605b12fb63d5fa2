import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from '../../support/redis.ts';
import type { FaultRow } from '../fault-row.ts';

const AFTER_MS = 3_000;

export const emptied: FaultRow = {
  name: 'emptied',
  story: 'the store loses everything (FLUSHALL)',
  talkS: 14,
  // The soft limit beside all who were there.
  mostSeats: 20 + 25,
  losesLog: true,
  async start(opened) {
    const redis = opened.use(await startRedis({ appendonly: true }));
    return {
      url: redis.url,
      async act() {
        redis.cli('flushall');
        await delay(AFTER_MS);
      },
    };
  },
};

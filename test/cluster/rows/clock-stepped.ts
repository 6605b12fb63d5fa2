import { setTimeout as delay } from 'node:timers/promises';
import { NO_FAKETIME, wallClock } from '../../support/lab/faketime.ts';
import { until } from '../../support/peers/kernel.ts';
import { startRedis } from '../../support/redis.ts';
import type { FaultRow } from '../fault-row.ts';

const HOUR_S = 3_600;
const BETWEEN_MS = 4_000;

export const clockStepped: FaultRow = {
  name: 'clock-stepped',
  story: 'the clock of the store jumps an hour ahead, and back again 4 s later',
  talkS: 16,
  // Leases end early, and everybody is put back: for an instant whoever comes finds room.
  mostSeats: 20 + 25,
  async start(opened) {
    const clock = wallClock();
    if (clock === null) throw new Error(NO_FAKETIME);
    opened.use(clock);
    const redis = opened.use(await startRedis({ appendonly: true, env: clock.env }));
    return {
      url: redis.url,
      async act() {
        clock.jumpTo(HOUR_S);
        const aheadS = (): number => Number(redis.cli('time').split('\n')[0]) - Date.now() / 1_000;
        await until('the clock of the store to be an hour ahead', () => aheadS() > HOUR_S / 2);
        await delay(BETWEEN_MS);
        clock.jumpTo(0);
        await delay(BETWEEN_MS);
      },
    };
  },
};

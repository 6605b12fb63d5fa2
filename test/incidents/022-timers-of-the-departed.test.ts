// A connection has a timer for the end of its credential. Cancelled with the connection, it left an empty list of its own inside the
// runtime until the credential would have run out, for Node keeps the lists of timers that do not hold the process. A gateway whose
// clients came and went grew for an hour.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/ports/clock.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function held(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** Each for another time, as credentials run out. */
function comeAndGo(connections: number): void {
  for (let i = 0; i < connections; i++) systemClock.after(3_600_000 + i, () => {})();
}

test('a timer that is cancelled leaves nothing behind', () => {
  comeAndGo(1_000);
  const before = held();
  comeAndGo(50_000);
  expect(held() - before).toBeLessThan(2_000_000);
});

test('cancelling after its time, or twice, does nothing', async () => {
  let rang = 0;
  const cancel = systemClock.after(1, () => rang++);
  await new Promise((resolve) => setTimeout(resolve, 30));
  cancel();
  cancel();
  expect(rang).toBe(1);
  const early = systemClock.after(20, () => rang++);
  early();
  early();
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(rang).toBe(1);
});

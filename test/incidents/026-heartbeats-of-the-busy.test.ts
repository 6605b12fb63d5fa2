// Heartbeats were due by the clock of the gateway's own attention, which slows down when the gateway hardly runs. So a machine under
// load was silent for longer than clients wait, and all who had nothing else to hear dropped their connections and dialled again.
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';

const BUSY_MS = 60;
const IDLE_MS = 10;
const LOOKED_AT_MS = 8_000;

test('a gateway that runs a seventh of the time is not silent for longer than clients wait', async () => {
  await using gw = await startGateway({ timing: 'fast' });
  const { client, welcome } = await gw.seat('ada');
  client.behave();
  let heardAt = performance.now();
  let longestMs = 0;
  const heard = (): void => {
    longestMs = Math.max(longestMs, performance.now() - heardAt);
    heardAt = performance.now();
  };
  client.hear(heard);
  const busy = setInterval(() => {
    const until = performance.now() + BUSY_MS;
    while (performance.now() < until);
  }, IDLE_MS);
  await new Promise((resolve) => setTimeout(resolve, LOOKED_AT_MS));
  clearInterval(busy);
  heard();
  expect(client.isOpen).toBe(true);
  expect(longestMs).toBeLessThan(welcome.clientTimeoutMs);
});

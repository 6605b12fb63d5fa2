/** While somebody waited in line their frames were counted by nobody. A program that sent as fast as it could, and read nothing, got an
 *  answer to each: 250 bytes for every 20, kept for as long as it waited, 600 MB for one connection in a minute. */

import { expect, test } from 'vitest';
import { eventually } from '../support/bare-node.ts';
import { HELLO, startGateway } from '../support/gateway.ts';

const ONE = { limits: { perUser: 1, burst: { perUser: 1 } } } as const;

test('who sends too much while it waits is told so, and then ended for a while', async () => {
  await using gw = await startGateway({ ...ONE, rate: { framesPer10s: 50, closeFramesPer10s: 60 } });
  await gw.seat('ada');
  const waiting = await gw.open();
  waiting.sendFrame({ ...HELLO, token: await gw.token('ada') });
  await waiting.next('queued');
  for (let n = 1; n <= 100; n++) waiting.sendFrame({ type: 'check', n });
  expect(await waiting.next('bye')).toMatchObject({ code: 4103, name: 'rate-limited', return: 'after' });
  const errors = waiting.frames.filter(({ type }) => type === 'error');
  // Of sixty that count 32 were kept for later.
  expect(errors).toHaveLength(28);
  expect(errors.at(-1)).toMatchObject({ code: 'rate-limited', retryable: true, ref: { type: 'check' } });
  await eventually('its place in line to be free', () => gw.gateway.factory.getFactoryStatus().queued === 0);
});

test('a new token is no way around it', async () => {
  let asked = 0;
  await using gw = await startGateway({
    ...ONE,
    rate: { framesPer10s: 5, closeFramesPer10s: 10 },
    authenticate: () => {
      asked += 1;
      return { userId: 'ada' };
    },
  });
  await gw.seat('ada');
  const waiting = await gw.open();
  waiting.sendFrame({ ...HELLO, token: 'mine' });
  await waiting.next('queued');
  for (let n = 1; n <= 100; n++) waiting.sendFrame({ type: 'token', token: 'mine' });
  await waiting.next('bye');
  // Twice for the hellos.
  expect(asked).toBe(2 + 5);
});

import { expect, test } from 'vitest';
import type { ManagerId, ThreadId, UserId } from '../../src/protocol/ids.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/peers/kernel.ts';
import { gated } from '../support/peers/load-gate.ts';
import { TooLate } from '../support/peers/too-late.ts';

const USER = 'ada' as UserId;
const THREAD = 't' as ThreadId;
/** At the limit: a tenth of 25 s, and half a second. */
const PROVED_WITHIN_MS = 3_000;

test(
  'a page that acknowledges after a question and sticks before it answers is proved dead like any other',
  gated(async () => {
    await using gw = await startGateway({ timing: 'fast', limits: { perUser: 1 }, cleanup: { proactive: false } });
    const { client, ready } = await gw.seat(USER);
    client.sendFrame({ type: 'subscribe', sub: 1, thread: THREAD, from: 'start' });
    await client.next('replayed');
    await gw.gateway.publish(USER, THREAD, { type: 'text_delta', text: 'first' });
    await client.next('event');
    // It is slow, so it is asked; it applies the event, and sticks.
    await client.next('probe');
    const askedAt = gw.gateway.factory.now();
    await until('the clock to move on', () => gw.gateway.factory.now() > askedAt + 50);
    client.sendFrame({ type: 'ack', sub: 1, offset: 1 });
    await until('the acknowledgement', () => gw.gateway.factory.find(ready.manager as ManagerId)?.acknowledged(THREAD)?.offset === 1);
    await gw.gateway.publish(USER, THREAD, { type: 'text_delta', text: 'second' });
    await until('a proof', () => gw.gateway.factory.find(ready.manager as ManagerId)?.verdict.proof === true, PROVED_WITHIN_MS).catch((error: unknown) => {
      const verdict = gw.gateway.factory.find(ready.manager as ManagerId)?.verdict;
      throw new TooLate(`Got ${verdict?.is} (${verdict?.reason}).`, PROVED_WITHIN_MS, { cause: error });
    });
    expect(client.isOpen).toBe(true);
  }),
);

/** AS-09a: what retention has cut off is declared by one gap, with a snapshot in its place; silence never. */

import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/ports/clock.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { check, faultsOf } from '../support/lossless/checker.ts';
import { numberedEvents } from '../support/lossless/numbered.ts';
import { numberedAgent } from '../support/lossless/numbered-agent.ts';
import type { Attempted, Line } from '../support/lossless/records.ts';
import { until } from '../support/peers/kernel.ts';
import { COUNT, logOf, Page, THREAD } from './as-09-scene.ts';

const USER = 'ada';
/** For about a hundred of the events, and the end, in which the whole text stands again. */
const STREAM_BYTES = 100 * 330 + COUNT * 80;
/** The gateway looks once a minute at what is too old; here four times a second. */
const MINUTE_MS = 60_000;
const clock: Clock = { ...systemClock, after: (delayMs, callback) => systemClock.after(delayMs === MINUTE_MS ? 250 : delayMs, callback) };

/** What a client on the wire gets that says where it was: the first gap, if there is one, and every event. */
async function read(gw: TestGateway, from: object | 'start', until: (line: Line) => boolean): Promise<readonly Line[]> {
  const { client } = await gw.seat(USER);
  client.behave();
  client.sendFrame({ type: 'subscribe', sub: 1, thread: THREAD, from });
  const { epoch } = await client.next('subscribed');
  const lines: Line[] = [];
  for (;;) {
    const frame = await client.next();
    if (frame.type === 'gap') lines.push({ is: 'gap', life: 1, epoch: frame.epoch, from: frame.from, to: frame.to, reason: frame.reason });
    if (frame.type === 'event')
      lines.push({ is: 'applied', life: 1, epoch, from: frame.from ?? frame.offset, to: frame.offset, events: numberedEvents(frame.data) });
    const last = lines.at(-1);
    if (last !== undefined && until(last)) {
      client.leave();
      await client.closed;
      return lines;
    }
  }
}

test('away until the run has ended and most of it is cut off: one gap, then the exact rest; while it runs nothing is cut', { timeout: 60_000 }, async () => {
  const attempted: Attempted[] = [];
  await using gw = await startGateway({ agent: numberedAgent({ attempted: (line) => attempted.push(line) }), log: { streamBytes: STREAM_BYTES }, clock });
  await using x = await Page.open(gw, USER, 'X');
  await using y = await Page.open(gw, USER, 'Y');
  y.ask({ count: COUNT, perSecond: 150, bytes: 90, plainEvery: 7 });
  await x.until('an ack of 80', () => x.acked >= 80);
  await x.recorder.close();
  const seenByX = x.offset;

  // More than the stream may hold is logged, and the run goes on: all of it is there.
  await y.until('250 events', () => y.applied >= 250);
  const early = await read(gw, 'start', (line) => line.is === 'applied' && line.to >= 250);
  expect(early.filter(({ is }) => is === 'gap')).toEqual([]);
  expect(early[0]).toMatchObject({ from: 1 });
  expect(y.ends).toEqual([]);

  await y.hasEnded();
  const head = y.offset;
  const token = await gw.token(USER);
  const log = await until('a log that was cut', async () => {
    const now = await logOf(gw.url, token);
    return (now.entries[0]?.offset ?? 1) > seenByX + 1 ? now : null;
  });
  const first = log.entries[0]?.offset ?? 0;
  const kept = log.entries.filter(({ number }) => number !== null).length;
  expect(kept).toBeGreaterThan(50);
  expect(kept).toBeLessThan(150);
  expect(log.ends).toEqual(['completed']);
  const epoch = log.entries[0]?.epoch ?? '';

  const onTheWire = await read(gw, { epoch, offset: seenByX }, (line) => line.is === 'applied' && line.to === head);
  expect(onTheWire[0]).toMatchObject({ is: 'gap', from: seenByX + 1, to: first - 1, reason: 'retention' });
  expect(onTheWire[1]).toMatchObject({ is: 'applied', from: first });
  const wire = check({ user: USER, logged: log.entries, lines: onTheWire, attempted, from: seenByX });
  expect(faultsOf(wire, 'declared')).toEqual([]);
  expect(wire).toMatchObject({ gaps: 1, checked: kept, declared: { length: first - 1 - seenByX } });

  // The SDK puts the snapshot in the place of what is missing: its page has the whole answer again.
  await using again = await Page.open(gw, USER, 'X', gw.wsUrl, x);
  await again.until('a gap', () => again.happened.some(({ is }) => is === 'gap'));
  const page = check({ user: USER, logged: log.entries, lines: again.lines, attempted });
  expect(faultsOf(page, 'declared')).toEqual([]);
  expect(page).toMatchObject({ gaps: 1, lost: [], declared: { length: first - 1 - seenByX } });
  expect(page.checked).toBeGreaterThanOrEqual(COUNT);

  const undisturbed = check({ user: USER, logged: log.entries, lines: y.lines, attempted });
  expect(faultsOf(undisturbed)).toEqual([]);
  expect(undisturbed.checked).toBe(COUNT);
});

/** Order and exactly once, over any deliveries: repeated, overlapping, cut in the middle, with lost transports. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BOUNDS, type EventFrame } from '../protocol/frames.ts';
import type { Epoch, ThreadId } from '../protocol/ids.ts';
import { Channel } from './channel.ts';
import { MAX_SUB } from './inbox.ts';
import { Loop } from './loop.ts';

const EPOCH = 'k3' as Epoch;

/** One frame that covers first…last; its data names every offset in it. */
const frameOf = (first: number, last: number): EventFrame => ({
  type: 'event',
  sub: 1,
  ...(first === last ? {} : { from: first }),
  offset: last,
  data: Array.from({ length: last - first + 1 }, (_, i) => ({ n: first + i })),
});

function followed(): { readonly channel: Channel; readonly seen: number[]; readonly taken: number[] } {
  const seen: number[] = [];
  const taken: number[] = [];
  const host = {
    taken: (_: Channel, frame: EventFrame) => void taken.push(frame.offset),
    error: (error: unknown) => {
      throw error;
    },
  };
  const channel = new Channel('t' as ThreadId, 'agent-events', { epoch: EPOCH, offset: 0 }, host);
  channel.readers.add({ take: (event) => void seen.push((event.data as { n: number }).n), end: () => {}, gap: () => {} });
  return { channel, seen, taken };
}

/** What may happen on a wire: any range that starts at most one behind what was delivered, or the loss of the transport. */
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ back: fc.nat(5), length: fc.integer({ min: 1, max: 6 }), skip: fc.constantFrom(0, 0, 0, 1, 2) }) },
    { weight: 1, arbitrary: fc.constant('lost' as const) },
  ),
  { maxLength: 60 },
);

test('a listener sees each offset once and in order, whatever is repeated, overlaps or is missing', () => {
  fc.assert(
    fc.property(steps, (history) => {
      const { channel, seen, taken } = followed();
      for (const step of history) {
        const at = channel.position?.offset ?? 0;
        if (step === 'lost') {
          channel.lost();
          continue;
        }
        const first = Math.max(1, at + 1 - step.back + step.skip);
        const last = first + step.length - 1;
        const answer = channel.receive(frameOf(first, last), 10);
        const joinsOn = first === at + 1;
        expect(answer).toBe(last <= at || joinsOn);
        expect(channel.position?.offset).toBe(joinsOn ? last : at);
      }
      expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => i + 1));
      expect(channel.position?.offset).toBe(seen.length);
      expect(taken).toEqual([...taken].sort((a, b) => a - b));
      expect(taken.every((offset) => offset <= seen.length)).toBe(true);
    }),
  );
});

test('a loop that stops reading takes one event, and gathers nothing over lost transports', async () => {
  const { channel, taken } = followed();
  const loop = new Loop(() => {});
  channel.readers.add(loop);
  const next = loop.next();
  channel.receive(frameOf(1, 1), 10);
  channel.receive(frameOf(2, 4), 10);
  expect((await next).value?.data).toEqual({ n: 1 });
  expect(taken).toEqual([]);
  channel.lost();
  expect(channel.position?.offset).toBe(1);
  channel.receive(frameOf(2, 4), 10);
  expect((await loop.next()).value?.data).toEqual({ n: 2 });
  expect((await loop.next()).value?.data).toEqual({ n: 3 });
  expect((await loop.next()).value?.data).toEqual({ n: 4 });
  expect(taken).toEqual([1]);
});

test('an event that is still being handled when the position is set anew moves nothing', async () => {
  const { channel, seen, taken } = followed();
  let release = (): void => {};
  channel.readers.add({
    take: () =>
      new Promise<void>((resolve) => {
        release = resolve;
      }),
    end: () => {},
    gap: () => {},
  });
  channel.receive(frameOf(1, 3), 10);
  channel.moveTo({ epoch: 'k4' as Epoch, offset: 40 });
  channel.receive(frameOf(41, 41), 10);
  release();
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual([1, 41]);
  expect(channel.position).toEqual({ epoch: 'k4', offset: 41 });
  expect(taken).toEqual([]);
});

test('what has one number in the protocol has it here', () => {
  expect(MAX_SUB).toBe(BOUNDS.maxSub);
});

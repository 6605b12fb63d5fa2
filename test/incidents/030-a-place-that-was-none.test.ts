/** A random history of the seat book found four persons waiting in a queue of three places. A person who found the queue full was served
 *  by a place that was kept for an automatic reconnect; and one who pushed an automatic ticket out took that of somebody whose waiting
 *  was over at that instant, which made no room. Positions and times told to the others were a promise broken by one place. */

import { expect, it } from 'vitest';
import { mono } from '../../src/core/clocks.ts';
import { EMPTY_QUEUE, enqueue, type Queue, type QueueClass } from '../../src/core/queue.ts';
import type { ManagerId } from '../../src/protocol/ids.ts';

const RULES = { queue: { places: 3, waitMs: 1_000, promiseMs: 500 } };

function come(queue: Queue, name: string, wanted: QueueClass, now: number) {
  return enqueue(queue, { id: name as ManagerId, class: wanted, waitMs: null, promise: null, fresh: `p-${name}` }, RULES, mono(now));
}
const persons = (queue: Queue, now: number): number => queue.tickets.filter((t) => t.class === 'user' && t.deadline > now).length;

it('an automatic reconnect’s promise makes no fourth place for a person', () => {
  let queue = EMPTY_QUEUE;
  for (const name of ['a', 'b', 'c']) queue = come(queue, name, 'user', 0).queue;
  const told = come(queue, 'tab', 'auto', 10);
  expect(told).toMatchObject({ is: 'full', promiseAt: 1_000 });
  queue = told.queue;
  for (const name of ['d', 'e', 'f']) queue = come(queue, name, 'user', 1_000).queue;
  expect(persons(queue, 1_000)).toBe(3);
  const fourth = come(queue, 'g', 'user', 1_000);
  expect(fourth.is).toBe('full');
  expect(persons(fourth.queue, 1_000)).toBe(3);
});

it('a person takes the place of a ticket that still holds one', () => {
  let queue = come(EMPTY_QUEUE, 'old', 'auto', 0).queue;
  queue = come(queue, 'tab', 'auto', 1_000).queue;
  for (const name of ['a', 'b']) queue = come(queue, name, 'user', 1_000).queue;
  const third = come(queue, 'c', 'user', 1_000);
  expect(third).toMatchObject({ is: 'queued', pushedOut: { id: 'tab' } });
  expect(third.queue.tickets.filter((t) => t.deadline > 1_000)).toHaveLength(3);
});

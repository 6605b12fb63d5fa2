/** A person waited in a full queue and was sent away. A place had been kept there for an automatic reconnect; the person's page found
 *  that place, took it, and took over the reconnect's rank with it. The next person pushed it out, as persons push out reconnects. */

import { expect, it } from 'vitest';
import { mono } from '../../src/core/clocks.ts';
import { EMPTY_QUEUE, enqueue, type Queue } from '../../src/core/queue.ts';
import { resolveOptions } from '../../src/core/resolve-options.ts';
import type { ManagerId } from '../../src/protocol/ids.ts';

const options = resolveOptions({ queue: { places: 2, waitMs: 1_000, promiseMs: 500 } });

function ask(queue: Queue, name: string, wanted: 'user' | 'auto', at: number, promise: string | null = null) {
  return enqueue(queue, { id: name as ManagerId, class: wanted, waitMs: null, promise, fresh: `promise of ${name}` }, options, mono(at));
}

it('a person who finds a place that was kept for a reconnect stays a person', () => {
  let queue = ask(EMPTY_QUEUE, 'person 1', 'user', 0).queue;
  queue = ask(queue, 'person 2', 'user', 0).queue;
  queue = ask(queue, 'reconnect', 'auto', 10).queue;
  const refused = ask(queue, 'person 3', 'user', 20);
  if (refused.is !== 'full') throw new Error('Expected a full queue.');
  expect(refused.queue.promises.map((p) => `${p.class} ${p.at}`)).toEqual(['auto 1000', 'user 1000']);
  // The first two have come to their end, and the places are due that were kept.
  queue = { ...refused.queue, tickets: [] };
  queue = ask(queue, 'person 4', 'user', 1_010).queue;
  const fifth = ask(queue, 'person 5', 'user', 1_020);
  expect(fifth).toMatchObject({ is: 'queued', ticket: { class: 'user' } });
  // The next person cannot push it out.
  const third = ask(fifth.queue, 'person 3', 'auto', 1_030, refused.promise);
  expect(third.queue.tickets.map((t) => t.id)).toEqual(expect.arrayContaining(['person 4', 'person 5']));
});

it('and a promise raises whoever comes back by itself to the rank of the person who was refused', () => {
  let queue = ask(EMPTY_QUEUE, 'person 1', 'user', 0).queue;
  queue = ask(queue, 'person 2', 'user', 0).queue;
  const refused = ask(queue, 'person 3', 'user', 10);
  if (refused.is !== 'full') throw new Error('Expected a full queue.');
  const back = ask({ ...refused.queue, tickets: [] }, 'person 3', 'auto', refused.promiseAt, refused.promise);
  expect(back).toMatchObject({ is: 'queued', ticket: { class: 'user' } });
});

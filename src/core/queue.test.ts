import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manager, OPTIONS as o } from '../../test/support/evidence.ts';
import { mono } from './clocks.ts';
import { ahead, cancel, due, EMPTY_QUEUE, enqueue, etaMs, onSeatFreed, orderQueue, positionOf, type Queue, type QueueClass, serve } from './queue.ts';

const request = (n: number, wanted: QueueClass, promise: string | null = null) => ({
  id: manager(n),
  class: wanted,
  waitMs: null,
  promise,
  fresh: `promise-${n}`,
});

function fill(list: readonly (readonly [number, QueueClass, number])[], from: Queue = EMPTY_QUEUE): Queue {
  let queue = from;
  for (const [n, wanted, at] of list) queue = enqueue(queue, request(n, wanted), o, mono(at)).queue;
  return queue;
}
const ids = (queue: Queue, now: number) => orderQueue(queue, mono(now)).map((t) => Number(t.id.slice(4)));
const tenPersons = fill(Array.from({ length: 10 }, (_, i) => [i, 'user', i * 100] as const));

describe('order', () => {
  it('is persons by arrival, then automatic reconnects by arrival', () => {
    expect(
      ids(
        fill([
          [1, 'auto', 0],
          [2, 'user', 10],
          [3, 'auto', 20],
          [4, 'user', 30],
        ]),
        40,
      ),
    ).toEqual([2, 4, 1, 3]);
  });

  it('takes the latest automatic attempt first while the queue stands, and the earliest again when it moves', () => {
    const queue = fill([
      [1, 'auto', 0],
      [2, 'auto', 300],
      [3, 'user', 400],
      [4, 'user', 500],
    ]);
    expect(ids(queue, 900)).toEqual([3, 4, 1, 2]);
    expect(ids(queue, 1_000)).toEqual([3, 4, 2, 1]);
    expect(ids(serve(queue, manager(3), mono(499)), 1_200)).toEqual([4, 1, 2]);
    expect(ids(serve(queue, manager(3), mono(500)), 1_200)).toEqual([4, 2, 1]);
  });

  it('a second attempt keeps the place; a person who comes back to an automatic ticket stands behind the other persons', () => {
    const queue = fill([
      [1, 'auto', 0],
      [2, 'user', 10],
      [3, 'user', 20],
    ]);
    const again = enqueue(queue, request(2, 'auto'), o, mono(30));
    expect(again).toMatchObject({ is: 'queued', position: 1, ticket: { class: 'user', issuedAt: 10 } });
    const raised = enqueue(queue, request(1, 'user'), o, mono(30));
    expect(raised).toMatchObject({ is: 'queued', position: 3, ticket: { class: 'user', issuedAt: 0 } });
  });
});

describe('a place', () => {
  it('waits ten seconds, or less if the client says so, and is due then', () => {
    const queue = enqueue(EMPTY_QUEUE, { ...request(1, 'user'), waitMs: 2_000 }, o, mono(0)).queue;
    expect(due(queue, mono(1_999))).toEqual([]);
    expect(due(queue, mono(2_000)).map((t) => t.id)).toEqual([manager(1)]);
    expect(enqueue(EMPTY_QUEUE, { ...request(1, 'user'), waitMs: 1e9 }, o, mono(0))).toMatchObject({ ticket: { deadline: 10_000 } });
  });

  it('is taken from the last automatic reconnect if a person needs it, never from a person', () => {
    const queue = fill([...Array.from({ length: 9 }, (_, i) => [i, 'user', 0] as const), [20, 'auto', 1]]);
    expect(enqueue(queue, request(21, 'auto'), o, mono(2)).is).toBe('full');
    expect(enqueue(queue, request(21, 'user'), o, mono(2))).toMatchObject({ is: 'queued', position: 10, pushedOut: { id: manager(20) } });
    expect(enqueue(tenPersons, request(21, 'user'), o, mono(1_000)).is).toBe('full');
  });

  it('given back is gone', () => {
    expect(ids(cancel(tenPersons, manager(0)), 1_000)).toHaveLength(9);
    expect(cancel(tenPersons, manager(77))).toBe(tenPersons);
  });

  it('tells how many are ahead: of an automatic newcomer all, of a person only persons', () => {
    const queue = fill([
      [1, 'auto', 0],
      [2, 'user', 0],
    ]);
    expect(ahead(queue, manager(9), 'user', mono(1))).toBe(1);
    expect(ahead(queue, manager(9), 'auto', mono(1))).toBe(2);
    expect(ahead(queue, manager(1), 'auto', mono(1))).toBe(1);
  });

  it('expects to wait as the seats of late became free, never longer than its deadline', () => {
    let queue = tenPersons;
    const first = orderQueue(queue, mono(1_000))[0];
    if (first === undefined) throw new Error('Expected a ticket');
    expect(etaMs(queue, first, 1, mono(1_000))).toBe(9_000);
    for (const at of [0, 1, 2, 400, 401, 800]) queue = onSeatFreed(queue, mono(at));
    expect(etaMs(queue, first, 3, mono(1_000))).toBe(1_200);
    // Nobody has left for longer than they used to.
    expect(etaMs(queue, first, 3, mono(1_800))).toBe(3_000);
    expect(etaMs(queue, first, 1, mono(9_900))).toBe(100);
  });
});

it('a person pushes out an automatic ticket that still holds a place, none whose waiting is over', () => {
  const full = fill([[0, 'auto', 0], ...Array.from({ length: 8 }, (_, i) => [1 + i, 'user', 9_000] as const), [9, 'auto', 9_999], [10, 'auto', 10_000]]);
  expect(enqueue(full, request(20, 'user'), o, mono(10_000))).toMatchObject({ is: 'queued', pushedOut: { class: 'auto', deadline: 19_999 } });
});

describe('a promise', () => {
  const refused = (queue: Queue, n: number, now: number) => {
    const answer = enqueue(queue, request(n, 'user'), o, mono(now));
    if (answer.is !== 'full') throw new Error('Expected a full queue');
    return answer;
  };

  it('is the deadline of the k-th ticket for the k-th who is refused, and a round later for the eleventh', () => {
    let queue = tenPersons;
    const told: number[] = [];
    for (let k = 0; k < 12; k++) {
      const answer = refused(queue, 50 + k, 1_000);
      told.push(answer.promiseAt);
      queue = answer.queue;
    }
    expect(told).toEqual([10_000, 10_100, 10_200, 10_300, 10_400, 10_500, 10_600, 10_700, 10_800, 10_900, 20_000, 20_100]);
  });

  it('keeps a place for five seconds against all newcomers, and is gone then', () => {
    const { queue, promise } = refused(tenPersons, 50, 1_000);
    expect(enqueue(queue, request(50, 'auto', promise), o, mono(14_999))).toMatchObject({
      is: 'queued',
      ticket: { class: 'user', issuedAt: 10_000, deadline: 20_000 },
    });
    const later = fill(
      Array.from({ length: 9 }, (_, i) => [60 + i, 'user', 10_950] as const),
      queue,
    );
    expect(enqueue(later, request(50, 'user', promise), o, mono(15_000)).is).toBe('queued');
    expect(enqueue(later, request(50, 'user', promise), o, mono(15_001)).queue.promises).toEqual([]);
  });

  it('is kept against whoever comes while a place is free for the moment', () => {
    const { queue, promise } = refused(tenPersons, 50, 1_000);
    const moved = serve(queue, manager(0), mono(1_500));
    expect(enqueue(moved, request(60, 'user'), o, mono(2_000))).toMatchObject({ is: 'full', promiseAt: 10_100 });
    expect(enqueue(moved, { ...request(61, 'user'), waitMs: 7_000 }, o, mono(2_000)).is).toBe('queued');
    expect(enqueue(moved, request(50, 'user', promise), o, mono(2_000)).is).toBe('queued');
  });

  it('to an automatic reconnect is kept too, when persons have taken the places since', () => {
    const full = fill(Array.from({ length: 10 }, (_, i) => [i, 'auto', i] as const));
    const told = enqueue(full, request(50, 'auto'), o, mono(100));
    if (told.is !== 'full') throw new Error('Expected a full queue');
    const persons = fill(
      Array.from({ length: 10 }, (_, i) => [20 + i, 'user', 5_000] as const),
      told.queue,
    );
    expect(orderQueue(persons, mono(5_000)).every((t) => t.class === 'user')).toBe(true);
    expect(enqueue(persons, request(50, 'auto', told.promise), o, told.promiseAt)).toMatchObject({ is: 'queued', position: 11, pushedOut: null });
  });

  it('serves an arrival that does not show it, if no other place is free', () => {
    const { queue } = refused(tenPersons, 50, 1_000);
    expect(enqueue(queue, request(70, 'user'), o, mono(10_000))).toMatchObject({ is: 'queued', queue: { promises: [{ lent: true }] } });
  });

  it('is kept also when it has served an arrival that did not show it, once', () => {
    const { queue, promise } = refused(tenPersons, 50, 1_000);
    const full = fill(
      Array.from({ length: 9 }, (_, i) => [60 + i, 'user', 10_950] as const),
      { ...queue, tickets: [] },
    );
    const lent = enqueue(full, request(70, 'user'), o, mono(11_000));
    expect(lent).toMatchObject({ is: 'queued', position: 10 });
    expect(enqueue(lent.queue, request(71, 'user'), o, mono(11_000)).is).toBe('full');
    const back = enqueue(lent.queue, request(50, 'user', promise), o, mono(12_000));
    expect(back).toMatchObject({ is: 'queued', position: 11, ticket: { deadline: 20_000 }, queue: { promises: [] } });
    expect(enqueue(back.queue, request(71, 'user'), o, mono(12_000)).is).toBe('full');
  });

  it('of an automatic return serves no person who does not show it: persons were told their positions without it', () => {
    const { queue } = refused(tenPersons, 50, 1_000);
    const automatic = { ...queue, promises: queue.promises.map((p) => ({ ...p, class: 'auto' as const })) };
    const persons = { ...automatic, tickets: tenPersons.tickets.map((t) => ({ ...t, deadline: mono(20_000) })) };
    expect(enqueue(persons, request(70, 'user'), o, mono(10_000))).toMatchObject({ is: 'full' });
    expect(enqueue(persons, request(70, 'auto'), o, mono(10_000))).toMatchObject({ is: 'queued', ticket: { class: 'auto' } });
  });

  it('is not lost, nor put off, by coming too early', () => {
    const { queue, promise } = refused(tenPersons, 50, 1_000);
    expect(enqueue(queue, request(50, 'user', promise), o, mono(5_000))).toMatchObject({
      is: 'full',
      promiseAt: 10_000,
      promise,
      queue: { promises: [{ name: promise }] },
    });
  });
});

it('I16: every promise to a person is kept, whatever comes and goes meanwhile; persons exceed the places by no more than the promises that were lent', () => {
  const small = { queue: { ...o.queue, places: 3, waitMs: 1_000, promiseMs: 500 } };
  const acts = fc.array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constant('come' as const),
          wanted: fc.constantFrom('user' as const, 'auto' as const),
          waitMs: fc.constantFrom(null, 300),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('served' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('left' as const), index: fc.nat(5) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(400) }) },
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(acts, fc.double({ min: 0, max: 1, noNaN: true }), (history, late) => {
      let queue: Queue = EMPTY_QUEUE;
      let now = 0;
      let next = 0;
      let told: { n: number; comesAt: number; name: string }[] = [];
      const lent = new Set<string>();
      const settle = () => {
        // Tickets end at their deadline at the latest.
        queue = { ...queue, tickets: queue.tickets.filter((t) => t.deadline > now) };
      };
      const comeBack = () => {
        for (const p of told.filter((t) => t.comesAt <= now).sort((a, b) => a.comesAt - b.comesAt)) {
          const at = mono(p.comesAt);
          const answer = enqueue(queue, request(p.n, 'auto', p.name), small, at);
          expect(answer.is).toBe('queued');
          queue = answer.queue;
        }
        told = told.filter((t) => t.comesAt > now);
      };
      for (const act of history) {
        if (act.do === 'wait') {
          now += act.ms;
          comeBack();
        } else if (act.do === 'served') {
          const first = orderQueue(queue, mono(now))[0];
          if (first !== undefined) queue = serve(queue, first.id, mono(now));
        } else if (act.do === 'left') {
          const ticket = queue.tickets[act.index];
          if (ticket !== undefined) queue = cancel(queue, ticket.id);
        } else {
          next += 1;
          const answer = enqueue(queue, { ...request(next, act.wanted), waitMs: act.waitMs }, small, mono(now));
          if (answer.is === 'full' && act.wanted === 'user') {
            expect(answer.promiseAt).toBeGreaterThanOrEqual(now);
            told.push({ n: next, comesAt: answer.promiseAt + late * small.queue.promiseMs, name: answer.promise });
          }
          if (answer.is === 'queued') expect(positionOf(answer.queue, answer.ticket.id, mono(now))).toBe(answer.position);
          queue = answer.queue;
        }
        settle();
        for (const p of queue.promises) if (p.lent === true) lent.add(p.name);
        expect(queue.tickets.filter((t) => t.class === 'user').length).toBeLessThanOrEqual(small.queue.places + lent.size);
        expect(new Set(queue.tickets.map((t) => t.id)).size).toBe(queue.tickets.length);
      }
    }),
    { numRuns: 500 },
  );
});

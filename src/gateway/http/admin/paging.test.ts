import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../ports/clock.ts';
import { numberKey, pageOf } from './paging.ts';

interface Item {
  readonly id: string;
  readonly value: number;
}

async function walk(items: readonly Item[], limit: number, keyOf: (item: Item) => string | null): Promise<readonly Item[]> {
  const seen: Item[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await pageOf(systemClock, items, { sort: 'value', limit, cursor, keyOf });
    if (page.is !== 'ok') throw new Error(page.problem.detail);
    expect(page.items.length).toBeLessThanOrEqual(limit);
    seen.push(...page.items);
    if (page.nextCursor === null) return seen;
    cursor = page.nextCursor;
  }
}

describe('pages of a list', () => {
  test('are, one after the other, what sorting everything gives', async () => {
    const value = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY));
    const lists = fc.uniqueArray(fc.record({ id: fc.string({ minLength: 1, maxLength: 6 }), value }), { selector: ({ id }) => id, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(lists, fc.integer({ min: 1, max: 20 }), async (items, limit) => {
        const seen = await walk(items, limit, ({ id, value }) => numberKey(value, id));
        const place = ({ value }: Item): number => Math.round(Math.min(5e14, value));
        const sorted = items.toSorted((a, b) => place(a) - place(b) || (a.id < b.id ? -1 : 1));
        expect(seen).toEqual(sorted);
      }),
    );
  });

  test('leave out who is not in the list', async () => {
    const items = [1, 2, 3, 4].map((value) => ({ id: `m${value}`, value }));
    expect(await walk(items, 1, ({ id, value }) => (value % 2 === 0 ? id : null))).toEqual([items[1], items[3]]);
  });

  test('of 100,000 are put together with turns of the event loop in between', async () => {
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const items = Array.from({ length: 100_000 }, (_, i) => ({ id: `m${i}`, value: (i * 7_919) % 100_003 }));
    const page = await pageOf(systemClock, items, { sort: 'value', limit: 2, cursor: undefined, keyOf: ({ id, value }) => numberKey(-value, id) });
    isOver = true;
    expect(page).toMatchObject({ is: 'ok', items: items.toSorted((a, b) => b.value - a.value).slice(0, 2) });
    expect(turns).toBeGreaterThan(3);
  });

  test('cannot be gone on with in another order', async () => {
    const first = await pageOf(systemClock, ['a', 'b'], { sort: 'id', limit: 1, cursor: undefined, keyOf: (id) => id });
    const cursor = first.is === 'ok' ? (first.nextCursor ?? '') : '';
    expect(await pageOf(systemClock, ['a', 'b'], { sort: 'age', limit: 1, cursor, keyOf: (id) => id })).toMatchObject({
      is: 'problem',
      problem: { code: 'bad-request', detail: expect.stringContaining('order `age`') },
    });
  });
});

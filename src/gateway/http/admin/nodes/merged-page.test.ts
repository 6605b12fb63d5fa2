import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Cursors, cursorFor, type MergedPage, mergedPage, type PartOfPage, readCursors, spellCursors } from './merged-page.ts';

/** What a node answers: its rows behind a cursor, at most `limit`. */
function part(node: string, ranks: readonly number[], limit: number, from: Cursors): PartOfPage<string> {
  const sorted = ranks.map((rank, i) => ({ rank, id: `${node}-${i}` })).sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1));
  const start = Number(from[node] ?? 0);
  const rows = sorted.slice(start, start + limit);
  return {
    node,
    rows: rows.map(({ id }) => id),
    places: rows.map(({ rank }, i) => ({ rank, cursor: String(start + i + 1) })),
    hasMore: start + limit < sorted.length,
  };
}

it('pages over nodes hold everybody once, in order, whatever their number and size', () => {
  const nodes = fc.array(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 12 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(nodes, fc.integer({ min: 1, max: 7 }), (lists, limit) => {
      const seen: { readonly id: string; readonly rank: number }[] = [];
      let from: Cursors | null = {};
      for (let page = 0; from !== null; page++) {
        expect(page).toBeLessThan(60);
        const parts: PartOfPage<string>[] = lists.map((ranks, i) => part(`gw-${i}`, ranks, limit, from as Cursors));
        const { rows, next }: MergedPage<string> = mergedPage(parts, limit, from);
        if (next !== null) expect(rows).toHaveLength(limit);
        seen.push(...rows.map(({ row, place }) => ({ id: row, rank: place.rank as number })));
        from = next === null ? null : readCursors(spellCursors(next));
      }
      expect(new Set(seen.map(({ id }) => id)).size).toBe(lists.flat().length);
      expect(seen.map(({ rank }) => rank)).toEqual(lists.flat().toSorted((a, b) => a - b));
    }),
  );
});

it('a node that did not answer keeps its place', () => {
  const { next } = mergedPage([part('gw-1', [1, 2, 3], 2, {})], 2, { 'gw-2': '7' });
  expect(next).toEqual({ 'gw-1': '2', 'gw-2': '7' });
});

it('a cursor of one node is no cursor over several', () => {
  expect(readCursors('Mg')).toBeNull();
  expect(readCursors('')).toBeNull();
  expect(cursorFor('gw-1', '12')).toBe('12');
  expect(cursorFor('gw-1', undefined)).toBeUndefined();
  expect(cursorFor('gw-3', spellCursors({ 'gw-1': '12' }))).toBeUndefined();
});

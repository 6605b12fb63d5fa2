/** Rows that do not jump. While somebody points at a table or has the focus in it, its order stays; what has changed is counted and applied
 *  when they ask for it. Figures inside a row go on. */

import { useRef, useState } from 'react';

export interface SteadyRow<R> {
  readonly key: string;
  readonly row: R;
  /** It is not where the newest answer was looked at: it moved away or ended. */
  readonly isOld: boolean;
}

export interface SteadyRows<R> {
  readonly total: number;
  /** Null: not known yet. */
  at(index: number): SteadyRow<R> | null;
  indexOf(key: string): number;
  /** Rows that would come, go or move. */
  readonly changes: number;
  apply(): void;
}

interface Kept<R> {
  order: Map<number, string>;
  rows: Map<string, R>;
  total: number;
}

/** `rows` are those from index `from` on, of `total`. */
export function useSteadyRows<R>(rows: readonly R[], from: number, total: number, keyOf: (row: R) => string, isHeld: boolean): SteadyRows<R> {
  const kept = useRef<Kept<R>>({ order: new Map(), rows: new Map(), total: 0 });
  const [, redraw] = useState(0);
  const keys = rows.map(keyOf);
  const newest = new Set(keys);

  const takeAll = (): void => {
    kept.current = { order: new Map(keys.map((key, i) => [from + i, key])), rows: new Map(rows.map((row, i) => [keys[i] ?? '', row])), total };
  };
  const before = kept.current;
  if (!isHeld || before.order.size === 0) takeAll();
  else {
    const placed = new Set(before.order.values());
    rows.forEach((row, i) => {
      const key = keys[i] ?? '';
      before.rows.set(key, row);
      // Scrolled to for the first time since the order was frozen.
      if (!before.order.has(from + i) && from + i < before.total && !placed.has(key)) before.order.set(from + i, key);
    });
  }

  const { order, rows: known, total: shown } = kept.current;
  return {
    total: shown,
    at: (index) => {
      const key = order.get(index);
      const row = key === undefined ? undefined : known.get(key);
      const isLookedAt = index >= from && index < from + rows.length;
      return key === undefined || row === undefined ? null : { key, row, isOld: isLookedAt && !newest.has(key) };
    },
    indexOf: (key) => [...order].find(([, one]) => one === key)?.[0] ?? -1,
    changes: isHeld ? difference(keys, from, order, shown, total) : 0,
    apply: () => {
      takeAll();
      redraw((turn) => turn + 1);
    },
  };
}

/** How many rows of the newest answer are new, gone or elsewhere. */
function difference(keys: readonly string[], from: number, order: ReadonlyMap<number, string>, shown: number, total: number): number {
  const there: string[] = [];
  const end = Math.max(from + keys.length, total < shown ? shown : 0);
  for (let index = from; index < end; index++) {
    const key = order.get(index);
    if (key !== undefined) there.push(key);
  }
  const [old, now] = [new Set(there), new Set(keys)];
  const stayed = there.filter((key) => now.has(key));
  const come = keys.filter((key) => old.has(key));
  const moved = stayed.reduce((count, key, i) => count + (come[i] === key ? 0 : 1), 0);
  return moved + Math.max(keys.length - come.length, there.length - stayed.length);
}

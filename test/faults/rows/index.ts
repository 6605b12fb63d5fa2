import type { Row } from '../row.ts';
import { BASIC_ROWS } from './basics.ts';
import { BROWSER_ROWS } from './browser.ts';
import { GATEWAY_ROWS } from './gateway.ts';
import { NETWORK_ROWS } from './network.ts';
import { NETWORK_CHANGE } from './network-change.ts';

/** The whole catalogue, in its order. */
export const ROWS: readonly Row[] = [...BASIC_ROWS, ...NETWORK_ROWS, ...BROWSER_ROWS, NETWORK_CHANGE, ...GATEWAY_ROWS].sort(
  (a, b) => Number(/\d+/.exec(a.key)?.[0]) - Number(/\d+/.exec(b.key)?.[0]) || (a.key < b.key ? -1 : 1),
);

/** Rows of these keys, or of groups such as `F06`; a key that is none is an error that names them all. */
export function rowsOf(keys: readonly string[] | null): readonly Row[] {
  if (keys === null) return ROWS;
  const unknown = keys.filter((key) => !ROWS.some((row) => isMeant(row, key)));
  if (unknown.length > 0) throw new Error(`Expected keys of the catalogue, got ${unknown.join(', ')}. There are ${ROWS.map(({ key }) => key).join(', ')}.`);
  return ROWS.filter((row) => keys.some((key) => isMeant(row, key)));
}

const isMeant = ({ key }: Row, wanted: string): boolean => key === wanted || (/^F\d+$/.test(wanted) && /^F\d+/.exec(key)?.[0] === wanted);

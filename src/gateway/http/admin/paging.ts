import type { Clock } from '../../../ports/clock.ts';
import { Best } from '../../live/best.ts';
import { inSlices } from '../../live/slices.ts';
import type { HttpContext } from '../http-env.ts';
import type { Problem } from '../problems.ts';
import type { Place } from './nodes/merged-page.ts';

/** One page of a list. */
export interface Page<T> {
  readonly is: 'ok';
  readonly items: readonly T[];
  /** Where each of them stands, for a list that goes over several nodes. */
  readonly places: readonly Place[];
  /** Asks for what follows; null at the end. */
  readonly nextCursor: string | null;
}

export interface PageRequest<T> {
  /** Name of the order; a cursor of another order is refused. */
  readonly sort: string;
  readonly limit: number;
  readonly cursor: string | undefined;
  /** Place of an item in that order, no two alike; null for one that is not in the list. */
  keyOf(item: T): string | null;
  /** Its place among items of other nodes, smallest first: of what keys are made of, whatever only this process understands left out.
   *  Default: the key. */
  readonly rankOf?: (item: T) => Place['rank'];
}

/** The page behind `cursor`, in the order of keys, so that nobody who comes or goes in between makes it skip or repeat anybody else whose
 *  key stays. Items are visited in slices, with turns of the event loop between them, and no more than one page of them is held. */
export async function pageOf<T>(
  clock: Clock,
  all: Iterable<T>,
  { sort, limit, cursor, keyOf, rankOf }: PageRequest<T>,
): Promise<Page<T> | { readonly is: 'problem'; readonly problem: Problem }> {
  const after = cursor === undefined ? '' : placeIn(cursor, sort);
  if (after === null) {
    const detail = `Expected \`cursor\` to be the \`nextCursor\` of a page in the order \`${sort}\`, got another. Begin again without it.`;
    return { is: 'problem', problem: { code: 'bad-request', detail } };
  }
  // One more than fits tells that there is another page.
  const best = new Best<{ readonly item: T; readonly key: string }, string>(limit + 1);
  await inSlices(
    clock,
    all,
    () => false,
    (item) => {
      const key = keyOf(item);
      if (key !== null && key > after) best.add({ item, key }, key);
    },
  );
  const found = best.takeFrom(0);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    is: 'ok',
    items: page.map(({ item }) => item),
    places: page.map(({ item, key }) => ({ rank: rankOf?.(item) ?? key, cursor: spell(sort, key) })),
    nextCursor: last === undefined || found.length <= limit ? null : spell(sort, last.key),
  };
}

const spell = (sort: string, key: string): string => Buffer.from(`${sort}\n${key}`).toString('base64url');

/** What a node that asks needs besides rows; nobody else is told. */
export const placesFor = (c: HttpContext, places: readonly Place[]): { readonly places?: readonly Place[] } =>
  c.env?.passedOn === undefined ? {} : { places };

/** Null: of another order. */
function placeIn(cursor: string, sort: string): string | null {
  const text = Buffer.from(cursor, 'base64url').toString();
  return text.startsWith(`${sort}\n`) ? text.slice(sort.length + 1) : null;
}

const HALF = 5e14;

/** A key that orders by a number, smallest first, then by id. The number may be anything between -5e14 and 5e14; beyond is cut. */
export const numberKey = (value: number, id: string): string => `${String(Math.round(Math.min(HALF, Math.max(-HALF, value))) + HALF).padStart(16, '0')} ${id}`;

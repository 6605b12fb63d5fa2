/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Asks for what follows; null at the end. */
  readonly nextCursor: string | null;
}

/** The page behind `cursor` of items that have keys: in the order of their keys, so that nobody who comes or goes in between makes
 *  it skip or repeat anybody else. */
export function pageByKey<T>(items: Iterable<T>, keyOf: (item: T) => string, limit: number, cursor: string | undefined): Page<T> {
  const after = cursor === undefined ? null : Buffer.from(cursor, 'base64url').toString();
  const left = [...items].filter((item) => after === null || keyOf(item) > after).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const page = left.slice(0, limit);
  const last = page.at(-1);
  return { items: page, nextCursor: last === undefined || left.length <= limit ? null : Buffer.from(keyOf(last)).toString('base64url') };
}

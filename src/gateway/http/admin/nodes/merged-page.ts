/** One page of a list whose rows lie on several nodes. */

/** Where a row stands in the list of its node. */
export interface Place {
  /** By which the rows of all nodes are ordered, smallest first. */
  readonly rank: number | string;
  /** Asks its node for what comes behind it. */
  readonly cursor: string;
}

/** What one node has from its cursor on. */
export interface PartOfPage<T> {
  readonly node: string;
  readonly rows: readonly T[];
  /** One a row. */
  readonly places: readonly Place[];
  /** It has more rows than these. */
  readonly hasMore: boolean;
}

/** Node → cursor there. A node that is not named begins at its first row. */
export type Cursors = Readonly<Record<string, string>>;

export interface MergedPage<T> {
  readonly rows: readonly { readonly node: string; readonly row: T; readonly place: Place }[];
  /** Null: no node has more. */
  readonly next: Cursors | null;
}

/** The first `limit` rows of all parts. Each part holds that many, or all that its node has. `from`: where the parts begin; nodes that did
 *  not answer keep their place there. */
export function mergedPage<T>(parts: readonly PartOfPage<T>[], limit: number, from: Cursors): MergedPage<T> {
  const at = parts.map(() => 0);
  const rows: MergedPage<T>['rows'][number][] = [];
  const next: Record<string, string> = { ...from };
  while (rows.length < limit) {
    const first = firstOf(parts, at);
    if (first === null) break;
    const part = parts[first] as PartOfPage<T>;
    const index = at[first] as number;
    const place = part.places[index] as Place;
    rows.push({ node: part.node, row: part.rows[index] as T, place });
    next[part.node] = place.cursor;
    at[first] = index + 1;
  }
  const hasMore = parts.some((part, i) => part.hasMore || (at[i] as number) < part.rows.length);
  return { rows, next: hasMore ? next : null };
}

/** Index of the part whose next row comes first; of two alike the first part. */
function firstOf(parts: readonly PartOfPage<unknown>[], at: readonly number[]): number | null {
  let best: { readonly index: number; readonly rank: Place['rank'] } | null = null;
  for (const [index, part] of parts.entries()) {
    const place = part.places[at[index] as number];
    if (place !== undefined && (best === null || place.rank < best.rank)) best = { index, rank: place.rank };
  }
  return best?.index ?? null;
}

/** A cursor over several nodes as the API spells it. */
export const spellCursors = (cursors: Cursors): string => Buffer.from(JSON.stringify(cursors)).toString('base64url');

/** Null for anything that `spellCursors` did not make. */
export function readCursors(text: string): Cursors | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    const isOurs = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every((one) => typeof one === 'string');
    return isOurs ? (value as Cursors) : null;
  } catch {
    return null;
  }
}

/** The part of a cursor that is for `node`, if it is one over several nodes; else the cursor itself. Undefined: from the beginning. */
export function cursorFor(node: string, cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const several = readCursors(cursor);
  return several === null ? cursor : several[node];
}

import { SpillwayError } from '../protocol/errors.ts';

interface PageOf<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

const PAGE = 500;

/** All items of a list that comes in pages, or its first `most` (text of a flag). @throws SpillwayError if that is no number */
export async function everyPage<T>(
  ask: (query: { readonly limit: number; readonly cursor?: string }) => Promise<PageOf<T>>,
  most: string | undefined,
  page: number = PAGE,
): Promise<T[]> {
  const wanted = most === undefined ? Number.POSITIVE_INFINITY : rowsOf(most);
  const all: T[] = [];
  let cursor: string | null = null;
  do {
    const { items, next }: PageOf<T> = await ask({ limit: Math.min(page, wanted - all.length), ...(cursor === null ? {} : { cursor }) });
    all.push(...items);
    cursor = next;
  } while (cursor !== null && all.length < wanted);
  return all;
}

/** A number of rows. */
export function rowsOf(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`-n\` to be a number of rows, got \`${text}\``);
}

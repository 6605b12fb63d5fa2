import { SpillwayError } from '../protocol/errors.ts';

/** Where a page of threads ended. */
export interface ListCursor {
  readonly updatedAt: number;
  readonly thread: string;
}

export const writeCursor = (c: ListCursor): string => `${c.updatedAt}:${c.thread}`;

/** Reads what `writeCursor` wrote. Throws SPILLWAY_BAD_ARGUMENT for anything else. */
export function readCursor(text: string): ListCursor {
  const found = /^([0-9]{1,16}):([A-Za-z0-9._:-]{1,128})$/.exec(text);
  if (found === null) {
    throw new SpillwayError(
      'SPILLWAY_BAD_ARGUMENT',
      `Expected the \`nextCursor\` of an earlier page of threads, got ${JSON.stringify(text.slice(0, 40))}. Leave it out for the first page.`,
    );
  }
  return { updatedAt: Number(found[1]), thread: found[2] as string };
}

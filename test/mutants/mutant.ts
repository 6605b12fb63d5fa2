/** A mistake that somebody could make: one patch to a copy of `src`, and the test that must fail for it. */
export interface Mutant {
  /** Unique, kebab-case. */
  readonly name: string;
  /** What is broken, in one sentence. */
  readonly proves: string;
  /** Path from the root of the repository. */
  readonly file: string;
  /** Occurs exactly once in `file`. */
  readonly find: string;
  readonly replace: string;
  /** `test/….test.ts`, or that and ` -t ` and a part of a test's name; or `$ ` and a command, which must exit with something else than 0. */
  readonly caughtBy: string;
}

/** What of `caughtBy` is which. */
export type Catcher = { readonly is: 'test'; readonly file: string; readonly name: string | null } | { readonly is: 'command'; readonly command: string };

export function catcherOf({ caughtBy }: Pick<Mutant, 'caughtBy'>): Catcher {
  if (caughtBy.startsWith('$ ')) return { is: 'command', command: caughtBy.slice(2) };
  const [file = '', name] = caughtBy.split(' -t ');
  return { is: 'test', file, name: name ?? null };
}

/** How often `find` occurs in `text`. */
export const occurrences = (text: string, find: string): number => (find === '' ? 0 : text.split(find).length - 1);

import { SpillwayError, type SpillwayErrorCode } from '../../protocol/errors.ts';

/** A failure as it crosses from the worker to its caller. */
export interface Failure {
  readonly code: SpillwayErrorCode;
  readonly retry: 'now' | 'later' | 'never';
  readonly message: string;
  /** What SQLite or the system called it. */
  readonly cause: string;
}

type Ground = readonly [pattern: RegExp, code: SpillwayErrorCode, what: string, help: string];

/** By the code of SQLite or of the system, first match. The first group passes when its cause does. */
const GROUNDS: readonly Ground[] = [
  [/^(SQLITE_FULL|ENOSPC|EDQUOT)$/, 'SPILLWAY_STORE_UNAVAILABLE', 'the disk is full', 'Free some space; writing goes on by itself.'],
  [/^SQLITE_(BUSY|LOCKED)/, 'SPILLWAY_STORE_UNAVAILABLE', 'another process holds its lock', 'End the program that keeps it locked; writing goes on by itself.'],
  [/^(SQLITE_READONLY|EROFS)/, 'SPILLWAY_STORE_UNAVAILABLE', 'the file is read-only', 'Give this process the right to write the file and its folder.'],
  [
    /^(SQLITE_CANTOPEN|SQLITE_PERM|SQLITE_AUTH|EACCES|EPERM|ENOTDIR|ENOENT|EISDIR|EEXIST|EMFILE|ENFILE)/,
    'SPILLWAY_STORE_UNAVAILABLE',
    'the file cannot be opened',
    'Check that its folder exists and that this process may write it.',
  ],
  [/^(SQLITE_IOERR|SQLITE_PROTOCOL|SQLITE_NOMEM|EIO)/, 'SPILLWAY_STORE_UNAVAILABLE', 'the disk does not work', 'Check the disk and the system log.'],
  [/^SQLITE_NOTADB/, 'SPILLWAY_STORE_BROKEN', 'the file is not a SQLite database', 'Name another file as store, or move this one away.'],
  [
    /^SQLITE_(CORRUPT|SCHEMA)/,
    'SPILLWAY_STORE_BROKEN',
    'the file is damaged',
    'Move it away and restore a backup; `sqlite3 FILE .recover` saves what can be read.',
  ],
];

const codeOf = (error: unknown): string => String((error as { readonly code?: unknown } | null)?.code ?? '');

export const isLocked = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error));

export const isFull = (error: unknown): boolean => codeOf(error) === 'SQLITE_FULL';

/** Whether the ground gave way, and not the request. */
export const isGround = (error: unknown): boolean => SpillwayError.is(error) || GROUNDS.some(([pattern]) => pattern.test(codeOf(error)));

/** Says what an error of the driver or the system means for the store at `file`. */
export function explainFailure(error: unknown, file: string): Failure {
  if (SpillwayError.is(error)) return { code: error.code, retry: error.retry, message: error.message, cause: '' };
  const cause = [codeOf(error), error instanceof Error ? error.message : String(error)].filter((part) => part !== '').join(': ');
  const ground = GROUNDS.find(([pattern]) => pattern.test(codeOf(error)));
  if (ground === undefined) return { code: 'SPILLWAY_STORE_BROKEN', retry: 'never', message: `The store ${file} failed: ${cause}.`, cause };
  const [, code, what, help] = ground;
  return { code, retry: code === 'SPILLWAY_STORE_BROKEN' ? 'never' : 'later', message: `The store ${file} cannot be used: ${what} (${cause}). ${help}`, cause };
}

import type { Failure } from './failures.ts';
import type { OperationName } from './operations.ts';

/** What the worker is started with. */
export interface WorkerSetup {
  readonly file: string;
  /** The epoch of a data set, if one has to be made. */
  readonly freshEpoch: string;
}

export interface Question {
  readonly id: number;
  readonly name: OperationName | 'close';
  readonly args: readonly unknown[];
  /** When its caller stops waiting, by `monotonicMs`. */
  readonly deadline: number;
}

export type Answer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly failure: Failure };

/** A monotonic clock that all threads of a process share. */
export const monotonicMs = (): number => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
};

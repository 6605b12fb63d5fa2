import type { ErrorCode } from '../protocol/errors.ts';

/** `unreachable`: nobody answered in time, or what answered is no gateway. */
export type AdminProblemCode = ErrorCode | 'unreachable';

/** One difference between a plan and what is now. */
export interface PlanDifference {
  readonly manager: string;
  readonly change: string;
}

const MARK = 'spillway:admin-problem';

/** A request to the admin API that was refused or did not arrive. Its message says what was expected, what came and what helps. */
export class AdminProblem extends Error {
  readonly code: AdminProblemCode;
  /** Of the HTTP answer; null if there was none. */
  readonly status: number | null;
  /** Why, in the gateway's words. */
  readonly detail: string;
  /** What has changed since a plan was made; empty but for `plan-stale`. */
  readonly differences: readonly PlanDifference[];
  /** Under which the gateway's log tells more. */
  readonly instance: string | null;
  /** Marks errors of every copy of this package; `instanceof` fails across copies. */
  readonly [MARK] = true;

  constructor(
    code: AdminProblemCode,
    detail: string,
    more: {
      readonly status?: number;
      readonly differences?: readonly PlanDifference[];
      readonly instance?: string;
      readonly cause?: unknown;
    } = {},
  ) {
    super(detail, more.cause === undefined ? {} : { cause: more.cause });
    this.name = 'AdminProblem';
    this.code = code;
    this.detail = detail;
    this.status = more.status ?? null;
    this.differences = more.differences ?? [];
    this.instance = more.instance ?? null;
  }

  static is(error: unknown): error is AdminProblem {
    return typeof error === 'object' && error !== null && (error as Record<string, unknown>)[MARK] === true;
  }
}

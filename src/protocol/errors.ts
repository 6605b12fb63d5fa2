/** The error codes that HTTP problems and in-band `error` frames share, and the one class of error the library throws. */

export const ERROR_STATUS = {
  'bad-request': 400,
  unauthorized: 401,
  'credential-expired': 401,
  'invalid-credentials': 401,
  'refresh-reused': 401,
  forbidden: 403,
  'origin-denied': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'idempotency-conflict': 409,
  'thread-busy': 409,
  'plan-stale': 409,
  protected: 409,
  'payload-too-large': 413,
  'upgrade-required': 426,
  'rate-limited': 429,
  internal: 500,
  draining: 503,
  'node-overloaded': 503,
  'no-seat-yet': 503,
  'queue-full': 503,
  'store-unavailable': 503,
  'agent-unavailable': 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** Whether trying the same again can help: codes of which the answer is yes. */
export function isRetryable(code: ErrorCode): boolean {
  return code === 'thread-busy' || code === 'rate-limited' || code === 'internal' || ERROR_STATUS[code] === 503;
}

/** Wrong use of the library, or broken ground under it. What a caller must expect is a return value instead. */
export type SpillwayErrorCode =
  | 'SPILLWAY_BAD_OPTION'
  | 'SPILLWAY_BAD_ARGUMENT'
  | 'SPILLWAY_CLOSED'
  | 'SPILLWAY_STORE_UNAVAILABLE'
  | 'SPILLWAY_STORE_BROKEN'
  | 'SPILLWAY_PORT_IN_USE'
  | 'SPILLWAY_OUTBOX_FULL'
  | 'SPILLWAY_REFUSED'
  | 'SPILLWAY_NODE_VERSION'
  | 'SPILLWAY_MISSING_PACKAGE'
  | 'SPILLWAY_AGENT_FAILED'
  /** One at a time, and another one runs. */
  | 'SPILLWAY_BUSY'
  /** The issuer of tokens cannot be asked for its keys. */
  | 'SPILLWAY_ISSUER_UNAVAILABLE';

const MARK = 'spillway:error';

/** Its message names what was expected, what came and what helps. */
export class SpillwayError extends Error {
  readonly code: SpillwayErrorCode;
  /** Whether the same call may succeed at once, later, or never as it stands. */
  readonly retry: 'now' | 'later' | 'never';
  /** Marks errors of every copy of this package; `instanceof` fails across copies. */
  readonly [MARK] = true;

  constructor(code: SpillwayErrorCode, message: string, options: { retry?: 'now' | 'later' | 'never'; cause?: unknown } = {}) {
    super(message, options);
    this.name = 'SpillwayError';
    this.code = code;
    this.retry = options.retry ?? 'never';
  }

  static is(error: unknown): error is SpillwayError {
    return typeof error === 'object' && error !== null && (error as Record<string, unknown>)[MARK] === true;
  }
}
